import type { EvilUpstream, TokenScript } from './evil-upstream.ts';
import type { Page } from './page.ts';
import type { Portal } from './portal.ts';
import type { Person } from './seed.ts';
import { Visitor, type VisitorOptions } from './visitor.ts';

/** Levels of Regulation (EU) 910/2014, by the public names that providers and portals use. */
export const LOW = 'http://eidas.europa.eu/LoA/low';
export const SUBSTANTIAL = 'http://eidas.europa.eu/LoA/substantial';
export const HIGH = 'http://eidas.europa.eu/LoA/high';

/** This server's name at the scripted upstreams. */
export const CLIENT_ID = 'vestibule';

/** `providers/<id>.yaml` for a scripted upstream: sees somebody's level, asks userinfo, shares a secret. */
export const providerFile = (
  { issuer }: Pick<EvilUpstream, 'issuer'>,
  over: Readonly<Record<string, unknown>> = {},
): Readonly<Record<string, unknown>> => ({
  preset: 'generic',
  name: 'Evil eID',
  issuer,
  client_id: CLIENT_ID,
  client_secret: 'a-secret-that-is-longer-than-thirty-two-octets',
  token_endpoint_auth_method: 'client_secret_post',
  scope: 'openid profile email',
  reauthenticates: true,
  asks_level_by: { by: 'acr_values' },
  levels: [
    { upstream: 'low', acr: LOW },
    { upstream: 'substantial', acr: SUBSTANTIAL },
    { upstream: 'high', acr: HIGH },
  ],
  ...over,
});

/** Somebody who signs in there. */
export interface Citizen {
  readonly sub: string;
  /** `low`, `substantial`, `high`; null: nothing is said of it */
  readonly acr?: string | null;
  /** Further claims of userinfo. */
  readonly claims?: Readonly<Record<string, unknown>>;
}

/** From now on, whoever comes to the upstream is that citizen. @param idToken laid over what is right of the token */
export function appoint(evil: EvilUpstream, { sub, acr, claims }: Citizen, idToken: TokenScript = {}): void {
  const level = acr === undefined ? {} : { acr: acr ?? undefined };
  evil.script = {
    ...evil.script,
    idToken: { ...idToken, claims: { sub, ...level, ...idToken.claims } },
    userinfo: { ...evil.script.userinfo, claims: { sub, given_name: 'Ada', ...claims } },
  };
}

/** Presses a provider's button on the page that is shown. @returns where the person is sent */
export async function leaveFor(visitor: Visitor, provider = 'evil'): Promise<URL> {
  await visitor.choose(`external:${provider}`);
  return visitor.left;
}

export interface Return {
  readonly provider?: string;
  /** What becomes of the answer on its way through the browser. */
  readonly change?: (answer: URLSearchParams) => void;
  /** By a page that sends itself (`response_mode=form_post`). */
  readonly byForm?: boolean;
}

/** The upstream says yes at once, and the browser brings its answer. */
export function comeBack(visitor: Visitor, evil: EvilUpstream, options: Return = {}): Promise<Page> {
  const answer = evil.approve(visitor.left.href);
  options.change?.(answer);
  return bring(visitor, evil, answer, options);
}

/** The browser brings an answer to the callback. */
export function bring(
  visitor: Visitor,
  evil: Pick<EvilUpstream, 'issuer'>,
  answer: URLSearchParams,
  { provider = 'evil', byForm = false }: Return = {},
): Promise<Page> {
  const headers = { 'sec-fetch-site': 'cross-site', referer: `${evil.issuer}/` };
  const callback = `/external/${provider}/callback`;
  if (!byForm) return visitor.visit(`${callback}?${answer}`, { headers });
  return visitor.post(callback, answer, { ...headers, origin: evil.issuer });
}

/** There and back. */
export async function passBy(visitor: Visitor, evil: EvilUpstream, options: Return = {}): Promise<Page> {
  await leaveFor(visitor, options.provider);
  return comeBack(visitor, evil, options);
}

/** What a test needs to let somebody sign in. */
export interface Place {
  readonly vestibule: VisitorOptions;
  readonly portal: Portal;
  readonly evil: EvilUpstream;
}

/** A browser at the first page of a sign-in. */
export async function arrive(
  { vestibule, portal }: Place,
  parameters: Readonly<Record<string, string>> = {},
  visitor = new Visitor(vestibule),
): Promise<Visitor> {
  await visitor.visit(await portal.authorizationUrl(parameters));
  return visitor;
}

/** Somebody nobody knows yet comes back and says that they have an account. @returns at the page that asks for its name */
export async function wantLink(place: Place, citizen: Citizen, parameters: Readonly<Record<string, string>> = {}) {
  const visitor = await arrive(place, parameters);
  appoint(place.evil, citizen);
  await passBy(visitor, place.evil);
  await visitor.submit();
  return visitor;
}

/** Links a citizen to somebody who has nothing but a password. @returns at the portal */
export async function link(place: Place, citizen: Citizen, person: Person): Promise<Visitor> {
  const visitor = await wantLink(place, citizen);
  await visitor.submit({ username: person.username });
  await visitor.submit({ password: person.password });
  return visitor;
}

/** Signs in as a citizen who is linked. */
export async function signInAs(
  place: Place,
  citizen: Citizen,
  parameters: Readonly<Record<string, string>> = {},
  at?: Visitor,
): Promise<Visitor> {
  const visitor = await arrive(place, parameters, at);
  appoint(place.evil, citizen);
  await passBy(visitor, place.evil);
  return visitor;
}

/** What the portal is told of whoever has just come back to it. */
export const claimsAt = async ({ portal }: Place, visitor: Visitor) => (await portal.exchange(visitor.left)).claims();
