import { argon2, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';
import type { Config } from '../../config/config.ts';
import type { Random } from '../../kernel/random.ts';
import { BCRYPT_MAX_BYTES, type Bcrypt } from './bcrypt.ts';

const derive = promisify(argon2);

const SALT_BYTES = 16;
const TAG_BYTES = 32;
/** An imported hash may ask for more than our own setting, but not for all of the machine. */
const MAX_MEMORY_KIB = 1_048_576;
const MAX_ITERATIONS = 16;
const MAX_PARALLELISM = 8;

interface Argon2Parameters {
  readonly memory: number;
  readonly passes: number;
  readonly parallelism: number;
}

type Settings = Pick<Config['passwords'], 'hash' | 'argon2id' | 'bcrypt'>;

/**
 * Makes and checks password hashes, in the formats they travel in: PHC strings for Argon2id
 * (RFC 9106, `$argon2id$v=19$m=…,t=…,p=…$salt$tag`) and `$2a$`/`$2b$`/`$2y$` for bcrypt.
 */
export class PasswordHashes {
  readonly #settings: Settings;
  readonly #random: Random;
  readonly #bcrypt: Bcrypt;
  /** Nobody's hash, with today's parameters: checking against it costs an unknown username the same time. */
  readonly #nobodys: string;

  constructor(settings: Settings, random: Random, bcrypt: Bcrypt) {
    this.#settings = settings;
    this.#random = random;
    this.#bcrypt = bcrypt;
    this.#nobodys =
      settings.hash === 'bcrypt'
        ? `$2b$${String(settings.bcrypt.cost).padStart(2, '0')}$${bcryptAlphabet(random.bytes(53))}`
        : encode(parametersOf(settings), random.bytes(SALT_BYTES), random.bytes(TAG_BYTES));
  }

  /** @throws RangeError when bcrypt is configured and the password exceeds its 72 bytes */
  async hash(password: string): Promise<string> {
    if (this.#settings.hash === 'bcrypt') {
      if (Buffer.byteLength(password) > BCRYPT_MAX_BYTES)
        throw new RangeError('password exceeds the 72 bytes of bcrypt');
      return this.#bcrypt.hash(password, this.#settings.bcrypt.cost);
    }
    const parameters = parametersOf(this.#settings);
    const salt = this.#random.bytes(SALT_BYTES);
    return encode(parameters, salt, await argon2id(password, salt, parameters, TAG_BYTES));
  }

  /**
   * @param hash `undefined` when there is no such account or it has no password
   * @throws Error when the stored hash is of no known format
   */
  async verify(password: string, hash: string | undefined): Promise<boolean> {
    const matches = await this.#matches(password, hash ?? this.#nobodys);
    return matches && hash !== undefined;
  }

  /** Whether the hash is weaker than, or of another kind than, what a new password would get. */
  isOutdated(hash: string): boolean {
    if (this.#settings.hash === 'bcrypt') {
      const cost = /^\$2[aby]\$(\d\d)\$/.exec(hash)?.[1];
      return cost === undefined || Number(cost) < this.#settings.bcrypt.cost;
    }
    const stored = decode(hash);
    if (!stored) return true;
    const wanted = parametersOf(this.#settings);
    return stored.memory < wanted.memory || stored.passes < wanted.passes || stored.parallelism !== wanted.parallelism;
  }

  async #matches(password: string, hash: string): Promise<boolean> {
    if (/^\$2[aby]\$/.test(hash)) return this.#bcrypt.compare(password, hash);
    const stored = decode(hash);
    if (!stored) throw new Error('stored password hash is of no known format');
    return timingSafeEqual(await argon2id(password, stored.salt, stored, stored.tag.length), stored.tag);
  }
}

const parametersOf = ({ argon2id: { memory_kib, iterations, parallelism } }: Settings): Argon2Parameters => ({
  memory: memory_kib,
  passes: iterations,
  parallelism,
});

const argon2id = (password: string, nonce: Buffer, parameters: Argon2Parameters, tagLength: number): Promise<Buffer> =>
  derive('argon2id', { message: password, nonce, tagLength, ...parameters });

const unpadded = (bytes: Buffer): string => bytes.toString('base64').replace(/=+$/, '');

const encode = ({ memory, passes, parallelism }: Argon2Parameters, salt: Buffer, tag: Buffer): string =>
  `$argon2id$v=19$m=${memory},t=${passes},p=${parallelism}$${unpadded(salt)}$${unpadded(tag)}`;

function decode(hash: string): (Argon2Parameters & { salt: Buffer; tag: Buffer }) | undefined {
  const match =
    /^\$argon2id\$v=19\$m=(\d{1,9}),t=(\d{1,3}),p=(\d{1,3})\$([A-Za-z0-9+/]{11,86})\$([A-Za-z0-9+/]{16,171})$/.exec(
      hash,
    );
  if (!match) return undefined;
  const [memory, passes, parallelism] = match.slice(1, 4).map(Number) as [number, number, number];
  if (memory > MAX_MEMORY_KIB || passes > MAX_ITERATIONS || parallelism > MAX_PARALLELISM) return undefined;
  return {
    memory,
    passes,
    parallelism,
    salt: Buffer.from(match[4] ?? '', 'base64'),
    tag: Buffer.from(match[5] ?? '', 'base64'),
  };
}

const BCRYPT_ALPHABET = './ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
const bcryptAlphabet = (bytes: Buffer): string => [...bytes].map((byte) => BCRYPT_ALPHABET[byte % 64]).join('');
