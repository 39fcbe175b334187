import { expect, test } from '@jest/globals';
import { unavailable } from '../../../src/kernel/errors.ts';
import { createLogger } from '../../../src/kernel/logger.ts';
import { rotate, signingRetention } from '../../../src/keys/index.ts';
import { ANNOUNCED } from '../../../src/keys/rotation.ts';
import { createSigningKeys, makeSigningKeys } from '../../../src/oidc/keys.ts';
import type { StoredKey } from '../../../src/storage/ports.ts';
import { MemoryKeys, secretBox } from '../federation/arrange.ts';

const lifetimes = { session: 60, id_token: 60, access_token: 60, client_credentials: 60 };
const config = { lifetimes, resource_servers: {} } as unknown as Parameters<typeof signingRetention>[0];
const retention = signingRetention(config);

/** Keys in a storage that may be away. */
class Interrupted extends MemoryKeys {
  isAway = false;

  override async list(): Promise<StoredKey[]> {
    if (this.isAway) throw unavailable('storage.unavailable', 5);
    return super.list();
  }
}

test('keys take over and end at their time, although the storage is away then', async () => {
  let now = 1000;
  const clock = { now: () => now * 1000 };
  const store = new Interrupted();
  const keys = createSigningKeys({ store, secretBox, clock, logger: createLogger('silent') });
  const kids = async (): Promise<string[]> =>
    (await keys.load(config)).filter(({ alg }) => alg === 'RS256').map(({ kid }) => kid);
  const [old] = await kids();
  await rotate(store, await makeSigningKeys(secretBox, now), { now, retention, atOnce: false });
  expect(await keys.changed(config)).toBe(true);
  const [, heir] = await kids();

  store.isAway = true;
  expect(await keys.changed(config)).toBe(false);
  now += ANNOUNCED;
  expect(await keys.changed(config)).toBe(true);
  expect(await kids()).toEqual([heir, old]);
  now += retention;
  expect(await keys.changed(config)).toBe(true);
  expect(await kids()).toEqual([heir]);
});

test('a server that never read any keys does not start without the storage', async () => {
  const store = new Interrupted();
  store.isAway = true;
  const clock = { now: () => 0 };
  const keys = createSigningKeys({ store, secretBox, clock, logger: createLogger('silent') });
  await expect(keys.load(config)).rejects.toMatchObject({ code: 'storage.unavailable' });
});
