import type { Middleware } from 'koa';
import type { KoaContextWithOIDC } from 'oidc-provider';
import type { Accounts } from '../accounts/index.ts';
import { VestibuleError } from '../kernel/errors.ts';
import { type AdapterDependencies, endAllOf } from './adapter.ts';

/** Where a sign-in's result says under which generation of the account it was proven. */
export const GENERATION = 'vestibule_generation';

/**
 * Signs an account out everywhere: sessions, grants with all their tokens, and sign-ins under way, so that
 * whoever came in before has nothing left (security-catalogue: incomplete revocation).
 * @param exceptSession the session of whoever asks for it, if it is to stay
 */
export type SignOutEverywhere = (accountId: string, exceptSession?: string) => Promise<void>;

export const createSignOut =
  (deps: { accounts: Accounts } & Pick<AdapterDependencies, 'durable' | 'ephemeral' | 'clock'>): SignOutEverywhere =>
  async (accountId, exceptSession) => {
    // First of all: from here on, a sign-in that was begun before comes to nothing.
    await deps.accounts.voidProofs(accountId);
    await endAllOf(accountId, deps, exceptSession);
  };

/**
 * A sign-in that was on its way back to the portal while the account was signed out everywhere: looked for once its
 * session is saved, so that whichever of the two came first, one of them finds the other.
 */
export function endVoidSignIns(accounts: Accounts): Middleware {
  return async (ctx, next) => {
    await next();
    const { oidc } = ctx as unknown as KoaContextWithOIDC;
    const login = oidc?.result?.login;
    if (!login || !oidc.session) return;
    const account = await accounts.find(login.accountId);
    if (account?.generation === oidc.result?.[GENERATION]) return;
    const grantId = oidc.session.grantIdFor(oidc.client?.clientId ?? '');
    const grant = grantId === undefined ? undefined : await oidc.provider.Grant.find(grantId);
    await Promise.all([oidc.session.destroy(), grant?.destroy()]);
    throw new VestibuleError('session_expired', 400);
  };
}
