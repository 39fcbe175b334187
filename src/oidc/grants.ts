import type { Grant, KoaContextWithOIDC, Provider } from 'oidc-provider';
import { type Clock, epochSeconds } from '../kernel/clock.ts';
import type { Consent, ConsentStore } from '../storage/ports.ts';
import { OF_EVERYBODY } from './claims.ts';
import type { ClientRegistry } from './clients.ts';
import { EID_SCOPE, type Releases } from './releases.ts';

/** What the portal asks for in this request. */
export interface Asked {
  readonly scopes: readonly string[];
  readonly claims: readonly string[];
  readonly resources: Readonly<Record<string, readonly string[]>>;
}

/**
 * The grant a request is answered under: the one just consented to, else the session's, else one
 * made from a consent remembered from an earlier session. A first-party client is granted what it
 * asks for, without a page.
 */
export function loadExistingGrant(clients: ClientRegistry, consents: ConsentStore, releases: Releases) {
  return async (ctx: KoaContextWithOIDC): Promise<Grant | undefined> => {
    const { client, session, account, provider, result } = ctx.oidc;
    if (!client || !session || !account) return undefined;
    const grantId = result?.consent?.grantId ?? session.grantIdFor(client.clientId);
    const existing = grantId ? await provider.Grant.find(grantId) : undefined;
    const grant =
      existing?.accountId === account.accountId && existing.clientId === client.clientId ? existing : undefined;

    if (clients.settings(client.clientId).first_party) {
      const extended = grant ?? new provider.Grant({ clientId: client.clientId, accountId: account.accountId });
      if (addTo(extended, askedIn(ctx, releases)) || !grant) await extended.save();
      return extended;
    }
    if (grant) return grant;
    const remembered = await consents.find(account.accountId, client.clientId);
    if (!remembered) return undefined;
    const renewed = new provider.Grant({ clientId: client.clientId, accountId: account.accountId });
    addTo(renewed, remembered);
    await renewed.save();
    return renewed;
  };
}

/** What a person allowed: written to the grant of this session and remembered for the next one. */
export async function grantConsent(
  deps: { provider: Provider; consents: ConsentStore; clock: Clock },
  who: { accountId: string; clientId: string; grantId?: string },
  asked: Asked,
): Promise<string> {
  const { provider, consents, clock } = deps;
  const { accountId, clientId } = who;
  const existing = who.grantId ? await provider.Grant.find(who.grantId) : undefined;
  const grant =
    existing?.accountId === accountId && existing.clientId === clientId
      ? existing
      : new provider.Grant({ accountId, clientId });
  addTo(grant, asked);
  const earlier = await consents.find(accountId, clientId);
  const [grantId] = await Promise.all([
    grant.save(),
    consents.save({ accountId, clientId, updatedAt: epochSeconds(clock), ...merged(earlier, asked) }),
  ]);
  return grantId;
}

/**
 * Everything this request asks for, granted already or not. What an external provider says is no client's to ask for
 * unless it is released to it, and stands there claim by claim: whoever allowed some of it did not allow what the operator
 * releases later.
 */
export function askedIn({ oidc }: KoaContextWithOIDC, releases: Releases): Asked {
  const wanted = [...oidc.requestParamScopes];
  const released = releases.of(oidc.client?.clientId ?? '');
  const scopes = [...oidc.requestParamOIDCScopes].filter((scope) => scope !== EID_SCOPE || released.length > 0);
  const byName = [...oidc.requestParamClaims].filter((claim) => OF_EVERYBODY.has(claim) || released.includes(claim));
  return {
    scopes,
    claims: union(byName, scopes.includes(EID_SCOPE) ? released : []),
    resources: Object.fromEntries(
      Object.entries(oidc.resourceServers ?? {}).map(([indicator, server]) => [
        indicator,
        wanted.filter((scope) => server.scopes.has(scope)),
      ]),
    ),
  };
}

/** @returns whether anything was missing */
function addTo(grant: Grant, { scopes, claims, resources }: Asked): boolean {
  let added = false;
  const missingScopes = missing(scopes, grant.getOIDCScopeEncountered().split(' '));
  const missingClaims = missing(claims, grant.getOIDCClaimsEncountered());
  if (missingScopes.length > 0) {
    grant.addOIDCScope(missingScopes);
    added = true;
  }
  if (missingClaims.length > 0) {
    grant.addOIDCClaims(missingClaims);
    added = true;
  }
  for (const [indicator, wanted] of Object.entries(resources)) {
    const missingHere = missing(wanted, grant.getResourceScopeEncountered(indicator).split(' '));
    if (missingHere.length === 0) continue;
    grant.addResourceScope(indicator, missingHere);
    added = true;
  }
  return added;
}

const missing = (wanted: readonly string[], had: readonly string[]): string[] => {
  const known = new Set(had);
  return wanted.filter((name) => !known.has(name));
};

const union = (...lists: (readonly string[] | undefined)[]): string[] => [
  ...new Set(lists.flatMap((list) => list ?? [])),
];

function merged(earlier: Consent | undefined, asked: Asked): Asked {
  const indicators = union(Object.keys(earlier?.resources ?? {}), Object.keys(asked.resources));
  return {
    scopes: union(earlier?.scopes, asked.scopes),
    claims: union(earlier?.claims, asked.claims),
    resources: Object.fromEntries(
      indicators.map((name) => [name, union(earlier?.resources[name], asked.resources[name])]),
    ),
  };
}
