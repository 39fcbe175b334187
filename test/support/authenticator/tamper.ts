import type { AttestationAuthority } from './attestation-authority.ts';
import type { FlagName } from './authenticator-data.ts';
import type { StoredCredential } from './stored-credential.ts';

/**
 * What a response says instead of the truth. What isn't mentioned stays right, and all is signed
 * over as usual, so a server can refuse the response for nothing but the lie.
 */
export interface Tamper {
  /** Client data, §5.8.1. */
  readonly type?: string;
  readonly challenge?: string;
  readonly origin?: string;
  readonly crossOrigin?: boolean;
  readonly topOrigin?: string;

  /** Authenticator data, §6.1: of another relying party, with flags set or cleared, another counter. */
  readonly rpId?: string;
  readonly flags?: Readonly<Partial<Record<FlagName, boolean>>>;
  readonly counter?: number;

  /** The id that the response gives itself; what the authenticator signed does not change with it. */
  readonly id?: string;

  /**
   * Changes one bit or byte after signing, so that the signature no longer fits. The change is of
   * no other consequence: a reserved flag, a space in the JSON.
   */
  readonly altered?: 'signature' | 'authenticatorData' | 'clientData';

  /** How many bytes too many, and where. */
  readonly excess?: Excess;
}

interface Excess {
  /** In a member of the client data that nobody knows: allowed, §5.8.1.1. */
  readonly clientData?: number;
  /** After the authenticator data. */
  readonly authenticatorData?: number;
}

export interface CreationTamper extends Tamper {
  /** A key of this COSE algorithm, asked for or not. A number nobody knows labels a P-256 key. */
  readonly algorithm?: number;
  /** This credential id (base64url), which may be another's, or of any length, instead of a random one. */
  readonly credentialId?: string;
  /** The model it claims to be, a UUID. */
  readonly aaguid?: string;
  /** Sent whatever the server asked for; a browser would drop it, §5.1.3. */
  readonly attestation?: 'none' | 'self' | AttestationAuthority;
  readonly excess?: Excess & {
    /** In a member of the attestation statement that nobody knows. */
    readonly attestationStatement?: number;
    /** After the attestation object. */
    readonly attestationObject?: number;
  };
}

export interface AssertionTamper extends Tamper {
  /** Another user's handle (base64url); `null` leaves it out. */
  readonly userHandle?: string | null;
  /** Signs with this credential's key in place of the right one. */
  readonly signedBy?: StoredCredential;
}
