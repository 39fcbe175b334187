import { isLoopbackAddress } from '../config/index.ts';
import { UpstreamError } from './errors.ts';
import type { UpstreamFetch } from './guarded-fetch.ts';
import type { Upstream } from './upstream.ts';

/** Milliseconds for metadata or keys. */
export const FETCH_TIMEOUT = 5_000;

/** What is used of an upstream's metadata (OpenID Connect Discovery §3), each address checked. */
export interface UpstreamMetadata {
  readonly issuer: string;
  readonly authorization_endpoint: string;
  readonly token_endpoint: string;
  readonly jwks_uri: string;
  readonly userinfo_endpoint?: string;
  readonly pushed_authorization_request_endpoint?: string;
  readonly end_session_endpoint?: string;
  /** RFC 9207: an answer without `iss` is somebody else's. */
  readonly authorization_response_iss_parameter_supported: boolean;
}

/** The document as it came, besides what was checked: for `config check`, which says what is not supported. */
export interface Discovered {
  readonly metadata: UpstreamMetadata;
  readonly document: Readonly<Record<string, unknown>>;
}

const REQUIRED = ['authorization_endpoint', 'token_endpoint', 'jwks_uri'] as const;
const OPTIONAL = ['userinfo_endpoint', 'pushed_authorization_request_endpoint', 'end_session_endpoint'] as const;

/**
 * Fetches and checks the metadata of an upstream (OpenID Connect Discovery §4).
 *
 * @param timeout milliseconds
 * @throws UpstreamError `metadata` when it is another issuer's or an address in it can't be used; or of the fetch
 */
export async function discover(
  upstream: Pick<Upstream, 'issuer' | 'discoveryUrl'>,
  fetch: UpstreamFetch,
  timeout: number = FETCH_TIMEOUT,
): Promise<Discovered> {
  const { issuer } = upstream;
  const address = upstream.discoveryUrl ?? `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`;
  const document = await fetchJson(address, fetch, timeout, 'metadata');
  // §4.3: exactly, so that nobody can speak for somebody else.
  if (document.issuer !== issuer) throw new UpstreamError('metadata', 'the metadata is that of another issuer');
  const addresses: Record<string, string> = {};
  for (const name of [...REQUIRED, ...OPTIONAL]) {
    if (document[name] !== undefined) addresses[name] = checkedAddress(name, document[name], issuer);
  }
  const missing = REQUIRED.find((name) => !addresses[name]);
  if (missing) throw new UpstreamError('metadata', `the metadata has no ${missing}`);
  const metadata = {
    ...addresses,
    issuer,
    authorization_response_iss_parameter_supported: document.authorization_response_iss_parameter_supported === true,
  } as UpstreamMetadata;
  return { metadata, document };
}

/**
 * @param reason of the error when it is no JSON object
 * @throws UpstreamError that reason; or of the fetch
 */
export async function fetchJson(
  address: string,
  fetch: UpstreamFetch,
  timeout: number,
  reason: 'metadata' | 'keys',
): Promise<Record<string, unknown>> {
  const signal = AbortSignal.timeout(timeout);
  const response = await fetch(address, { method: 'GET', headers: { accept: 'application/json' }, signal });
  if (response.status !== 200) throw new UpstreamError(reason, `the upstream answered ${response.status}`);
  const document = parseJsonObject(await response.text());
  if (!document) throw new UpstreamError(reason, 'the upstream answered something else than a JSON object');
  return document;
}

/** Without the parser's message, which quotes what it read. */
export function parseJsonObject(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined;
  } catch {
    return undefined;
  }
}

/** https; without TLS only where the issuer itself is on this machine, too. */
function checkedAddress(name: string, value: unknown, issuer: string): string {
  const url = typeof value === 'string' ? URL.parse(value) : null;
  const usable =
    url !== null &&
    url.hash === '' &&
    url.username === '' &&
    url.password === '' &&
    (url.protocol === 'https:' || (isLoopbackAddress(url.href) && issuer.startsWith('http:')));
  if (!usable) throw new UpstreamError('metadata', `${name} of the metadata is no address that can be used`);
  // As it is written there: upstreams compare the audience of an assertion with it letter by letter.
  return value as string;
}
