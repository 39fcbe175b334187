import { createHash } from 'node:crypto';

/** §6.1; the names of the spec. `rfu` are reserved: a server has to ignore them. */
const FLAGS = {
  /** A user was present. */
  up: 0x01,
  rfu1: 0x02,
  /** The user was verified. */
  uv: 0x04,
  /** The credential may be backed up: it is synced, or could be. */
  be: 0x08,
  /** It is backed up at present. Without `be` a contradiction. */
  bs: 0x10,
  rfu2: 0x20,
  /** Attested credential data follows. */
  at: 0x40,
  /** Extension data follows. */
  ed: 0x80,
};

export type FlagName = keyof typeof FLAGS;

/** Where the byte of flags stands: after the hash of the RP ID. */
const FLAGS_AT = 32;

export interface AuthenticatorData {
  readonly rpId: string;
  readonly flags: Readonly<Partial<Record<FlagName, boolean>>>;
  readonly counter: number;
  /** In registrations only. */
  readonly attested?: AttestedCredential;
}

export interface AttestedCredential {
  readonly aaguid: string;
  readonly id: Buffer;
  /** A COSE_Key, encoded. */
  readonly publicKey: Uint8Array;
}

/** §6.1: RP ID hash (32), flags (1), signature counter (4, big-endian), attested credential data. */
export function encodeAuthenticatorData({ rpId, flags, counter, attested }: AuthenticatorData): Buffer<ArrayBuffer> {
  const fixed = Buffer.alloc(5);
  for (const name of Object.keys(FLAGS) as FlagName[]) if (flags[name]) fixed[0] = (fixed[0] ?? 0) | FLAGS[name];
  fixed.writeUInt32BE(counter, 1);
  const hash = createHash('sha256').update(rpId).digest();
  return Buffer.concat([hash, fixed, ...(attested ? [encodeAttested(attested)] : [])]);
}

/** §6.5.1: AAGUID (16), length of the credential id (2, big-endian), the id, the public key. */
function encodeAttested({ aaguid, id, publicKey }: AttestedCredential): Buffer {
  const length = Buffer.alloc(2);
  length.writeUInt16BE(id.length);
  return Buffer.concat([aaguidBytes(aaguid), length, id, publicKey]);
}

export const aaguidBytes = (aaguid: string): Buffer => Buffer.from(aaguid.replaceAll('-', ''), 'hex');

/** Flips a reserved flag: no rule of a server looks at it, only the signature covers it. */
export function flipReservedFlag(data: Buffer<ArrayBuffer>): Buffer<ArrayBuffer> {
  const copy = Buffer.from(data);
  copy[FLAGS_AT] = (copy[FLAGS_AT] ?? 0) ^ FLAGS.rfu1;
  return copy;
}
