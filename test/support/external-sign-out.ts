import { decodeJwt } from 'jose';
import type { EvilUpstream, TokenScript } from './evil-upstream.ts';
import { appoint, arrive, claimsAt, link, type Place, passBy } from './external.ts';
import type { Person } from './seed.ts';
import type { Vestibule } from './vestibule.ts';
import type { Visitor } from './visitor.ts';

/** A session at a scripted upstream. */
export interface Stay {
  readonly sub: string;
  readonly sid: string;
}

let stays = 0;

/** Somebody the upstream knows and nobody else does yet, who signed in there a moment ago. */
export function newStay(): Stay {
  stays += 1;
  return { sub: `citizen-staying-${stays}`, sid: `stay-${stays}` };
}

/** The same person in another browser. */
export const elsewhere = ({ sub }: Stay): Stay => ({ sub, sid: newStay().sid });

/** Links somebody's identity, in a browser that is left as it is. @returns their subject here */
export async function linkFirst(place: Place, { sub }: Stay, person: Person): Promise<string> {
  return (await claimsAt(place, await link(place, { sub }, person)))?.sub ?? '';
}

/** Signs somebody who is linked in, from the portal to the portal. */
export async function stayIn(
  place: Place,
  { sub, sid }: Stay,
  options: { provider?: string; parameters?: Readonly<Record<string, string>>; at?: Visitor } = {},
): Promise<Visitor> {
  const { provider, parameters, at } = options;
  const visitor = await arrive(place, parameters, at);
  appoint(place.evil, { sub }, { claims: { sid } });
  await passBy(visitor, place.evil, provider === undefined ? {} : { provider });
  return visitor;
}

/** Whether this browser is signed in, as a portal finds out without a page. */
export async function isSignedIn({ portal }: Place, visitor: Visitor): Promise<boolean> {
  await visitor.visit(await portal.authorizationUrl({ prompt: 'none' }));
  return visitor.left.searchParams.has('code');
}

let tokens = 0;

/** What an upstream sends when a session there ended. @param over laid over the claims of a right one */
export function logoutToken(
  evil: EvilUpstream,
  vestibule: Pick<Vestibule, 'now'>,
  over: Readonly<Record<string, unknown>>,
  script: TokenScript = {},
): Promise<string> {
  tokens += 1;
  const iat = Math.floor(vestibule.now() / 1000);
  const claims = {
    iss: evil.issuer,
    aud: evil.clientId,
    iat,
    exp: iat + 120,
    jti: `logout-token-${tokens}`,
    events: { 'http://schemas.openid.net/event/backchannel-logout': {} },
    ...over,
  };
  return evil.token(claims, { ...script, header: { typ: 'logout+jwt', ...script.header } });
}

/** Delivers a logout token as an upstream does. */
export const announce = (vestibule: Vestibule, token: string, provider = 'evil'): Promise<Response> =>
  fetch(`http://localhost:${vestibule.port}/external/${provider}/logout`, {
    method: 'POST',
    redirect: 'manual',
    body: new URLSearchParams({ logout_token: token }),
  });

/** Where the browser was sent to sign out at an upstream. */
export function askedOf(visitor: Visitor) {
  const { page } = visitor;
  // From a page of ours by a redirect, else from one that leads on by itself.
  const refresh = /^0;url=(.+)$/.exec(String(page.headers.refresh ?? ''))?.[1];
  const { origin, pathname, searchParams } = refresh === undefined ? visitor.left : new URL(refresh);
  const { id_token_hint = '', state = '', ...parameters } = Object.fromEntries(searchParams);
  return { address: `${origin}${pathname}`, hint: id_token_hint && decodeJwt(id_token_hint), state, parameters };
}

/** The upstream sends the browser back. */
export const comeBackSignedOut = (visitor: Visitor, state: string, provider = 'evil') =>
  visitor.visit(`/external/${provider}/logged-out?${new URLSearchParams({ state })}`, {
    headers: { 'sec-fetch-site': 'cross-site' },
  });
