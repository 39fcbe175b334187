import { expect, test } from '@jest/globals';
import type { EphemeralStorage } from '../../src/storage/ports.ts';
import { all, copyAll, everything, transferOf } from './transfers.ts';
import type { Workspace } from './workspace.ts';

const rule = { tries: 2, first: 60, longest: 600, memory: 3600 };

/** What a copy of the ephemeral half is. @param other where copies go */
export function ephemeralCopyContract(
  workspace: Workspace<EphemeralStorage>,
  other: Workspace<EphemeralStorage>,
): void {
  const fill = async (storage: EphemeralStorage): Promise<void> => {
    const until = workspace.clock.seconds + 600;
    for (const key of ['c:one', 'c:two 😀', 'c']) await storage.counters.increment([{ key, windowSeconds: 100 }]);
    await storage.counters.increment([{ key: 'c', windowSeconds: 100 }]);
    await storage.locks.take('password:anna', rule);
    await storage.locks.take('password:anna', rule);
    await storage.locks.take('password:anna:device', rule);
    await storage.locks.take('sms', rule);
    await storage.journeys.save({ uid: 'j1', state: { z: 1, a: ['😀'] }, expiresAt: until }, 0);
    await storage.journeys.save({ uid: 'j1', state: { z: 2, a: ['😀'] }, expiresAt: until }, 1);
    await storage.artifacts.save('Session', 's1', {
      payload: { accountId: 'anna' },
      uid: 'u1',
      accountId: 'anna',
      expiresAt: until,
    });
    await storage.artifacts.save('AuthorizationCode', 'c1', { payload: {}, grantId: 'g', expiresAt: until });
    await storage.artifacts.consumeOnce('AuthorizationCode', 'c1', workspace.clock.seconds);
  };

  test('every record reads as the ports say it', async () => {
    const storage = await workspace.open();
    await fill(storage);
    const now = workspace.clock.seconds;
    const values = Object.entries(await everything(transferOf(storage))).map(([name, rows]) => [
      name,
      rows.map((row) => row.value),
    ]);
    expect(Object.fromEntries(values)).toStrictEqual({
      locks: [
        { key: 'password:anna', count: 2, lockedUntil: now + 60, expiresAt: now + 60 + 3600 },
        { key: 'password:anna:device', count: 1, lockedUntil: 0, expiresAt: now + 3600 },
        { key: 'sms', count: 1, lockedUntil: 0, expiresAt: now + 3600 },
      ],
      counters: [
        { key: 'c', count: 2, resetsAt: now + 100 },
        { key: 'c:one', count: 1, resetsAt: now + 100 },
        { key: 'c:two 😀', count: 1, resetsAt: now + 100 },
      ],
      artifacts: [
        { kind: 'AuthorizationCode', id: 'c1', payload: {}, grantId: 'g', consumedAt: now, expiresAt: now + 600 },
        {
          kind: 'Session',
          id: 's1',
          payload: { accountId: 'anna' },
          uid: 'u1',
          accountId: 'anna',
          expiresAt: now + 600,
        },
      ],
      journeys: [{ uid: 'j1', state: { z: 2, a: ['😀'] }, version: 2, expiresAt: now + 600 }],
    });
    for (const [name, rows] of values) expect(await transferOf(storage).count(String(name))).toBe(rows?.length);
  });

  test('a copy answers as the original does', async () => {
    const [original, copy] = [await workspace.open(), await other.open()];
    await fill(original);
    await copyAll(transferOf(original), transferOf(copy));
    expect(await everything(transferOf(copy))).toStrictEqual(await everything(transferOf(original)));
    expect((await copy.counters.increment([{ key: 'c', windowSeconds: 100 }]))[0]?.count).toBe(3);
    expect(await copy.locks.lockedUntil('password:anna')).toBe(await original.locks.lockedUntil('password:anna'));
    expect(await copy.locks.take('password:anna:device', rule)).toMatchObject({ admitted: 2 });
    expect(await copy.locks.clear('password')).toBe(true);
    expect(await copy.locks.lockedUntil('password:anna')).toBeUndefined();
    expect(await copy.journeys.save({ uid: 'j1', state: {}, expiresAt: other.clock.seconds + 60 }, 2)).toBe(true);
    expect(await copy.artifacts.consumeOnce('AuthorizationCode', 'c1', 9)).toBe(false);
    await copy.artifacts.removeByGrant('AuthorizationCode', 'g');
    expect(await copy.artifacts.find('AuthorizationCode', 'c1')).toBeUndefined();
    await copy.artifacts.endByAccount('Session', 'anna', { at: 1, until: other.clock.seconds + 60 });
    expect((await copy.artifacts.find('Session', 's1'))?.payload).toEqual({});
  });

  test('a lock and a counter that are removed are forgotten', async () => {
    const storage = await workspace.open();
    await fill(storage);
    const port = transferOf(storage);
    for (const collection of port.collections) await port.remove(collection, await all(port, collection));
    expect(Object.values(await everything(port)).flat()).toEqual([]);
    expect(await storage.locks.take('password:anna', rule)).toStrictEqual({ admitted: 1 });
    expect((await storage.counters.increment([{ key: 'c', windowSeconds: 100 }]))[0]?.count).toBe(1);
  });
}
