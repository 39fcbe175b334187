import type { AccountClaims, FindAccount, KoaContextWithOIDC } from 'oidc-provider';
import { type Accounts, may, type Use } from '../accounts/index.ts';
import type { Account } from '../storage/ports.ts';
import type { ClientRegistry } from './clients.ts';

/** OpenID Connect Core §5.4: which claims a scope stands for. `acr`, `amr` and `auth_time` come
 *  with every ID token, so that a portal always sees what was really proven. */
export const CLAIMS_BY_SCOPE = {
  openid: ['sub', 'acr', 'amr', 'auth_time'],
  profile: [
    'name',
    'given_name',
    'family_name',
    'middle_name',
    'nickname',
    'preferred_username',
    'profile',
    'picture',
    'website',
    'gender',
    'birthdate',
    'zoneinfo',
    'locale',
    'updated_at',
  ],
  email: ['email', 'email_verified'],
  address: ['address'],
  phone: ['phone_number', 'phone_number_verified'],
};

/** Every scope of OpenID Connect that is offered. */
export const SCOPES: readonly string[] = ['offline_access', ...Object.keys(CLAIMS_BY_SCOPE)];

const MINIMUM = Symbol('minimum level of assurance');

/** What the operator demands of this account's sign-ins, as `findAccount` read it. */
export const minimumOf = (account: object): string | undefined =>
  (account as { readonly [MINIMUM]?: string | undefined })[MINIMUM];

/**
 * Looks a subject up at every request that concerns one: suspension and deletion count from the
 * next request on. `undefined` ends sessions, refreshes and userinfo of that subject.
 */
export function findAccount(accounts: Accounts, clients: ClientRegistry): FindAccount {
  return async (ctx, id, token) => {
    const account = await accounts.find(id);
    if (!account || !may(account, useOf(token))) return undefined;
    return {
      accountId: account.id,
      [MINIMUM]: account.minimumAcr,
      // The profile can't replace what the protocol says of the sign-in: `sub`, `acr`, `amr` and
      // the like are not among the claims of an account, and `sub` is set last.
      claims: async (use: string, _scope: string, requested: Record<string, unknown>): Promise<AccountClaims> => {
        const claims = claimsOf(account);
        return {
          ...(use === 'id_token' && inUserinfoOnly(ctx, clients) ? pick(claims, requested) : claims),
          sub: account.id,
        };
      },
    };
  };
}

/** What an account is looked up for; a session, and a code that comes of one, unless it is a token's. */
const USES: Readonly<Partial<Record<string, Use>>> = { RefreshToken: 'refresh', AccessToken: 'userinfo' };
const useOf = (token: { readonly kind?: string } | undefined): Use => USES[token?.kind ?? ''] ?? 'session';

/** What a profile may say, whatever it holds: neither `acr` nor `_claim_names` nor an unverified `email`. */
const OF_A_PROFILE: ReadonlySet<string> = new Set([
  ...CLAIMS_BY_SCOPE.profile,
  ...CLAIMS_BY_SCOPE.address,
  ...CLAIMS_BY_SCOPE.phone,
]);

export function claimsOf(account: Account): Record<string, unknown> {
  return {
    ...Object.fromEntries(Object.entries(account.profile).filter(([name]) => OF_A_PROFILE.has(name))),
    preferred_username: account.username,
    updated_at: account.updatedAt,
    ...(account.email === undefined ? {} : { email: account.email, email_verified: account.emailVerified }),
  };
}

/**
 * OpenID Connect Core §5.4: claims of the scopes come from userinfo whenever an access token is
 * issued that opens it; one for an API (RFC 8707) does not. Portals that read the ID token alone
 * say so in their file (`profile_in_id_token`).
 */
function inUserinfoOnly({ oidc }: KoaContextWithOIDC, clients: ClientRegistry): boolean {
  const { client, params, entities } = oidc;
  const opensUserinfo = params?.response_type !== 'id_token' && !params?.resource && !entities.AccessToken?.aud;
  return opensUserinfo && !clients.settings(client?.clientId ?? '').profile_in_id_token;
}

const pick = (claims: Record<string, unknown>, requested: Record<string, unknown>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(claims).filter(([name]) => Object.hasOwn(requested ?? {}, name)));
