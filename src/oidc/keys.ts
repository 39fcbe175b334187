import { createHash, generateKeyPair, type JsonWebKey } from 'node:crypto';
import { promisify } from 'node:util';
import { type Clock, epochSeconds } from '../kernel/clock.ts';
import { OperatorError } from '../kernel/errors.ts';
import type { Logger } from '../kernel/logger.ts';
import type { SecretBox } from '../kernel/secret-box.ts';
import { forgetEnded, inUse, signingRetention } from '../keys/index.ts';
import type { KeyStore, StoredKey } from '../storage/ports.ts';

const generate = promisify(generateKeyPair);
const PURPOSE = 'signing keys';

/** A private signing key as a JWK (RFC 7517). */
export type SigningKey = JsonWebKey & { kid: string; alg: string; use: 'sig' };

/** RS256 is what every client library understands; the other two are a choice per client. */
const ALGORITHMS: Readonly<Record<string, () => Promise<JsonWebKey>>> = {
  RS256: async () => (await generate('rsa', { modulusLength: 2048 })).privateKey.export({ format: 'jwk' }),
  ES256: async () => (await generate('ec', { namedCurve: 'P-256' })).privateKey.export({ format: 'jwk' }),
  EdDSA: async () => (await generate('ed25519')).privateKey.export({ format: 'jwk' }),
};

export interface SigningKeys {
  /**
   * Those to publish, unsealed, the one that signs first of its algorithm. Made at the first start; when several nodes
   * start together the first to insert wins. While the storage is away, by what was read before.
   * @throws OperatorError when they were sealed under another master key; VestibuleError `storage.unavailable`
   */
  load(config: Lifetimes): Promise<SigningKey[]>;
  /**
   * Looks into the storage again, and removes there what a rotation has done with.
   * @returns whether `load` would give others, or another order, than it did the last time. When the storage is away
   *   that is judged by what was read before: a key ends at its time all the same
   */
  changed(config: Lifetimes): Promise<boolean>;
}

type Lifetimes = Parameters<typeof signingRetention>[0];

export function createSigningKeys(deps: {
  store: KeyStore;
  secretBox: SecretBox;
  clock: Clock;
  logger: Logger;
}): SigningKeys {
  const { store, secretBox, clock, logger } = deps;
  let stored: readonly StoredKey[] = [];
  let loaded: readonly string[] = [];

  const at = (config: Lifetimes) => ({ now: epochSeconds(clock), retention: signingRetention(config) });
  const published = (config: Lifetimes): StoredKey[] => {
    const { now, retention } = at(config);
    return inUse(stored, now, retention).toSorted((one, other) => rankOf(one) - rankOf(other));
  };
  const lookAgain = async (config: Lifetimes): Promise<void> => {
    stored = await store.list();
    const forgotten = await forgetEnded(store, stored, at(config));
    if (forgotten > 0) logger.info({ event: 'keys.forgotten', keys: forgotten });
  };

  const notRead = (error: unknown): void => logger.warn({ event: 'keys.not_read', err: error });
  const first = async (): Promise<void> => {
    stored = await store.list();
    if (stored.length > 0) return;
    await store.insertFirst(await makeSigningKeys(secretBox, epochSeconds(clock)));
    stored = await store.list();
  };

  return {
    async load(config) {
      if (stored.length === 0) await first();
      else await lookAgain(config).catch(notRead);
      const keys = published(config).map((key) => unseal(key, secretBox));
      loaded = keys.map(({ kid }) => kid);
      return keys;
    },
    async changed(config) {
      await lookAgain(config).catch(notRead);
      return (
        published(config)
          .map(({ kid }) => kid)
          .join() !== loaded.join()
      );
    },
  };
}

/** RS256 first: there are clients that take the first key of the set, whatever its algorithm. */
const rankOf = ({ alg }: StoredKey): number => Object.keys(ALGORITHMS).indexOf(alg);

function unseal(key: StoredKey, secretBox: SecretBox): SigningKey {
  try {
    return JSON.parse(secretBox.open(PURPOSE, key.sealedJwk)) as SigningKey;
  } catch (cause) {
    throw new OperatorError(
      `The signing key ${key.kid} can't be opened with this master key. Start with the master key it was made under.`,
      { cause },
    );
  }
}

/** @returns new keys, one for each algorithm, in the first position */
export async function makeSigningKeys(secretBox: SecretBox, createdAt: number): Promise<StoredKey[]> {
  return Promise.all(
    Object.entries(ALGORITHMS).map(async ([alg, make]): Promise<StoredKey> => {
      const jwk = await make();
      const key: SigningKey = { ...jwk, kid: thumbprint(jwk), alg, use: 'sig' };
      return { kid: key.kid, alg, sealedJwk: secretBox.seal(PURPOSE, JSON.stringify(key)), position: 0, createdAt };
    }),
  );
}

/** JWK thumbprint (RFC 7638): the required members in lexicographic order, SHA-256, base64url. */
function thumbprint(jwk: JsonWebKey): string {
  const members =
    { EC: ['crv', 'kty', 'x', 'y'], OKP: ['crv', 'kty', 'x'], RSA: ['e', 'kty', 'n'] }[String(jwk.kty)] ?? [];
  const required = Object.fromEntries(members.map((name) => [name, jwk[name as keyof JsonWebKey]]));
  return createHash('sha256').update(JSON.stringify(required)).digest('base64url');
}
