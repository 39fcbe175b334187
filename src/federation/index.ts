/**
 * External providers, of which this server is a relying party: itsme, FranceConnect, any OpenID provider. `upstream.ts` is
 * what one consists of, `presets/` what is known of each, `relying-party.ts` what is done with one, from the address a
 * person is sent to until it is known who came back; `transactions.ts` keeps the way between. `sessions.ts` knows which
 * sessions here rest on a sign-in there, `end-session.ts` the way out of both. Nothing here knows of HTTP towards browsers,
 * of journeys or of accounts: who an identity belongs to is decided by others.
 */
export type { Wanted } from './authorization-request.ts';
export { type Discovered, discover } from './discovery.ts';
export { createUpstreamSignOuts, type UpstreamSignOuts } from './end-session.ts';
export { refusal, UpstreamError, type UpstreamReason } from './errors.ts';
export { createFederation, type Federation, type Offered, type Release } from './federation.ts';
export { createGuardedFetch, type UpstreamFetch } from './guarded-fetch.ts';
export type { Identity } from './identity.ts';
export { createUpstreamKeys, makeUpstreamKeys, type PublicJwk, type UpstreamKeys } from './keys.ts';
export type { UpstreamLogout } from './logout-token.ts';
export { checkOnline, checkProvider, isEmailAuthoritative, resolveUpstream, vouchedFor } from './presets/index.ts';
export type { RelyingParty, RequestSecrets } from './relying-party.ts';
export {
  createUpstreamSessions,
  type EndedUpstream,
  UPSTREAM_SESSION,
  type UpstreamSessions,
} from './sessions.ts';
export {
  createTransactions,
  type RedeemedTransaction,
  TRANSACTION_LIFETIME,
  type Transaction,
  type Transactions,
} from './transactions.ts';
export type { Upstream } from './upstream.ts';
