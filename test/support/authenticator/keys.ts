import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { isoCBOR } from '@simplewebauthn/server/helpers';

interface KeyKind {
  generate(): { publicKey: KeyObject; privateKey: KeyObject };
  /** `null` where the algorithm brings its own. */
  readonly hash: string | null;
}

const P256: KeyKind = { generate: () => generateKeyPairSync('ec', { namedCurve: 'P-256' }), hash: 'sha256' };

/** By COSE identifier, https://www.iana.org/assignments/cose/cose.xhtml#algorithms */
const KINDS = new Map<number, KeyKind>([
  [-7, P256],
  [-8, { generate: () => generateKeyPairSync('ed25519'), hash: null }],
  [-35, { generate: () => generateKeyPairSync('ec', { namedCurve: 'P-384' }), hash: 'sha384' }],
  [-36, { generate: () => generateKeyPairSync('ec', { namedCurve: 'P-521' }), hash: 'sha512' }],
  [-257, { generate: () => generateKeyPairSync('rsa', { modulusLength: 2048 }), hash: 'sha256' }],
]);

/** A number nobody knows has to come with a key of some kind. */
const kindOf = (algorithm: number): KeyKind => KINDS.get(algorithm) ?? P256;

export const canMake = (algorithm: number): boolean => KINDS.has(algorithm);

export const generateKeys = (algorithm: number) => kindOf(algorithm).generate();

/** §6.5.5: ECDSA in DER, RSA as PKCS #1 v1.5; both are what node:crypto does unless told otherwise. */
export const signWith = (algorithm: number, key: KeyObject, data: Uint8Array): Buffer<ArrayBuffer> =>
  Buffer.from(sign(kindOf(algorithm).hash, data, key));

const CURVES: Readonly<Record<string, number>> = { 'P-256': 1, 'P-384': 2, 'P-521': 3, Ed25519: 6 };

/** A COSE_Key (RFC 9052 §7, RFC 9053 §7), its members in CTAP2's canonical order. */
export function encodeCoseKey(publicKey: KeyObject, algorithm: number): Uint8Array {
  const { kty, crv = '', x = '', y = '', n = '', e = '' } = publicKey.export({ format: 'jwk' });
  const bytes = (text: string) => new Uint8Array(Buffer.from(text, 'base64url'));
  const curve = CURVES[crv] ?? 0;
  const members: Readonly<Record<string, [number, number | Uint8Array][]>> = {
    OKP: [
      [1, 1],
      [3, algorithm],
      [-1, curve],
      [-2, bytes(x)],
    ],
    EC: [
      [1, 2],
      [3, algorithm],
      [-1, curve],
      [-2, bytes(x)],
      [-3, bytes(y)],
    ],
    RSA: [
      [1, 3],
      [3, algorithm],
      [-1, bytes(n)],
      [-2, bytes(e)],
    ],
  };
  return isoCBOR.encode(new Map(members[kty ?? '']));
}
