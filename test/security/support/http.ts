import { connect } from 'node:net';
import type { ClientFileContents } from '../../support/config-folder.ts';

/** A server under test, or a second process on the same issuer. */
export interface Target {
  readonly port: number;
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** Of a JSON answer; empty for any other. */
  readonly json: Readonly<Record<string, unknown>>;
}

type Form = Readonly<Record<string, string>> | URLSearchParams;

/** One request as a program sends it: no cookies, no redirects, straight to the process. */
export async function send(target: Target, path: string, init: RequestInit = {}): Promise<Answer> {
  const response = await fetch(`http://127.0.0.1:${target.port}${path}`, { redirect: 'manual', ...init });
  const text = await response.text();
  return { status: response.status, headers: response.headers, text, json: parse(text) };
}

/** POSTs a form. @param client proves itself by `client_secret_basic`, or names itself when it is public */
export function post(target: Target, path: string, form: Form, client?: ClientFileContents): Promise<Answer> {
  const body = new URLSearchParams(form);
  const headers = new Headers();
  if (client?.token_endpoint_auth_method === 'none') body.set('client_id', client.client_id);
  else if (client) headers.set('authorization', basic(client.client_id, String(client.client_secret)));
  return send(target, path, { method: 'POST', body, headers });
}

export const basic = (id: string, secret: string): string =>
  `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}`;

export const userinfo = (target: Target, token: unknown): Promise<Answer> =>
  send(target, '/me', { headers: { authorization: `Bearer ${token}` } });

export interface RawAnswer {
  /** 0 when the server closed without an answer. */
  readonly status: number;
  readonly head: string;
  readonly body: string;
}

/** Sends bytes as they are (one character, one byte), which no HTTP client would. */
export function sendRaw(target: Target, request: string): Promise<RawAnswer> {
  return new Promise((resolve, reject) => {
    let text = '';
    const socket = connect(target.port, '127.0.0.1');
    socket.setTimeout(10_000, () => socket.destroy(new Error(`no answer to ${request.slice(0, 60)}`)));
    socket.setEncoding('utf8').on('data', (data: string) => {
      text += data;
    });
    // The answer counts, also when the server then closes on what it did not read.
    socket.on('error', (error) => (text === '' ? reject(error) : undefined));
    socket.on('close', () => {
      const [head = '', body = ''] = text.split(/\r\n\r\n(.*)/s);
      resolve({ status: Number(/^HTTP\/1\.1 (\d{3})/.exec(head)?.[1] ?? 0), head, body });
    });
    socket.write(request, 'latin1');
  });
}

function parse(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}
