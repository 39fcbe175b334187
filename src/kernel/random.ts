import { randomBytes } from 'node:crypto';

/** Chance is passed in, so that tests can repeat it. */
export interface Random {
  /** @param size number of bytes */
  bytes(size: number): Buffer;
  /** An identifier nobody can guess: 160 random bits, base64url, 27 characters. */
  id(): string;
}

export const systemRandom: Random = {
  bytes: (size) => randomBytes(size),
  id: () => randomBytes(20).toString('base64url'),
};
