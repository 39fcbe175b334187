/**
 * The OpenID provider: everything the protocol library is told, and the only place that
 * imports it. What people see is passed in (`pages.ts`), how they prove who they are is the
 * journey's.
 */
export { createProvider, type OidcProvider, type ProviderDependencies } from './provider.ts';
export { type Interactions, type PendingInteraction } from './interactions.ts';
export type { ProviderPages } from './pages.ts';
export { loadSigningKeys, type SigningKey } from './keys.ts';
export type { ClientRegistry } from './clients.ts';
export type { ProtocolMeters } from './events.ts';
