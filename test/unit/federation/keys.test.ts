import { describe, expect, test } from '@jest/globals';
import { createUpstreamKeys, makeUpstreamKeys } from '../../../src/federation/keys.ts';
import { systemRandom } from '../../../src/kernel/random.ts';
import { SecretBox } from '../../../src/kernel/secret-box.ts';
import { rotate, UPSTREAM_RETENTION } from '../../../src/keys/index.ts';
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

  test('a new one is published a day before it signs and is encrypted to; the store is asked once a minute', async () => {
    const store = new MemoryKeys();
    const keys = createUpstreamKeys({ store, secretBox, clock });
    const { kid } = await keys.signingKey('ES256');
    const [first] = await keys.decryptionKeys();
    const now = Math.floor(clock.now() / 1000);
    await rotate(store, await makeUpstreamKeys(secretBox, now), { now, retention: UPSTREAM_RETENTION, atOnce: false });
    expect((await keys.publicJwks(['ES256'])).keys).toHaveLength(1);
    clock.advance(61);
    expect((await keys.publicJwks(['ES256'])).keys.map((key) => key.kid)).toEqual([kid, expect.any(String)]);
    expect((await keys.publicJwks(['RSA-OAEP-256'])).keys.map((key) => key.kid)).toEqual([first?.kid]);
    expect((await keys.signingKey('ES256')).kid).toBe(kid);
    // Another node may have changed over a moment earlier.
    expect(await keys.decryptionKeys()).toHaveLength(6);
    clock.advance(86_400);
    expect((await keys.signingKey('ES256')).kid).not.toBe(kid);
    expect((await keys.publicJwks(['RSA-OAEP-256'])).keys.map((key) => key.kid)).not.toContain(first?.kid);
    // Providers encrypt to what they have kept.
    expect((await keys.decryptionKeys()).map((key) => key.kid)).toContain(first?.kid);
    clock.advance(UPSTREAM_RETENTION);
    expect(await keys.decryptionKeys()).toHaveLength(3);
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
