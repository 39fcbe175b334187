import type { IncomingMessage, RequestListener, ServerOptions } from 'node:http';
import { type BlockList, isIP } from 'node:net';
import type { Config } from '../config/config.ts';
import { networks } from '../config/index.ts';

/** Bytes of all request headers; Node answers 431 beyond. Authorization requests are long addresses. */
const MAX_HEADER_BYTES = 16 * 1024;
/** Milliseconds. A slow sender holds a socket no longer than this. */
const HEADERS_TIMEOUT = 10_000;
const REQUEST_TIMEOUT = 30_000;

const FORWARDED = [
  'forwarded',
  'x-forwarded-host',
  'x-forwarded-port',
  'x-forwarded-prefix',
  'x-forwarded-server',
  'x-real-ip',
];

/** Milliseconds; longer than proxies keep theirs (60 s), which would else send a request into a connection just closed. */
const KEEP_ALIVE = 75_000;

/** Of every connection, before a request is understood. */
export const SERVER_LIMITS: ServerOptions = {
  maxHeaderSize: MAX_HEADER_BYTES,
  headersTimeout: HEADERS_TIMEOUT,
  requestTimeout: REQUEST_TIMEOUT,
  keepAliveTimeout: KEEP_ALIVE,
  // Duplicates of `Host`, `Content-Length` and the like are refused by the parser.
  insecureHTTPParser: false,
};

/**
 * The outermost layer: decides what of a request may be believed before anything else sees it.
 * Host and scheme are always the configured issuer's (security-catalogue: host poisoning), the
 * visitor's address and client certificate count only from a configured proxy.
 */
export function createRequestListener(handle: RequestListener, config: Config): RequestListener {
  const trusted = config.proxy.trusted.length > 0 ? networks(config.proxy.trusted) : undefined;
  const issuer = new URL(config.issuer);
  const { certificate_header, verified_header } = config.features.mtls;
  const fromProxiesOnly = ['x-forwarded-for', certificate_header, verified_header];

  return (req, res) => {
    const { headers } = req;
    for (const name of isTrusted(req, trusted) ? FORWARDED : [...FORWARDED, ...fromProxiesOnly]) delete headers[name];
    headers.host = issuer.host;
    headers['x-forwarded-proto'] = issuer.protocol.slice(0, -1);
    req.url = originForm(req.url ?? '/');
    handle(req, res);
  };
}

/** `GET http://evil.example/auth` (absolute form, RFC 9112 §3.2.2) names a host as well, and Koa believes it. */
function originForm(target: string): string {
  const path = target.replace(/^[a-z][a-z0-9+.-]*:\/\/[^/?]*/i, '');
  return path.startsWith('?') || path === '' ? `/${path}` : path;
}

function isTrusted(req: IncomingMessage, trusted: BlockList | undefined): boolean {
  if (!trusted) return false;
  const address = req.socket.remoteAddress ?? '';
  const family = isIP(address);
  return family !== 0 && trusted.check(address, family === 6 ? 'ipv6' : 'ipv4');
}
