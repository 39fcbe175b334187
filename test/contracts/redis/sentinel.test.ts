import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type RedisServer, startRedis } from '../../support/redis-server.ts';
import { requires } from '../../support/requirements.ts';
import { useWorkspace } from '../workspace.ts';
import { openAt, untilItWorks, VERBS } from './verbs.ts';

/** Half a second until the master counts as down, and what choosing another takes. */
const FAILOVER_MS = 20_000;

requires('redis-server')('Redis with Sentinels', () => {
  let master: RedisServer;
  let replica: RedisServer;
  let sentinel: RedisServer;
  beforeAll(async () => {
    master = await startRedis(['--appendonly', 'yes']);
    replica = await startRedis(['--appendonly', 'yes', '--replicaof', '127.0.0.1', String(master.port)]);
    sentinel = await startRedis([], { watches: master.port });
    const knowsReplica = async (): Promise<void> => {
      const replicas = (await sentinel.client().call('SENTINEL', 'REPLICAS', 'vestibule')) as unknown[];
      if (replicas.length === 0) throw new Error('no replica yet');
      if (!(await replica.client().info('replication')).includes('master_link_status:up'))
        throw new Error('not linked');
    };
    await untilItWorks(knowsReplica, 30_000);
  });
  afterAll(() => Promise.all([master, replica, sentinel].map((server) => server?.stop())));
  const workspace = useWorkspace(
    openAt(() => ({ sentinels: [{ host: '127.0.0.1', port: sentinel.port }], sentinel_name: 'vestibule' })),
  );
  const now = (): number => workspace.clock.seconds;

  test('the master dies: refused in time, then served by its successor, with what was replicated', async () => {
    const storage = await workspace.open();
    await storage.artifacts.save('AuthorizationCode', 'code', { payload: {}, expiresAt: now() + 600 });
    expect(await storage.artifacts.consumeOnce('AuthorizationCode', 'code', 7)).toBe(true);
    await master.client().wait(1, 5000);
    await master.kill();
    await Promise.all(
      VERBS.map(async ({ call }) => {
        const start = performance.now();
        await expect(call(storage, 'refused', now())).rejects.toMatchObject({ code: 'storage.unavailable' });
        expect(performance.now() - start).toBeLessThan(2000);
      }),
    );
    await untilItWorks(() => storage.ping(), FAILOVER_MS);
    expect(await storage.artifacts.consumeOnce('AuthorizationCode', 'code', 8)).toBe(false);
    for (const { call } of VERBS) await call(storage, 'served', now());
  });
});
