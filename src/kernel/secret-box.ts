import { createCipheriv, createDecipheriv, createHash, createHmac, hkdfSync, timingSafeEqual } from 'node:crypto';
import { OperatorError } from './errors.ts';
import { type Random, systemRandom } from './random.ts';

const FORMAT = 'v1';
const IV_BYTES = 12;
const TAG_BYTES = 16;

/**
 * Everything secret at rest passes through here: sealing with AES-256-GCM (NIST SP 800-38D)
 * under a key derived per purpose from the master key (HKDF-SHA-256, RFC 5869), so that what
 * was sealed for one purpose can't be opened as another.
 */
export class SecretBox {
  readonly #masterKeys: ReadonlyMap<string, Buffer>;
  readonly #currentKeyId: string;
  readonly #derived = new Map<string, Buffer>();
  readonly #random: Random;

  /**
   * @param masterKeys 32-byte keys, base64 or base64url; the first seals, all of them open
   * @throws OperatorError when a key is not 32 bytes
   */
  constructor(masterKeys: readonly string[], random: Random = systemRandom) {
    const keys = masterKeys.map((encoded) => {
      const key = Buffer.from(encoded.trim(), 'base64');
      if (key.length !== 32) {
        throw new OperatorError(
          `The master key must be 32 bytes in base64 (44 characters), not ${key.length} bytes. Make one with: npx vestibule init`,
        );
      }
      return [createHash('sha256').update('vestibule key id').update(key).digest('hex').slice(0, 8), key] as const;
    });
    const first = keys[0];
    if (!first) throw new OperatorError('There is no master key.');
    this.#masterKeys = new Map(keys);
    this.#currentKeyId = first[0];
    this.#random = random;
  }

  /** A 32-byte key for one purpose, derived from the current master key: stable across restarts. */
  deriveKey(purpose: string): Buffer {
    return this.#derive(this.#currentKeyId, purpose);
  }

  /** Keyed hash (HMAC-SHA-256), base64url: stable, one-way, useless without the master key. */
  keyedHash(purpose: string, value: string): string {
    return createHmac('sha256', this.deriveKey(purpose)).update(value).digest('base64url');
  }

  /** The same under every master key, the current one first: what was found under an old one is found for ever. */
  keyedHashes(purpose: string, value: string): string[] {
    return [...this.#masterKeys.keys()].map((keyId) => this.#mac(keyId, purpose, value));
  }

  /**
   * Keyed hash for storing: unlike `keyedHash` it is found to match after the master key was changed,
   * as long as the old one is still listed. @returns `v1.<key id>.<HMAC-SHA-256, base64url>`
   */
  hash(purpose: string, value: string): string {
    return `${FORMAT}.${this.#currentKeyId}.${this.#mac(this.#currentKeyId, purpose, value)}`;
  }

  /** Whether `stored` is what `hash` made of the value, compared in constant time. */
  matches(purpose: string, value: string, stored: string): boolean {
    const [format, keyId = '', mac = ''] = stored.split('.');
    if (format !== FORMAT || !this.#masterKeys.has(keyId)) return false;
    const given = Buffer.from(this.#mac(keyId, purpose, value));
    const kept = Buffer.from(mac);
    return given.length === kept.length && timingSafeEqual(given, kept);
  }

  #mac(keyId: string, purpose: string, value: string): string {
    return createHmac('sha256', this.#derive(keyId, purpose)).update(value).digest('base64url');
  }

  /** @returns `v1.<key id>.<iv + ciphertext + tag, base64url>` */
  seal(purpose: string, plaintext: string): string {
    const iv = this.#random.bytes(IV_BYTES);
    const cipher = createCipheriv('aes-256-gcm', this.deriveKey(purpose), iv);
    const sealed = Buffer.concat([iv, cipher.update(plaintext, 'utf8'), cipher.final(), cipher.getAuthTag()]);
    return `${FORMAT}.${this.#currentKeyId}.${sealed.toString('base64url')}`;
  }

  /** @throws Error when it was sealed for another purpose, under an unknown key, or was altered */
  open(purpose: string, sealed: string): string {
    const [format, keyId, body] = sealed.split('.');
    if (format !== FORMAT || !keyId || !body) throw new Error('not a sealed value');
    if (!this.#masterKeys.has(keyId)) throw new Error(`sealed under another master key (${keyId})`);
    const bytes = Buffer.from(body, 'base64url');
    const decipher = createDecipheriv('aes-256-gcm', this.#derive(keyId, purpose), bytes.subarray(0, IV_BYTES));
    decipher.setAuthTag(bytes.subarray(-TAG_BYTES));
    return Buffer.concat([decipher.update(bytes.subarray(IV_BYTES, -TAG_BYTES)), decipher.final()]).toString('utf8');
  }

  #derive(keyId: string, purpose: string): Buffer {
    const name = `${keyId} ${purpose}`;
    let key = this.#derived.get(name);
    if (!key) {
      const master = this.#masterKeys.get(keyId) as Buffer;
      key = Buffer.from(hkdfSync('sha256', master, Buffer.alloc(0), `vestibule ${purpose}`, 32));
      this.#derived.set(name, key);
    }
    return key;
  }
}
