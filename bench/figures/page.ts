import { request } from 'node:http';
import { brotliDecompressSync } from 'node:zlib';
import { authorization } from '../client/flows.ts';
import { BROWSER } from '../client/http.ts';
import { CLIENT } from '../servers/subject.ts';

export interface Weight {
  /** Bytes on the wire, headers included. */
  readonly bytes: number;
  /** Of that, what the page's scripts take. */
  readonly scriptBytes: number;
  readonly parts: readonly { readonly what: string; readonly bytes: number }[];
}

interface Received {
  readonly bytes: number;
  readonly location: string | undefined;
  readonly cookies: readonly string[];
  readonly body: string;
  readonly type: string;
}

const MOST_REDIRECTS = 5;

/** What a browser that comes for the first time receives for the first page and all it loads. */
export async function firstPageWeight(port: number): Promise<Weight> {
  const cookies = new Map<string, string>();
  const get = async (path: string): Promise<Received> => {
    const answer = await fetchOnce(port, path, [...cookies.values()].join('; '));
    for (const line of answer.cookies) cookies.set(line.split('=', 1)[0] ?? '', line.split(';', 1)[0] ?? '');
    return answer;
  };

  let path = authorization(CLIENT.web);
  let page = await get(path);
  let redirects = 0;
  let onTheWay = 0;
  while (page.location !== undefined) {
    if (++redirects > MOST_REDIRECTS) throw new Error('the first page is never reached');
    onTheWay += page.bytes;
    path = page.location;
    page = await get(path);
  }
  const parts = [
    { what: `${redirects} redirects`, bytes: onTheWay },
    { what: 'page', bytes: page.bytes },
  ];
  const seen = new Set<string>();
  const waiting = resourcesOf(page, path, port);
  for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
    if (seen.has(next)) continue;
    seen.add(next);
    const resource = await get(next);
    parts.push({ what: next.split('/').at(-1) ?? next, bytes: resource.bytes });
    waiting.push(...resourcesOf(resource, next, port));
  }
  const total = (some: Weight['parts']): number => some.reduce((sum, part) => sum + part.bytes, 0);
  return { bytes: total(parts), scriptBytes: total(parts.filter(({ what }) => what.endsWith('.js'))), parts };
}

/** Addresses that a browser loads by itself: of this server, as the policy allows no others. */
function resourcesOf({ body, type }: Received, from: string, port: number): string[] {
  const found = type.startsWith('text/html')
    ? [
        ...body.matchAll(/<link\b[^>]*\shref="([^"]+)"/g),
        ...body.matchAll(/<(?:script|img|source)\b[^>]*\ssrc="([^"]+)"/g),
      ]
    : type.startsWith('text/css')
      ? [...body.matchAll(/url\(\s*['"]?(?!data:)([^'")]+)/g), ...body.matchAll(/@import\s+['"]([^'"]+)/g)]
      : [];
  return found.map(([, address = '']) => new URL(address, new URL(from, `http://localhost:${port}`)).pathname);
}

/** On a connection of its own, so that its bytes can be counted. */
function fetchOnce(port: number, path: string, cookie: string): Promise<Received> {
  const url = new URL(path, `http://localhost:${port}`);
  const headers = { ...BROWSER, host: `localhost:${port}`, ...(cookie ? { cookie } : {}) };
  return new Promise((resolve, reject) => {
    const options = { host: '127.0.0.1', port, path: url.pathname + url.search, headers, agent: false };
    const sent = request(options, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => {
        const raw = Buffer.concat(chunks);
        const compressed = response.headers['content-encoding'] === 'br';
        resolve({
          bytes: response.socket.bytesRead,
          location: response.headers.location,
          cookies: response.headers['set-cookie'] ?? [],
          body: (compressed ? brotliDecompressSync(raw) : raw).toString('utf8'),
          type: response.headers['content-type'] ?? '',
        });
      });
    });
    sent.on('error', reject);
    sent.end();
  });
}
