import { describe, expect, test } from '@jest/globals';
import { createUpstreamKeys } from '../../../src/federation/keys.ts';
import { systemRandom } from '../../../src/kernel/random.ts';
import { SecretBox } from '../../../src/kernel/secret-box.ts';
import { clock, MemoryKeys, secretBox } from './arrange.ts';

describe('our keys towards upstreams', () => {
  test('one for each algorithm, public parts alone, sealed where they are kept', async () => {
    const store = new MemoryKeys();
    const keys = createUpstreamKeys({ store, secretBox, clock });
    const { keys: published } = await keys.publicJwks();
    expect(published.map(({ use, alg, kty }) => [use, alg, kty])).toEqual([
      ['sig', 'RS256', 'RSA'],
      ['sig', 'ES256', 'EC'],
      ['sig', 'PS256', 'RSA'],
      ['sig', 'EdDSA', 'OKP'],
      ['enc', 'RSA-OAEP-256', 'RSA'],
      ['enc', 'ECDH-ES', 'EC'],
      ['enc', 'ECDH-ES+A256KW', 'EC'],
    ]);
    for (const key of published) {
      expect(Object.keys(key).toSorted()).toEqual(
        { RSA: ['alg', 'e', 'kid', 'kty', 'n', 'use'], EC: ['alg', 'crv', 'kid', 'kty', 'use', 'x', 'y'] }[key.kty] ?? [
          'alg',
          'crv',
          'kid',
          'kty',
          'use',
          'x',
        ],
      );
    }
    expect(new Set(published.map(({ kid }) => kid)).size).toBe(published.length);
    expect(JSON.stringify(store.stored)).not.toMatch(/"(?:d|p|q|kty)"/);
    expect((await keys.publicJwks(['ES256', 'ECDH-ES'])).keys.map(({ alg }) => alg)).toEqual(['ES256', 'ECDH-ES']);
  });

  test('nodes that start together have the same ones', async () => {
    const store = new MemoryKeys();
    const nodes = [1, 2].map(() => createUpstreamKeys({ store, secretBox, clock }));
    const [one, other] = await Promise.all(nodes.map((node) => node.publicJwks()));
    expect(one).toEqual(other);
    expect(store.stored).toHaveLength(7);
  });

  test('the first position signs; the store is asked once a minute', async () => {
    const store = new MemoryKeys();
    const keys = createUpstreamKeys({ store, secretBox, clock });
    const { kid } = await keys.signingKey('ES256');
    const other = new MemoryKeys();
    await createUpstreamKeys({ store: other, secretBox, clock }).publicJwks();
    // The new one is published before it signs.
    store.stored = [...store.stored, ...other.stored.map((key) => ({ ...key, position: 1 }))];
    expect((await keys.publicJwks(['ES256'])).keys).toHaveLength(1);
    clock.advance(61);
    expect((await keys.publicJwks(['ES256'])).keys.map((key) => key.kid)).toEqual([kid, expect.any(String)]);
    expect((await keys.signingKey('ES256')).kid).toBe(kid);
    expect(await keys.decryptionKeys()).toHaveLength(6);
    store.stored = store.stored.map((key) => ({ ...key, position: 1 - key.position }));
    clock.advance(61);
    expect((await keys.signingKey('ES256')).kid).not.toBe(kid);
  });

  test('another master key', async () => {
    const store = new MemoryKeys();
    await createUpstreamKeys({ store, secretBox, clock }).publicJwks();
    const foreign = new SecretBox([systemRandom.bytes(32).toString('base64')]);
    await expect(createUpstreamKeys({ store, secretBox: foreign, clock }).publicJwks()).rejects.toThrow(/master key/);
  });

  test('an algorithm nobody asked for', async () => {
    const keys = createUpstreamKeys({ store: new MemoryKeys(), secretBox, clock });
    await expect(keys.signingKey('RSA-OAEP-256')).rejects.toThrow('there is no key for RSA-OAEP-256');
  });
});
