import type { Context } from 'koa';
import type { Provider } from 'oidc-provider';

/** Who is signed in in this browser, as the single sign-on session says. */
export interface SignedIn {
  /** Stable while the session lives, and known to nobody but the server. */
  readonly sessionId: string;
  readonly accountId: string;
  readonly acr: string | undefined;
  /** When the person last proved who they are; seconds since the epoch. */
  readonly authTime: number;
}

/** @returns undefined when nobody is */
export async function signedIn(provider: Provider, ctx: Context): Promise<SignedIn | undefined> {
  const { accountId, uid, acr, loginTs } = await provider.Session.get(ctx);
  return accountId === undefined || loginTs === undefined
    ? undefined
    : { sessionId: uid, accountId, acr, authTime: loginTs };
}
