import type { ClientFileContents } from '../../support/config-folder.ts';
import { clientFile, Portal } from '../../support/portal.ts';
import type { Vestibule } from '../../support/vestibule.ts';
import { Visitor } from '../../support/visitor.ts';

export const alice = {
  username: 'alice',
  email: 'alice@example.org',
  emailVerified: true,
  password: 'alice-demo-password',
};
export const bruno = { username: 'bruno', email: 'bruno@example.org', password: 'bruno-demo-password' };

/** Refresh tokens with every code, bound to the session. */
const vestibule = { first_party: true, refresh_token_without_offline_access: true };

/** First party, with a home page that error pages can lead back to. */
export const mutuelle = clientFile('mutuelle', { client_uri: 'http://localhost:9/mutuelle', vestibule });
/** Another portal of the same operator. */
export const extranet = clientFile('extranet', { vestibule });
/** Third party: asks for consent. */
export const stranger = clientFile('stranger', { client_uri: 'http://localhost:9/stranger', vestibule: {} });
/** A single-page application: its refresh tokens rotate at each use. */
export const spa = clientFile('spa', { token_endpoint_auth_method: 'none', client_secret: undefined, vestibule });

export interface Person {
  readonly username: string;
  readonly password: string;
}

/** From the portal's request to the portal's callback. @returns the callback's address */
export async function signIn(
  visitor: Visitor,
  portal: Portal,
  person: Person,
  parameters: Readonly<Record<string, string>> = {},
): Promise<URL> {
  await visitor.visit(await portal.authorizationUrl(parameters));
  await visitor.submit({ username: person.username });
  await visitor.submit({ password: person.password });
  return visitor.left;
}

export interface SignedIn {
  readonly visitor: Visitor;
  readonly portal: Portal;
  readonly tokens: Awaited<ReturnType<Portal['exchange']>>;
}

/** Somebody signed in at a portal, with tokens. */
export async function tokensFor(
  vestibule: Vestibule,
  client: ClientFileContents,
  person: Person = alice,
  parameters: Readonly<Record<string, string>> = {},
): Promise<SignedIn> {
  const portal = await Portal.discover(vestibule, client);
  const visitor = new Visitor(vestibule);
  const tokens = await portal.exchange(await signIn(visitor, portal, person, parameters));
  return { visitor, portal, tokens };
}

/** The parameters that redeem the code of a callback. */
export function redemption(portal: Portal, callback: URL): Record<string, string> {
  const pending = portal.pending(callback);
  if (!pending) throw new Error(`not a callback of this portal: ${callback.href}`);
  return {
    grant_type: 'authorization_code',
    code: callback.searchParams.get('code') ?? '',
    redirect_uri: pending.redirectUri,
    code_verifier: pending.codeVerifier,
  };
}

/** Whether this browser is signed in, as a portal finds out without a page. */
export async function isSignedIn(visitor: Visitor, portal: Portal): Promise<boolean> {
  await visitor.visit(await portal.authorizationUrl({ prompt: 'none' }));
  return visitor.left.searchParams.has('code');
}
