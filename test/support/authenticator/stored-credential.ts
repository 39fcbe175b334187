import type { KeyObject } from 'node:crypto';

/** A public key credential source (§4), as the authenticator remembers it. */
export interface StoredCredential {
  /** base64url */
  readonly id: string;
  readonly rpId: string;
  /** The `user.id` it was created with, base64url. */
  readonly userHandle: string;
  readonly userName: string;
  /** COSE identifier. */
  readonly algorithm: number;
  readonly privateKey: KeyObject;
  /** Signature counter (§6.1.1): that of the last assertion; stays 0 where it isn't counted. */
  readonly counter: number;
}
