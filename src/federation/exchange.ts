import * as client from 'openid-client';
import { parseJsonObject, type UpstreamMetadata } from './discovery.ts';
import { UpstreamError, upstreamError } from './errors.ts';
import type { OpenedToken, TokenOpener } from './token-opener.ts';
import type { TokenProtection, Upstream } from './upstream.ts';

/** What becomes of an upstream's answer before the library sees it. */
export type Reply = (address: string, response: Response) => Promise<Response>;

interface UserinfoDeps {
  readonly upstream: Upstream;
  readonly metadata: UpstreamMetadata;
  readonly open: TokenOpener;
  readonly accessToken: string;
  /** `sub` of the ID token. */
  readonly subject: string;
  readonly dpop: client.DPoPHandle | undefined;
}

/**
 * Stands between the wire and the library: an ID token in the token endpoint's answer is decrypted and its signature
 * verified, and the library gets the signed token inside, whose claims it checks once more. The library by itself knows
 * neither shared-secret encryption nor several keys without a name, and leaves signatures from the token endpoint unverified.
 *
 * @param check what else the token must be
 */
export function openingIdToken(
  metadata: UpstreamMetadata,
  upstream: Upstream,
  open: TokenOpener,
  check: (idToken: OpenedToken, accessToken: unknown) => void,
): { readonly reply: Reply; readonly idToken: () => OpenedToken | undefined } {
  let opened: OpenedToken | undefined;
  return {
    idToken: () => opened,
    async reply(address, response) {
      if (address !== new URL(metadata.token_endpoint).href || response.status !== 200) return response;
      const text = await response.text();
      const body = parseJsonObject(text);
      if (!body) throw new UpstreamError('token_endpoint', 'the upstream answered something else than a JSON object');
      if (typeof body.id_token !== 'string') throw new UpstreamError('token_endpoint', 'the upstream sent no ID token');
      opened = await open('id_token', body.id_token, upstream.idToken, {
        issuer: metadata.issuer,
        audience: upstream.clientId,
        requiredClaims: ['sub', 'exp', 'iat', 'nonce'],
      });
      check(opened, body.access_token);
      const { headers, status } = response;
      return new Response(JSON.stringify({ ...body, id_token: opened.jws }), { status, headers });
    },
  };
}

/**
 * Fetches userinfo (OpenID Connect Core §5.3) and checks that it is about the same person.
 *
 * @returns its claims; empty where the upstream has none to fetch
 * @throws UpstreamError `userinfo`
 */
export async function fetchUserinfo(
  configuration: client.Configuration,
  deps: UserinfoDeps,
): Promise<Readonly<Record<string, unknown>>> {
  const { upstream, metadata, accessToken, subject, dpop } = deps;
  const { fetched, jwt } = upstream.userinfo;
  if (!fetched) return {};
  if (!metadata.userinfo_endpoint) throw new UpstreamError('userinfo', 'the metadata has no userinfo_endpoint');
  const headers = new Headers({ accept: jwt ? 'application/jwt, application/json' : 'application/json' });
  const response = await client
    .fetchProtectedResource(
      configuration,
      accessToken,
      new URL(metadata.userinfo_endpoint),
      'GET',
      null,
      headers,
      dpop ? { DPoP: dpop } : {},
    )
    .catch((error) => {
      throw upstreamError('userinfo', error);
    });
  if (response.status !== 200) throw new UpstreamError('userinfo', `the upstream answered ${response.status}`);
  const text = await response.text();
  // What it is declared as does not matter: itsme declares its JWE as JSON.
  const claims = jwt ? await signedClaims(text.trim(), jwt, deps) : parseJsonObject(text);
  if (!claims) throw new UpstreamError('userinfo', 'the upstream answered something else than a JSON object');
  // Core §5.3.2: else anybody's claims could be put in the place of this person's.
  if (claims.sub !== subject) throw new UpstreamError('userinfo', 'about somebody else than the ID token (sub)');
  return claims;
}

async function signedClaims(
  token: string,
  protection: TokenProtection,
  { upstream, metadata, open }: Pick<UserinfoDeps, 'upstream' | 'metadata' | 'open'>,
): Promise<Readonly<Record<string, unknown>>> {
  const { claims } = await open('userinfo', token, protection, {});
  const { iss, aud } = claims;
  // §5.3.2 recommends them; where they are, they must be right.
  if (iss !== undefined && iss !== metadata.issuer) throw new UpstreamError('userinfo', 'of another issuer (iss)');
  if (aud !== undefined && ![aud].flat().includes(upstream.clientId)) {
    throw new UpstreamError('userinfo', 'made for another client (aud)');
  }
  return claims;
}
