import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { createTrustedDevices } from '../../../src/credentials/trusted-devices.ts';
import { createLogger } from '../../../src/kernel/logger.ts';
import { openDurable } from '../../../src/storage/registry.ts';

test('trusting another device forgets those that are over, and nobody else’s', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'vestibule-devices-'));
  let now = 0;
  const clock = { now: () => now * 1000 };
  const path = join(folder, 'durable.db');
  const { credentials: store, close } = await openDurable(
    { engine: 'sqlite', path },
    { clock, logger: createLogger('silent') },
  );
  try {
    const devices = createTrustedDevices({ store, clock, settings: { enabled: true, lifetime: 100 } });
    const kept = async (accountId: string) => (await store.list(accountId, 'trusted-device')).length;
    for (const id of ['a', 'b', 'c']) await devices.trust('anna', id, id, []);
    await devices.trust('bert', 'd', 'd', []);
    now = 50;
    await devices.trust('anna', 'e', 'e', ['a']);
    expect(await kept('anna')).toBe(3);
    now = 100;
    await devices.trust('anna', 'f', 'f', []);
    expect([await kept('anna'), await kept('bert')]).toEqual([2, 1]);
    expect((await devices.list('anna')).map(({ name }) => name).toSorted()).toEqual(['e', 'f']);
  } finally {
    await close();
    await rm(folder, { recursive: true });
  }
});
