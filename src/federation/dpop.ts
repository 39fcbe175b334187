import { type CryptoKey, calculateJwkThumbprint, exportJWK, generateKeyPair, importJWK, type JWK } from 'jose';
import { type Configuration, type DPoPHandle, getDPoPHandle } from 'openid-client';

const ALG = 'ES256';

/** A key for the tokens of one sign-in (RFC 9449); kept with the transaction, sealed. */
export type DpopKey = JWK;

export async function makeDpopKey(): Promise<DpopKey> {
  const { privateKey } = await generateKeyPair(ALG, { extractable: true });
  return exportJWK(privateKey);
}

export const dpopThumbprint = (key: DpopKey): Promise<string> => calculateJwkThumbprint(key);

/** Remembers the nonce the upstream demands (§8), so one of these serves all requests of a leg. */
export async function dpopHandle(configuration: Configuration, key: DpopKey): Promise<DPoPHandle> {
  const { d: _private, ...publicPart } = key;
  const [privateKey, publicKey] = await Promise.all([
    importJWK(key, ALG) as Promise<CryptoKey>,
    importJWK(publicPart, ALG, { extractable: true }) as Promise<CryptoKey>,
  ]);
  return getDPoPHandle(configuration, { privateKey, publicKey });
}
