import { basename } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { TransferRow } from '../../../src/storage/ports.ts';
import { RedisArtifacts } from '../../../src/storage/redis/artifacts.ts';
import { Keys } from '../../../src/storage/redis/keys.ts';
import { Lifetime } from '../../../src/storage/redis/lifetime.ts';
import { openConnection } from '../../../src/storage/redis/open.ts';
import { RedisTransfer } from '../../../src/storage/redis/transfer.ts';
import { releaseSharedRedis, useSharedRedis } from '../../support/redis-server.ts';
import { requires } from '../../support/requirements.ts';
import { useWorkspace } from '../workspace.ts';

requires('redis')('more keys than are kept in memory', () => {
  beforeAll(useSharedRedis);
  afterAll(releaseSharedRedis);

  const workspace = useWorkspace(async (directory, { clock, logger }) => {
    // Characters that SCAN would take for a pattern belong to the prefix as they are.
    const key_prefix = `${basename(directory)}[*?]\\:`;
    const settings = { engine: 'redis', url: process.env.REDIS_URL, key_prefix, timeout: 5 } as const;
    const connection = await openConnection(settings, logger);
    const [keys, lifetime] = [new Keys(key_prefix), new Lifetime(clock)];
    const artifacts = new RedisArtifacts(connection, keys, lifetime);
    const transfer = new RedisTransfer(settings, { connection, keys, lifetime, artifacts }, 7);
    return { transfer, artifacts, close: () => connection.close() };
  });

  test('are read window by window, in order, none twice and none left out', async () => {
    const { transfer, artifacts } = await workspace.open();
    const ids = Array.from({ length: 100 }, (_, index) => `id-${String((index * 37) % 100).padStart(3, '0')}`);
    for (const id of ids)
      await artifacts.save('Session', id, { payload: {}, uid: id, expiresAt: workspace.clock.seconds + 60 });
    for (const limit of [1, 3, 7, 8, 1000]) {
      const rows: TransferRow[] = [];
      for (let page = await transfer.read('artifacts', undefined, limit); page.length > 0; ) {
        rows.push(...page);
        page = await transfer.read('artifacts', rows.at(-1)?.key, limit);
      }
      expect(rows.map(({ value }) => value.id)).toEqual(ids.toSorted());
    }
    expect(await transfer.count('artifacts')).toBe(100);
  });

  test('those that expired while they were gone through are passed over', async () => {
    const { transfer, artifacts } = await workspace.open();
    for (let index = 0; index < 40; index += 1) {
      const expiresAt = workspace.clock.seconds + (index === 39 ? 60 : 10);
      await artifacts.save('Session', `id-${String(index).padStart(3, '0')}`, { payload: {}, expiresAt });
    }
    expect(await transfer.read('artifacts', undefined, 3)).toHaveLength(3);
    workspace.clock.advance(20);
    expect((await transfer.read('artifacts', 'Session\0id-002', 3)).map(({ value }) => value.id)).toEqual(['id-039']);
  });
});
