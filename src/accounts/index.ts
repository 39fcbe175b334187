/**
 * People: who they are and under which names they sign in. Nothing here knows how somebody
 * proves who they are (`credentials/`) or how a portal asks for it (`oidc/`).
 */
export { type Accounts, createAccounts, type NewPerson } from './accounts.ts';
export { IDENTIFIER_MAX_LENGTH, type IdentifierProblem, readIdentifier } from './identifier.ts';
export { may, type Use } from './standing.ts';
