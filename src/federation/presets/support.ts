import type { TokenProtection, Upstream } from '../upstream.ts';

/** What an upstream's metadata does not support of what is configured. */
export interface SupportFinding {
  /** Setting of the provider's file that it is about. */
  readonly path: readonly string[];
  readonly message: string;
  /** Nobody could sign in like this; otherwise only something is lost. */
  readonly breaks: boolean;
}

type Metadata = Readonly<Record<string, unknown>>;

const breaks = (setting: string, message: string): SupportFinding => ({ path: [setting], message, breaks: true });
const loses = (setting: string, message: string): SupportFinding => ({ path: [setting], message, breaks: false });

/** A list in the metadata; undefined where it says nothing, which is no refusal. */
function listed(metadata: Metadata, name: string): readonly string[] | undefined {
  const value = metadata[name];
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : undefined;
}

const offers = (list: readonly string[] | undefined): string =>
  list && list.length > 0 ? list.slice(0, 20).map(printable).join(', ') : 'nothing';
/** What a stranger wrote is shown on a terminal: nothing in it may move the cursor. */
const printable = (text: string): string => text.replace(/[^\x20-\x7e]/g, '?').slice(0, 120);

/**
 * Compares a configured upstream with its metadata (OpenID Connect Discovery §3, RFC 8414 §2). Lists that are absent
 * refuse nothing: many upstreams leave them out.
 *
 * @param metadata the document as it came; untrusted
 */
export function supportFindings(upstream: Upstream, metadata: Metadata): SupportFinding[] {
  return [
    ...authentication(upstream, metadata),
    ...requests(upstream, metadata),
    ...tokens(upstream, metadata),
    ...contents(upstream, metadata),
    ...signingOut(upstream, metadata),
  ];
}

function* authentication({ authentication: ours }: Upstream, metadata: Metadata): Generator<SupportFinding> {
  const method = ours.method === 'apple' ? 'client_secret_post' : ours.method;
  const methods = listed(metadata, 'token_endpoint_auth_methods_supported');
  if (methods && !methods.includes(method)) {
    yield breaks('token_endpoint_auth_method', `${method} is not supported; the provider offers ${offers(methods)}`);
  }
  // Discovery §3: left out, it means client_secret_basic.
  if (!methods && method !== 'client_secret_basic') {
    yield loses('token_endpoint_auth_method', `the provider’s metadata does not say that it supports ${method}`);
  }
  const algs = listed(metadata, 'token_endpoint_auth_signing_alg_values_supported');
  if (ours.method === 'private_key_jwt' && algs && !algs.includes(ours.alg)) {
    yield breaks(
      'token_endpoint_auth_signing_alg',
      `${ours.alg} is not supported; the provider offers ${offers(algs)}`,
    );
  }
}

function* requests(upstream: Upstream, metadata: Metadata): Generator<SupportFinding> {
  const { request, dpop, responseMode } = upstream;
  const types = listed(metadata, 'response_types_supported');
  if (types && !types.includes('code')) {
    yield breaks('preset', `the provider answers with no code; it offers ${offers(types)}`);
  }
  const modes = listed(metadata, 'response_modes_supported') ?? ['query', 'fragment'];
  if (!modes.includes(responseMode)) {
    yield breaks('response_mode', `${responseMode} is not supported; the provider offers ${offers(modes)}`);
  }
  if (!listed(metadata, 'code_challenge_methods_supported')?.includes('S256')) {
    yield loses(
      'preset',
      'the provider does not say that it supports PKCE (S256): it is sent, and may protect nothing',
    );
  }
  if (request === 'pushed' && metadata.pushed_authorization_request_endpoint === undefined) {
    yield breaks('request', 'the provider takes no pushed requests (it has no pushed_authorization_request_endpoint)');
  }
  if (request !== 'pushed' && metadata.require_pushed_authorization_requests === true) {
    yield breaks('request', 'must be pushed: the provider takes no other requests');
  }
  if (request === 'signed') yield* signedRequest(metadata);
  if (request === 'plain' && metadata.require_signed_request_object === true) {
    yield breaks('request', 'must be signed: the provider takes no other requests');
  }
  const proofs = listed(metadata, 'dpop_signing_alg_values_supported');
  if (dpop && !proofs) yield loses('dpop', 'the provider does not say that it binds tokens to a key (DPoP)');
  if (dpop && proofs && !proofs.includes('ES256')) {
    yield breaks('dpop', `ES256 is not supported; the provider offers ${offers(proofs)}`);
  }
}

function* signedRequest(metadata: Metadata): Generator<SupportFinding> {
  const algs = listed(metadata, 'request_object_signing_alg_values_supported');
  // Discovery §3: left out, `request_parameter_supported` means false; RFC 9101 alone has no such field.
  if (metadata.request_parameter_supported !== true && !algs) {
    yield breaks('request', 'the provider does not say that it takes request objects (request_parameter_supported)');
  }
}

function* tokens({ idToken, userinfo }: Upstream, metadata: Metadata): Generator<SupportFinding> {
  yield* protection('id_token', idToken, metadata);
  if (!userinfo.fetched) return;
  if (metadata.userinfo_endpoint === undefined) {
    yield breaks('userinfo', 'the provider has no userinfo_endpoint: set fetched to false');
  }
  if (userinfo.jwt) yield* protection('userinfo', userinfo.jwt, metadata);
}

function* protection(
  token: 'id_token' | 'userinfo',
  { signedWith, encryptedWith }: TokenProtection,
  metadata: Metadata,
): Generator<SupportFinding> {
  const wanted: [string, readonly string[]][] = [['signing_alg', signedWith]];
  if (encryptedWith) wanted.push(['encryption_alg', encryptedWith.alg], ['encryption_enc', encryptedWith.enc]);
  for (const [what, ours] of wanted) {
    const name = `${token}_${what}_values_supported`;
    const theirs = listed(metadata, name);
    if (theirs && !theirs.some((alg) => ours.includes(alg))) {
      yield breaks(token, `none of ${ours.join(', ')} is supported (${name}); the provider offers ${offers(theirs)}`);
    } else if (!theirs && what !== 'signing_alg') {
      yield loses(token, `the provider does not say how it encrypts (${name}); ${ours.join(', ')} is expected`);
    }
  }
}

function* contents(upstream: Upstream, metadata: Metadata): Generator<SupportFinding> {
  const { levels, asksLevelBy: asks, claims, subject } = upstream;
  const known = listed(metadata, 'acr_values_supported');
  const unknown =
    asks.by === 'claims' && asks.claim !== 'acr' ? [] : levels.filter(({ upstream: name }) => !known?.includes(name));
  if (known && unknown.length > 0) {
    const names = unknown.map((level) => level.upstream).join(', ');
    yield loses('levels', `not supported: ${names}. The provider offers ${offers(known)}`);
  }
  const scopes = listed(metadata, 'scopes_supported');
  // Codes of services are nobody else's business, so no metadata lists them.
  const wanted = upstream.scope.split(' ').filter((scope) => !scope.startsWith('service:'));
  const missing = wanted.filter((scope) => !scopes?.includes(scope));
  if (scopes && missing.length > 0) {
    yield loses('scope', `not supported: ${missing.join(', ')}. The provider offers ${offers(scopes)}`);
  }
  // Discovery §3: left out, it means false.
  if ((claims || asks.by === 'claims') && metadata.claims_parameter_supported !== true) {
    const setting = claims ? 'claims' : 'asks_level_by';
    yield loses(setting, 'the provider does not say that it takes the claims parameter (claims_parameter_supported)');
  }
  const told = listed(metadata, 'claims_supported');
  const untold = subject.map(({ path }) => path[0] ?? '').filter((name) => name !== 'sub' && !told?.includes(name));
  if (told && untold.length > 0) {
    yield loses('subject', `the provider does not say that it tells ${untold.join(', ')} (claims_supported)`);
  }
}

function* signingOut({ logout }: Upstream, metadata: Metadata): Generator<SupportFinding> {
  const canEnd = metadata.end_session_endpoint !== undefined;
  if (logout.rpInitiated && !canEnd) {
    yield loses('logout', 'rp_initiated has no effect: the provider has no end_session_endpoint');
  }
  if (logout.backChannel && metadata.backchannel_logout_supported !== true) {
    yield loses(
      'logout',
      'the provider does not say that it announces the end of sessions (backchannel_logout_supported)',
    );
  }
}
