import { Agent, type IncomingMessage, type OutgoingHttpHeaders, request } from 'node:http';

const ANSWERED_WITHIN_MS = 30_000;

export interface Answer {
  readonly status: number;
  readonly location: string | undefined;
  readonly cookies: readonly string[];
  readonly body: string;
}

/** What a browser sends with a page. */
export const BROWSER: Readonly<Record<string, string>> = {
  accept: 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8',
  'accept-language': 'en',
  'accept-encoding': 'gzip, deflate, br',
  'user-agent': 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0',
  'sec-fetch-dest': 'document',
  'sec-fetch-mode': 'navigate',
};

/** One kept connection to a server on loopback: what one browser or one relying party has. */
export class Connection {
  readonly issuer: string;
  readonly #port: number;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1 });

  constructor(port: number) {
    this.#port = port;
    this.issuer = `http://localhost:${port}`;
  }

  send(method: 'GET' | 'POST', path: string, headers: OutgoingHttpHeaders, body?: string): Promise<Answer> {
    const all: OutgoingHttpHeaders = { host: `localhost:${this.#port}`, ...headers };
    if (body !== undefined) {
      all['content-type'] = 'application/x-www-form-urlencoded';
      all['content-length'] = Buffer.byteLength(body);
    }
    return new Promise((resolve, reject) => {
      const options = { host: '127.0.0.1', port: this.#port, method, path, headers: all, agent: this.#agent };
      const sent = request({ ...options, timeout: ANSWERED_WITHIN_MS }, (response) => read(response, resolve));
      sent.on('error', reject);
      sent.on('timeout', () => sent.destroy(new Error(`no answer to ${method} ${path}`)));
      sent.end(body);
    });
  }

  close(): void {
    this.#agent.destroy();
  }
}

function read(response: IncomingMessage, resolve: (answer: Answer) => void): void {
  let body = '';
  response.setEncoding('utf8').on('data', (text: string) => {
    body += text;
  });
  response.on('end', () =>
    resolve({
      status: response.statusCode ?? 0,
      location: response.headers.location,
      cookies: response.headers['set-cookie'] ?? [],
      body,
    }),
  );
}

const DISCOVERY = '/.well-known/openid-configuration';

export const discovery = (connection: Connection): Promise<Answer> =>
  connection.send('GET', DISCOVERY, { accept: 'application/json' });

export async function isServing(port: number): Promise<boolean> {
  const connection = new Connection(port);
  try {
    return (await discovery(connection)).status === 200;
  } catch {
    return false;
  } finally {
    connection.close();
  }
}
