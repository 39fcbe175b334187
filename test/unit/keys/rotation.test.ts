import { describe, expect, test } from '@jest/globals';
import { forgetEnded, RotationUnderWay, rotate, signingRetention, standings } from '../../../src/keys/index.ts';
import { ANNOUNCED } from '../../../src/keys/rotation.ts';
import type { StoredKey } from '../../../src/storage/ports.ts';
import { MemoryKeys } from '../federation/arrange.ts';

const RETENTION = 1000;
const key = (kid: string, position: number, createdAt: number, alg = 'RS256'): StoredKey => ({
  kid,
  alg,
  sealedJwk: `sealed ${kid}`,
  position,
  createdAt,
});
const at = (now: number) => ({ now, retention: RETENTION, atOnce: false });
const shown = (stored: readonly StoredKey[], now: number): string =>
  standings(stored, now, RETENTION)
    .map(({ key: { kid }, standing }) => `${kid} ${standing}`)
    .join(', ');

function storeOf(...keys: readonly StoredKey[]): MemoryKeys {
  const store = new MemoryKeys();
  store.stored = [...keys];
  return store;
}

describe('what a key is', () => {
  const [old, heir] = [key('old', 0, 0), key('new', 1, 5000)];
  const change = 5000 + ANNOUNCED;

  test.each([
    [5000, 'old current, new announced'],
    [change - 1, 'old current, new announced'],
    [change, 'new current, old retired'],
    [change + RETENTION - 1, 'new current, old retired'],
    [change + RETENTION, 'new current, old ended'],
  ])('at second %d: %s', (now, expected) => {
    expect(shown([heir, old], now)).toBe(expected);
  });

  test('one alone is in use, however young, and whatever its position', () => {
    expect(shown([key('a', 0, 9)], 10)).toBe('a current');
    expect(shown([key('a', 1, 9)], 10)).toBe('a current');
  });

  test('algorithms take turns apart', () => {
    expect(shown([old, heir, key('ec', 0, 0, 'ES256')], change)).toBe('new current, old retired, ec current');
  });
});

describe('a rotation', () => {
  test('puts the new keys behind the present ones; another one waits for its end', async () => {
    const store = storeOf(key('a', 0, 0));
    await rotate(store, [key('b', 0, 100)], at(100));
    expect(store.stored).toEqual([key('a', 0, 0), key('b', 1, 100)]);
    const end = 100 + ANNOUNCED + RETENTION;
    for (const now of [200, 100 + ANNOUNCED, end - 1]) {
      const refused = rotate(store, [key('c', 0, now)], at(now));
      await expect(refused).rejects.toBeInstanceOf(RotationUnderWay);
      await expect(refused).rejects.toMatchObject({ until: end });
    }
    await rotate(store, [key('c', 0, end)], at(end));
    expect(store.stored).toEqual([key('b', 0, 100), key('c', 1, end)]);
  });

  test('in an emergency leaves nothing of what there was, whatever was under way', async () => {
    const store = storeOf(key('a', 0, 0), key('b', 1, 100));
    await rotate(store, [key('c', 0, 200)], { ...at(200), atOnce: true });
    expect(store.stored).toEqual([key('c', 0, 200)]);
  });

  test('by two at once happens once', async () => {
    const store = storeOf(key('a', 0, 0));
    const outcomes = await Promise.allSettled(['b', 'c'].map((kid) => rotate(store, [key(kid, 0, 100)], at(100))));
    expect(outcomes.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
    expect(store.stored).toHaveLength(2);
  });

  test('leaves what ended a day ago to be forgotten, and nothing else: a clock may be ahead', async () => {
    const stored = [key('a', 0, 0), key('b', 1, 100), key('ec', 0, 0, 'ES256')];
    const store = storeOf(...stored);
    const aDay = 86_400;
    const end = 100 + ANNOUNCED + RETENTION + aDay;
    expect(await forgetEnded(store, stored, at(end - 1))).toBe(0);
    expect(store.stored).toEqual(stored);
    expect(await forgetEnded(store, stored, at(end))).toBe(1);
    expect(store.stored).toEqual([key('b', 0, 100), key('ec', 0, 0, 'ES256')]);
    // Another node read them before.
    expect(await forgetEnded(store, stored, at(end))).toBe(0);
    expect(store.stored).toHaveLength(2);
  });
});

test('a signing key is remembered as long as anything it signed may be presented', () => {
  const lifetimes = { session: 10, id_token: 20, access_token: 30, client_credentials: 5 } as never;
  const api = (access_token_lifetime?: number) => ({ scopes: [], access_token_lifetime }) as never;
  expect(signingRetention({ lifetimes, resource_servers: {} })).toBe(330);
  expect(signingRetention({ lifetimes, resource_servers: { a: api(50), b: api() } })).toBe(350);
});
