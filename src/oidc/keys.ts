import { createHash, generateKeyPair, type JsonWebKey } from 'node:crypto';
import { promisify } from 'node:util';
import { type Clock, epochSeconds } from '../kernel/clock.ts';
import { OperatorError } from '../kernel/errors.ts';
import type { SecretBox } from '../kernel/secret-box.ts';
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

/**
 * The signing keys, unsealed, ordered so that the one that signs comes first for its algorithm.
 * Made at the first start; when several nodes start together the first to insert wins.
 * @throws OperatorError when they were sealed under another master key
 */
export async function loadSigningKeys(deps: {
  store: KeyStore;
  secretBox: SecretBox;
  clock: Clock;
}): Promise<SigningKey[]> {
  const { store, secretBox, clock } = deps;
  let stored = await store.list();
  if (stored.length === 0) {
    await store.insertFirst(await generateAll(secretBox, epochSeconds(clock)));
    stored = await store.list();
  }
  return stored.toSorted((one, other) => rankOf(one) - rankOf(other)).map((key) => unseal(key, secretBox));
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

async function generateAll(secretBox: SecretBox, createdAt: number): Promise<StoredKey[]> {
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
