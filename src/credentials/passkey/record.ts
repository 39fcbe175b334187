import { z } from 'zod';
import type { Credential } from '../../storage/ports.ts';

/** The kind under which passkeys are stored: id and lookup are the credential id (base64url). */
export const KIND = 'passkey';

/**
 * What is kept of a passkey (WebAuthn Level 3 §4, "credential record"). A public key is no secret,
 * so it isn't sealed.
 */
const stored = z.object({
  /** Random bytes that stand for the account on authenticators (§5.4.3), base64url: neither username nor subject. */
  userHandle: z.string(),
  /** COSE key, base64url. */
  publicKey: z.string(),
  counter: z.number(),
  transports: z.array(z.string()),
  aaguid: z.string(),
  /** Backup eligible: may be synced to other devices. Fixed at creation (§6.1.3). */
  synced: z.boolean(),
  backedUp: z.boolean(),
  /** Has ever been used with fingerprint, face or PIN: only then it counts as two factors. */
  userVerified: z.boolean(),
  /** Its model was attested by a manufacturer that the operator trusts. */
  attested: z.boolean(),
  name: z.string(),
  /** Seconds since the epoch. */
  lastUsedAt: z.number().optional(),
});

export type PasskeyData = z.output<typeof stored>;

export interface Passkey extends PasskeyData {
  /** Credential id, base64url. */
  readonly id: string;
  readonly accountId: string;
  readonly createdAt: number;
}

export function passkeyOf({ id, accountId, createdAt, data }: Credential): Passkey {
  return { ...stored.parse(JSON.parse(data)), id, accountId, createdAt };
}

/** The record with other data; everything else of it stays. */
export const withData = (credential: Credential, data: PasskeyData, updatedAt: number): Credential => ({
  ...credential,
  data: JSON.stringify(stored.parse(data)),
  updatedAt,
});

/**
 * Authentication methods (RFC 8176) a use of it stands for. A key that never leaves its device is
 * `hwk`, one that may be copied to others `swk`; a verified user makes it two factors: something
 * one has, and the body or PIN that unlocked it.
 */
export const methodsOf = ({ synced }: Pick<PasskeyData, 'synced'>, userVerified: boolean): string[] => [
  synced ? 'swk' : 'hwk',
  'user',
  ...(userVerified ? ['mfa'] : []),
];
