import { createServer, type Server } from 'node:http';
import type { Registry } from 'prom-client';

export interface Health {
  /** Throws when requests can't be answered properly. */
  ready(): Promise<void>;
}

/**
 * Health and metrics on a listener of their own, so that they can't be reached from where the
 * public port can. Live: the process answers. Ready: it would answer a sign-in as well.
 */
export function createOperationsListener(health: Health, registry: Registry): Server {
  const answers: Readonly<Record<string, () => Promise<{ status: number; type: string; body: string }>>> = {
    '/health/live': async () => ({ status: 200, type: 'application/json', body: '{"status":"live"}' }),
    '/health/ready': async () => {
      try {
        await health.ready();
        return { status: 200, type: 'application/json', body: '{"status":"ready"}' };
      } catch (error) {
        const reason = error instanceof Error ? error.message : 'unknown';
        return { status: 503, type: 'application/json', body: JSON.stringify({ status: 'not ready', reason }) };
      }
    },
    '/metrics': async () => ({ status: 200, type: registry.contentType, body: await registry.metrics() }),
  };
  return createServer((req, res) => {
    const answer = req.method === 'GET' ? answers[(req.url ?? '').split('?')[0] ?? ''] : undefined;
    if (!answer) {
      res.writeHead(404).end();
      return;
    }
    answer().then(
      ({ status, type, body }) =>
        res.writeHead(status, { 'content-type': type, 'cache-control': 'no-store' }).end(body),
      () => res.writeHead(500).end(),
    );
  });
}
