import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';

const ANSWERED_WITHIN_MS = 12_000;

/** Of an answer that is the proxy's own: no node gave one. */
const FROM_PROXY = 'x-answered-by-proxy';

/** What people were answered, by the nodes and in their place. */
export interface Observed {
  answers: number;
  /** 503 with `Retry-After`: the right thing to say while storage is away. */
  refusals: number;
  /** Nobody answered: the node that had it was killed. */
  lost: number;
  /** What no node may ever say: 500, 503 without `Retry-After`. */
  readonly faults: string[];
}

export interface ObservingProxy {
  readonly port: number;
  readonly observed: Observed;
  close(): Promise<void>;
}

/** Sends every request to another node than the one before, and to the next where nobody listens. Nothing is sent twice. */
export async function startProxy(nodes: readonly number[], port: number): Promise<ObservingProxy> {
  const observed: Observed = { answers: 0, refusals: 0, lost: 0, faults: [] };
  let turn = 0;

  const handle = async (incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> => {
    turn += 1;
    const first = turn;
    const body = await buffer(incoming);
    for (let tried = 0; tried < nodes.length; tried++) {
      const node = nodes[(first + tried) % nodes.length] as number;
      try {
        const answer = await ask(node, incoming, body);
        note(observed, incoming, answer);
        outgoing.writeHead(answer.status, answer.headers).end(answer.body);
        return;
      } catch (error) {
        // Nobody took it: another one may.
        if ((error as NodeJS.ErrnoException).code !== 'ECONNREFUSED') break;
      }
    }
    observed.lost += 1;
    outgoing.writeHead(502, { [FROM_PROXY]: 'lost' }).end();
  };

  const server = createServer((incoming, outgoing) => {
    // A visitor that has gone needs no answer.
    outgoing.on('error', () => undefined);
    handle(incoming, outgoing).catch(() => outgoing.destroy());
  });
  await new Promise<void>((done, fail) => server.once('error', fail).listen(port, 'localhost', done));
  return {
    port: (server.address() as AddressInfo).port,
    observed,
    close: () =>
      new Promise((done) => {
        server.close(() => done());
        server.closeAllConnections();
      }),
  };
}

interface Answered {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly body: Buffer;
}

function ask(port: number, { method, url, headers }: IncomingMessage, body: Buffer): Promise<Answered> {
  return new Promise((done, fail) => {
    const options = { host: '127.0.0.1', port, method, path: url, headers, agent: false, timeout: ANSWERED_WITHIN_MS };
    const sent = request(options, (answer) => {
      buffer(answer).then(
        (received) => done({ status: answer.statusCode ?? 0, headers: answer.headers, body: received }),
        fail,
      );
    });
    sent.on('error', fail);
    sent.on('timeout', () => sent.destroy(new Error('no answer')));
    sent.end(body);
  });
}

function note(observed: Observed, { method, url }: IncomingMessage, { status, headers, body }: Answered): void {
  observed.answers += 1;
  if (status < 500) return;
  if (status === 503 && headers['retry-after'] !== undefined) observed.refusals += 1;
  else
    observed.faults.push(
      `${status} to ${method} ${url?.split('?')[0]} with ${JSON.stringify(headers)}: ${body.toString().slice(0, 300)}`,
    );
}
