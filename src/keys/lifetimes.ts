import type { Config } from '../config/config.ts';

/** Seconds until every node has changed over, its clock and those of portals differing as clocks do. */
const CHANGEOVER = 300;

/**
 * Seconds that something signed by us may be presented: to a portal or an API until it expires, or to us, as the hint
 * of which session to end (OpenID Connect RP-Initiated Logout 1.0 §2), as long as there can be that session.
 */
export function signingRetention({
  lifetimes,
  resource_servers,
}: Pick<Config, 'lifetimes' | 'resource_servers'>): number {
  const { session, id_token, access_token, client_credentials } = lifetimes;
  const ofApis = Object.values(resource_servers).map(({ access_token_lifetime }) => access_token_lifetime ?? 0);
  return Math.max(session, id_token, access_token, client_credentials, ...ofApis) + CHANGEOVER;
}

/** Seconds. Providers keep our key set for up to a day, and encrypt to what stands there. */
export const UPSTREAM_RETENTION = 86_400 + CHANGEOVER;
