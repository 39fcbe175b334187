/**
 * Identities at external providers that sign an account in. What an upstream says is checked in `federation/`; here it is
 * kept whose it is.
 */
export {
  createExternalFactor,
  type ExternalFactor,
  type KeptClaims,
  type LinkedIdentity,
  type Linking,
} from './factor.ts';
