/**
 * The proofs a person can give. `factor.ts` is the port, each folder below one factor,
 * `registry.ts` the list of them.
 */
export { type AddressLimit, createAddressLimit } from './address-limit.ts';
export type { ExternalFactor, KeptClaims, LinkedIdentity, Linking } from './external/index.ts';
export type { Factor, Trail } from './factor.ts';
export type { VerifyOutcome } from './outcome.ts';
export {
  CEREMONY_LIFETIME,
  NAME_MAX_LENGTH,
  type Owner,
  platformOf,
  type SignInOutcome,
  type Wanted,
} from './passkey/index.ts';
export { createPasswordFactor, createPasswordRules, type PasswordFactor, type RuleProblem } from './password/index.ts';
export { ENROLMENT_LIFETIME } from './pending.ts';
export { FEW_RECOVERY_CODES } from './recovery-codes/index.ts';
export { type Credentials, createCredentials } from './registry.ts';
export type { SecondOutcome } from './second-factor.ts';
