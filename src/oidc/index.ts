/**
 * The OpenID provider: everything the protocol library is told, and the only place that
 * imports it. What people see is passed in (`pages.ts`), how they prove who they are is the
 * journey's.
 */

export { ACCOUNT_RETURN, accountArea, accountSignIn } from './account-area.ts';
export type { ClientRegistry } from './clients.ts';
export type { ProviderDependencies } from './dependencies.ts';
export type { ProtocolMeters } from './events.ts';
export type { Interactions, PendingInteraction } from './interactions.ts';
export { createSigningKeys, makeSigningKeys, type SigningKey } from './keys.ts';
export type { ProviderPages } from './pages.ts';
export { createProvider, type OidcProvider } from './provider.ts';
export { createReleases } from './releases.ts';
export type { SignedIn } from './sessions.ts';
export { createSignOut, type SignOutEverywhere } from './sign-out.ts';
