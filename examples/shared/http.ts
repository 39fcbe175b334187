/**
 * The little HTTP that the demo programs share: a handler returns an answer, and one place
 * writes it, so that no page forgets a security header. Not part of what a portal needs to
 * sign people in: any web framework takes its place.
 */
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Html } from './html.ts';

export interface Visit {
  readonly method: string;
  readonly url: URL;
  readonly request: IncomingMessage;
}

export interface Answer {
  readonly status: number;
  readonly body: string | Buffer;
  readonly headers: Readonly<Record<string, string>>;
}

export const page = (content: Html, status = 200): Answer => ({
  status,
  body: content.text,
  headers: { 'content-type': 'text/html; charset=utf-8' },
});

export const json = (value: unknown, status = 200): Answer => ({
  status,
  body: JSON.stringify(value, null, 2),
  headers: { 'content-type': 'application/json; charset=utf-8' },
});

/** 303, so that a reload of the page arrived at repeats nothing (RFC 9110 §15.4.4). */
export const redirect = (location: string | URL): Answer => ({
  status: 303,
  body: '',
  headers: { location: String(location) },
});

export const file = (body: string | Buffer, type: string): Answer => ({
  status: 200,
  body,
  headers: { 'content-type': type, 'cache-control': 'public, max-age=300' },
});

export const withCookie = (answer: Answer, cookie: string | undefined): Answer =>
  cookie ? { ...answer, headers: { ...answer.headers, 'set-cookie': cookie } } : answer;

/** Thrown when a request is larger than its handler allows. */
export class TooLarge extends Error {}

/** Reads a request body, but never more than `limit` bytes of it. */
export async function readBody(request: IncomingMessage, limit: number): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > limit) throw new TooLarge(`more than ${limit} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

export interface ServeOptions {
  /** 0 picks a free one. */
  readonly port: number;
  /** Content-Security-Policy of every answer that doesn't bring its own. */
  readonly contentSecurityPolicy: string;
  readonly handle: (visit: Visit) => Promise<Answer>;
  /** What a person sees when `handle` throws: never the error itself. */
  readonly failed: () => Answer;
  readonly log: (line: string) => void;
}

export interface Running {
  readonly url: string;
  close(): Promise<void>;
}

/** Answering other names would let any web page read a demo by DNS rebinding. */
const LOOPBACK_NAMES = new Set(['localhost', '127.0.0.1', '[::1]']);

/** Serves on loopback only. @throws Error (`EADDRINUSE`) when the port is taken */
export async function serve(options: ServeOptions): Promise<Running> {
  const answerTo = async (request: IncomingMessage): Promise<Answer> => {
    // Our own address, not what the Host header says, is the base of every link and redirect.
    const url = URL.parse(request.url ?? '/', ownAddress);
    const host = URL.parse(`http://${request.headers.host ?? ''}`)?.hostname ?? '';
    if (!url || !LOOPBACK_NAMES.has(host)) return { status: 421, body: 'Misdirected request\n', headers: {} };
    const method = request.method === 'HEAD' ? 'GET' : (request.method ?? 'GET');
    try {
      return await options.handle({ method, url, request });
    } catch (error) {
      if (error instanceof TooLarge) return { status: 413, body: 'Too large\n', headers: { connection: 'close' } };
      options.log(`${method} ${url.pathname}: ${error instanceof Error ? error.stack : String(error)}`);
      return options.failed();
    }
  };

  const server = createServer({ requestTimeout: 10_000 }, async (request, response) => {
    const { status, headers, body } = await answerTo(request);
    response.writeHead(status, {
      'content-type': 'text/plain; charset=utf-8',
      'content-security-policy': options.contentSecurityPolicy,
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      'cross-origin-opener-policy': 'same-origin',
      'cache-control': 'no-store',
      ...headers,
    });
    response.end(body);
  });
  let ownAddress = '';
  await listen(server, options.port);
  ownAddress = `http://localhost:${(server.address() as AddressInfo).port}`;
  return {
    url: ownAddress,
    close: () => close(server),
  };
}

/** On loopback. @throws Error (`EADDRINUSE`) when the port is taken */
export function listen(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => {
      server.off('error', reject);
      resolve();
    });
  });
}

/** Waits for nobody: what is under way is cut off. */
export function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
