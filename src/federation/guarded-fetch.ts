import { type LookupAddress, type LookupAllOptions, lookup as lookUp } from 'node:dns';
import * as http from 'node:http';
import * as https from 'node:https';
import { isIP, type LookupFunction } from 'node:net';
import { isLoopbackHost, networks } from '../config/index.ts';
import { UpstreamError } from './errors.ts';

/** How this folder speaks to upstreams. */
export type UpstreamFetch = (url: string, request: UpstreamRequest) => Promise<Response>;

export interface UpstreamRequest {
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | undefined;
  readonly signal: AbortSignal;
}

/** Bytes of an answer: the largest JWKS and userinfo with a photograph in it are smaller. */
export const ANSWER_LIMIT = 256 * 1024;
/** Milliseconds; long enough for token and userinfo request to share a connection, shorter than servers keep one. */
const IDLE_CONNECTION = 3_000;

/** Special-purpose addresses (IANA registries of RFC 6890): none of them is a provider on the public internet. */
const SPECIAL_USE = networks([
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.88.99.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/4',
  '240.0.0.0/4',
  '::/127',
  '64:ff9b::/96',
  '64:ff9b:1::/48',
  '100::/64',
  '2001::/23',
  '2001:db8::/32',
  '2002::/16',
  '3fff::/20',
  '5f00::/16',
  'fc00::/7',
  'fe80::/9',
  'ff00::/8',
]);

/** IPv4 addresses written as IPv6 (`::ffff:10.0.0.1`) are found as well. */
const isSpecialUse = (address: string): boolean => SPECIAL_USE.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4');

/**
 * Fetches from upstreams and from nowhere else: https, never a redirect, never a private or link-local address (each
 * address is judged where it is connected to, so a name that resolves differently the second time gains nothing), at
 * most 256 KB of answer, never decompressed.
 *
 * @param trusted origins the operator vouches for: they may be at a private address and, on this machine, without TLS
 * @returns a function that resolves with a whole answer, its body read
 * @throws (the function) UpstreamError: `address`, `unreachable`, `redirected`, `too_large`, `too_slow`
 */
export function createGuardedFetch(trusted: readonly string[] = []): UpstreamFetch {
  const settings = { keepAlive: true, timeout: IDLE_CONNECTION };
  const guarded = new https.Agent({ ...settings, lookup: publicAddressesOnly });
  const vouchedFor = { 'https:': new https.Agent(settings), 'http:': new http.Agent(settings) };

  return (address, request) => {
    const url = URL.parse(address);
    const protocol = url?.protocol;
    if (!url || (protocol !== 'https:' && protocol !== 'http:')) return refuse('not a web address');
    if (trusted.includes(url.origin)) {
      if (protocol === 'http:' && !isLoopbackHost(url.hostname)) return refuse('without TLS, and not on this machine');
      return send(url, request, vouchedFor[protocol]);
    }
    if (protocol === 'http:') return refuse('without TLS');
    // A literal address is connected to without being looked up.
    const literal = url.hostname.replace(/^\[|\]$/g, '');
    if (isIP(literal) && isSpecialUse(literal)) return refuse('a private address');
    return send(url, request, guarded);
  };
}

const refuse = async (why: string): Promise<never> => {
  throw new UpstreamError('address', `an address that is not fetched from: ${why}`);
};

const publicAddressesOnly: LookupFunction = (hostname, options, callback) => {
  lookUp(hostname, { ...options, all: true } as LookupAllOptions, (error, addresses: LookupAddress[]) => {
    if (error) return callback(error, '');
    if (addresses.some(({ address }) => isSpecialUse(address))) {
      return callback(new UpstreamError('address', 'a name that leads to a private address'), '');
    }
    const [first] = addresses;
    if (options.all) callback(null, addresses);
    else callback(null, first?.address ?? '', first?.family);
  });
};

function send(url: URL, request: UpstreamRequest, agent: http.Agent): Promise<Response> {
  const { method, headers, body, signal } = request;
  const transport = url.protocol === 'https:' ? https : http;
  return new Promise((resolve, reject) => {
    const fail = (error: unknown) => reject(failure(error, signal));
    const sent = transport.request(url, { method, agent, signal, headers: { ...headers, 'user-agent': 'Vestibule' } });
    sent.on('error', fail);
    sent.on('response', (answer) => {
      receive(answer).then(resolve, (error) => {
        answer.destroy();
        fail(error);
      });
    });
    sent.end(body);
  });
}

async function receive(answer: http.IncomingMessage): Promise<Response> {
  const { statusCode: status = 0 } = answer;
  if (status >= 300 && status < 400) {
    throw new UpstreamError('redirected', `the upstream answered ${status}; redirects are not followed`);
  }
  const parts: Buffer[] = [];
  let size = Number(answer.headers['content-length'] ?? 0);
  if (size > ANSWER_LIMIT) throw tooLarge();
  size = 0;
  for await (const part of answer as AsyncIterable<Buffer>) {
    size += part.length;
    if (size > ANSWER_LIMIT) throw tooLarge();
    parts.push(part);
  }
  const headers = new Headers();
  for (const [name, values] of Object.entries(answer.headersDistinct)) {
    for (const value of values ?? []) headers.append(name, value);
  }
  return new Response(size > 0 ? Buffer.concat(parts) : null, { status, headers });
}

const tooLarge = () => new UpstreamError('too_large', `the upstream's answer is larger than ${ANSWER_LIMIT} bytes`);

function failure(error: unknown, signal: AbortSignal): UpstreamError {
  if (error instanceof UpstreamError) return error;
  if (signal.aborted) return new UpstreamError('too_slow', 'the upstream did not answer in time');
  const { code, name } = error as NodeJS.ErrnoException;
  return new UpstreamError('unreachable', `the upstream can't be reached: ${code ?? name}`);
}
