import type { AccountClaims, FindAccount, KoaContextWithOIDC } from 'oidc-provider';
import { type Accounts, may, type Use } from '../accounts/index.ts';
import type { Account } from '../storage/ports.ts';
import type { ClientRegistry } from './clients.ts';
import { beside, EID_SCOPE, type Releases } from './releases.ts';

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

/** Claims that any client may ask for. */
export const OF_EVERYBODY: ReadonlySet<string> = new Set(Object.values(CLAIMS_BY_SCOPE).flat());

/** The same with what external providers say, where a client is released anything of it. */
export const claimsByScope = ({ names }: Releases): Readonly<Record<string, readonly string[]>> =>
  names.length > 0 ? { ...CLAIMS_BY_SCOPE, [EID_SCOPE]: names } : CLAIMS_BY_SCOPE;

/** Every scope of OpenID Connect that is offered. */
export const scopesOf = (releases: Releases): readonly string[] => [
  'offline_access',
  ...Object.keys(claimsByScope(releases)),
];

const MINIMUM = Symbol('minimum level of assurance');

/** What the operator demands of this account's sign-ins, as `findAccount` read it. */
export const minimumOf = (account: object): string | undefined =>
  (account as { readonly [MINIMUM]?: string | undefined })[MINIMUM];

/**
 * Looks a subject up at every request that concerns one: suspension and deletion count from the
 * next request on. `undefined` ends sessions, refreshes and userinfo of that subject.
 */
export function findAccount(accounts: Accounts, clients: ClientRegistry, releases: Releases): FindAccount {
  /** What the person allowed the client, or the operator did, and no more than is released to it today. */
  const toldOf = async (
    { oidc }: KoaContextWithOIDC,
    accountId: string,
    scopes: readonly string[],
    byName: readonly string[],
  ): Promise<Record<string, unknown>> => {
    const clientId = oidc.client?.clientId ?? '';
    const wanted = new Set([...byName, ...(scopes.includes(EID_SCOPE) ? releases.of(clientId) : [])]);
    return releases.told(clientId, accountId, oidc.entities.Grant?.getOIDCClaimsFiltered(wanted) ?? []);
  };

  return async (ctx, id, token) => {
    const account = await accounts.find(id);
    if (!account || !may(account, useOf(token))) return undefined;
    return {
      accountId: account.id,
      [MINIMUM]: account.minimumAcr,
      // The profile can't replace what the protocol says of the sign-in: `sub`, `acr`, `amr` and
      // the like are not among the claims of an account, and `sub` is set last.
      claims: async (use: string, scope: string, requested: Record<string, unknown> = {}): Promise<AccountClaims> => {
        const granted = grantedScopes(ctx, scope);
        const scopes = use === 'id_token' && inUserinfoOnly(ctx, clients) ? [] : granted;
        const byName = Object.keys(requested);
        // The library lets through whatever some client's scope `eid` stands for. A portal that asks with it reads the
        // profile's own claims of those names only where it asks for those, too, by their scope.
        const confirmed = granted.includes(EID_SCOPE) ? releases.of(ctx.oidc.client?.clientId ?? '') : [];
        const freely = byName.filter((name) => !confirmed.includes(name));
        const ofProfile = pick(claimsOf(account), [...scopes.flatMap(claimsOfScope), ...freely]);
        // Who asks for `profile` wants to know what the person is called here, and no more: that changes with no provider.
        // Who asks for the scope `eid`, or for the very claim, is told the better attested of two.
        const told = await toldOf(ctx, account.id, scopes, byName);
        return { ...beside(told, ofProfile), ...told, sub: account.id };
      },
    };
  };
}

const claimsOfScope = (scope: string): readonly string[] =>
  (CLAIMS_BY_SCOPE as Readonly<Record<string, readonly string[]>>)[scope] ?? [];

const grantedScopes = ({ oidc }: KoaContextWithOIDC, scope: string): readonly string[] =>
  (oidc.entities.Grant?.getOIDCScopeFiltered(new Set(scope.split(' '))) ?? '').split(' ').filter(Boolean);

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

const pick = (claims: Record<string, unknown>, names: readonly string[]): Record<string, unknown> =>
  Object.fromEntries(Object.entries(claims).filter(([name]) => names.includes(name)));
