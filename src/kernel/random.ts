import { randomBytes } from 'node:crypto';

/** Chance is passed in, so that tests can repeat it. */
export interface Random {
  /** @param size number of bytes */
  bytes(size: number): Buffer;
  /** An identifier nobody can guess: 160 random bits, base64url, 27 characters. */
  id(): string;
}

/** Bytes fetched from the system at once: every call to it costs as much as a few thousand bytes. */
const POOL_BYTES = 4096;
let pool = Buffer.alloc(0);

/** Each byte is handed out once. */
function bytes(size: number): Buffer {
  if (size > POOL_BYTES / 8) return randomBytes(size);
  if (pool.length < size) pool = randomBytes(POOL_BYTES);
  const taken = pool.subarray(0, size);
  pool = pool.subarray(size);
  return taken;
}

export const systemRandom: Random = { bytes, id: () => bytes(20).toString('base64url') };
