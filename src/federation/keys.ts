import { createPrivateKey, generateKeyPair, type JsonWebKey, type KeyObject } from 'node:crypto';
import { promisify } from 'node:util';
import { type CryptoKey, calculateJwkThumbprint, importJWK, type JWK } from 'jose';
import { type Clock, epochSeconds } from '../kernel/clock.ts';
import { OperatorError } from '../kernel/errors.ts';
import type { SecretBox } from '../kernel/secret-box.ts';
import { inUse, UPSTREAM_RETENTION } from '../keys/index.ts';
import type { KeyStore, StoredKey } from '../storage/ports.ts';

const generate = promisify(generateKeyPair);
const PURPOSE = 'upstream keys';
/** Milliseconds until another node's rotation is seen, and what the time alone changes. */
const RELOAD = 60_000;

type Use = 'sig' | 'enc';
type PrivateJwk = JsonWebKey & { kid: string; alg: string; use: Use };

const rsa = async () => (await generate('rsa', { modulusLength: 2048 })).privateKey.export({ format: 'jwk' });
const p256 = async () => (await generate('ec', { namedCurve: 'P-256' })).privateKey.export({ format: 'jwk' });
const ed25519 = async () => (await generate('ed25519')).privateKey.export({ format: 'jwk' });

/**
 * One key for each algorithm an upstream may ask for, none for two purposes. In this order they are published:
 * there are providers that take the first key of the right use.
 */
const KINDS: Readonly<Record<string, { readonly use: Use; readonly make: () => Promise<JsonWebKey> }>> = {
  RS256: { use: 'sig', make: rsa },
  ES256: { use: 'sig', make: p256 },
  PS256: { use: 'sig', make: rsa },
  EdDSA: { use: 'sig', make: ed25519 },
  'RSA-OAEP-256': { use: 'enc', make: rsa },
  'ECDH-ES': { use: 'enc', make: p256 },
  'ECDH-ES+A256KW': { use: 'enc', make: p256 },
};

/** What is public of a key, by its type (RFC 7518 §6, RFC 8037 §2). */
const PUBLIC_MEMBERS: Readonly<Record<string, readonly (keyof JsonWebKey)[]>> = {
  RSA: ['n', 'e'],
  EC: ['crv', 'x', 'y'],
  OKP: ['crv', 'x'],
};

export interface PublicJwk extends Readonly<Record<string, unknown>> {
  readonly kty: string;
  readonly kid: string;
  readonly use: Use;
  readonly alg: string;
}

/** A key a JWE may be encrypted to. */
export interface DecryptionKey {
  readonly kid: string;
  readonly kty: string;
  readonly key: KeyObject;
}

/**
 * Our keys towards upstreams: what we sign assertions and requests with, and what they encrypt to. Never those this
 * server's own tokens are signed with: a leak of one must not be a leak of the other.
 */
export interface UpstreamKeys {
  /**
   * The set to publish at `/external/jwks`. Of the signing keys all of an algorithm, the one that signs first; of the
   * encryption keys the current one alone, so that nobody begins to use one that is on its way out, or that another
   * node doesn't know yet.
   * @param algorithms only these, for an upstream that can't choose; absent: all
   */
  publicJwks(algorithms?: readonly string[]): Promise<{ readonly keys: readonly PublicJwk[] }>;
  /** @throws Error when there is none of the algorithm */
  signingKey(alg: string): Promise<{ readonly kid: string; readonly key: CryptoKey }>;
  /** Every key that may have been used, the current one first: others are in caches of upstreams still. */
  decryptionKeys(): Promise<readonly DecryptionKey[]>;
}

interface Loaded {
  readonly at: number;
  readonly jwks: readonly PrivateJwk[];
  readonly published: readonly PublicJwk[];
  readonly decryption: readonly DecryptionKey[];
  /** Imported at first use. */
  readonly signing: Map<string, Promise<CryptoKey>>;
}

/**
 * Made at first use: a server without upstreams has none. When several nodes start together the first to insert wins.
 *
 * @param deps.store keys of this purpose alone; how they take turns stands in `keys/rotation.ts`
 * @throws (its verbs) OperatorError when the keys were sealed under another master key
 */
export function createUpstreamKeys(deps: { store: KeyStore; secretBox: SecretBox; clock: Clock }): UpstreamKeys {
  const { store, secretBox, clock } = deps;
  let loaded: Loaded | undefined;
  let loading: Promise<Loaded> | undefined;

  const load = async (): Promise<Loaded> => {
    let stored = await store.list();
    if (stored.length === 0) {
      await store.insertFirst(await makeUpstreamKeys(secretBox, epochSeconds(clock)));
      stored = await store.list();
    }
    const used = inUse(stored, epochSeconds(clock), UPSTREAM_RETENTION);
    const ordered = used.toSorted((one, other) => rankOf(one) - rankOf(other));
    return loaded && sameKeys(loaded.jwks, ordered) ? { ...loaded, at: clock.now() } : unsealAll(ordered, deps);
  };
  const current = async (): Promise<Loaded> => {
    if (loaded && clock.now() - loaded.at < RELOAD) return loaded;
    loading ??= load().finally(() => {
      loading = undefined;
    });
    loaded = await loading;
    return loaded;
  };

  return {
    async publicJwks(algorithms) {
      const { published } = await current();
      return { keys: algorithms ? published.filter(({ alg }) => algorithms.includes(alg)) : published };
    },
    async signingKey(alg) {
      const { jwks, signing } = await current();
      const jwk = jwks.find((key) => key.alg === alg && key.use === 'sig');
      if (!jwk) throw new Error(`there is no key for ${alg}`);
      const key = signing.get(jwk.kid) ?? (importJWK(jwk as JWK, alg) as Promise<CryptoKey>);
      signing.set(jwk.kid, key);
      return { kid: jwk.kid, key: await key };
    },
    decryptionKeys: async () => (await current()).decryption,
  };
}

const rankOf = ({ alg }: StoredKey): number => Object.keys(KINDS).indexOf(alg);

const sameKeys = (jwks: readonly PrivateJwk[], stored: readonly StoredKey[]): boolean =>
  jwks.length === stored.length && jwks.every(({ kid }, index) => kid === stored[index]?.kid);

function unsealAll(stored: readonly StoredKey[], { secretBox, clock }: { secretBox: SecretBox; clock: Clock }): Loaded {
  const jwks = stored.map((key) => unseal(key, secretBox));
  const isCurrent = (jwk: PrivateJwk) => jwks.find(({ alg }) => alg === jwk.alg) === jwk;
  return {
    at: clock.now(),
    jwks,
    published: jwks.filter((jwk) => jwk.use === 'sig' || isCurrent(jwk)).map(publicPart),
    decryption: jwks
      .filter(({ use }) => use === 'enc')
      .map((jwk) => ({ kid: jwk.kid, kty: String(jwk.kty), key: createPrivateKey({ key: jwk, format: 'jwk' }) })),
    signing: new Map(),
  };
}

function unseal(key: StoredKey, secretBox: SecretBox): PrivateJwk {
  try {
    return JSON.parse(secretBox.open(PURPOSE, key.sealedJwk)) as PrivateJwk;
  } catch {
    throw new OperatorError(
      `The key ${key.kid} for external providers can't be opened with this master key. Start with the master key it was made under.`,
    );
  }
}

function publicPart(jwk: PrivateJwk): PublicJwk {
  const { kid, use, alg } = jwk;
  const kty = String(jwk.kty);
  const members = Object.fromEntries((PUBLIC_MEMBERS[kty] ?? []).map((name) => [name, jwk[name]]));
  return { kty, kid, use, alg, ...members };
}

/** @returns new keys, one for each algorithm, in the first position */
export async function makeUpstreamKeys(secretBox: SecretBox, createdAt: number): Promise<StoredKey[]> {
  return Promise.all(
    Object.entries(KINDS).map(async ([alg, { use, make }]): Promise<StoredKey> => {
      const jwk = await make();
      const key: PrivateJwk = { ...jwk, kid: await calculateJwkThumbprint(jwk as JWK), alg, use };
      return { kid: key.kid, alg, sealedJwk: secretBox.seal(PURPOSE, JSON.stringify(key)), position: 0, createdAt };
    }),
  );
}
