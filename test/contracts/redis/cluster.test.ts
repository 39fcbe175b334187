import { basename } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Redis } from 'ioredis';
import { type RedisServer, startRedis } from '../../support/redis-server.ts';
import { requires } from '../../support/requirements.ts';
import { artifactEndContract } from '../artifact-end.ts';
import { artifactStoreContract } from '../artifact-store.ts';
import { artifactUseContract } from '../artifact-use.ts';
import { counterStoreContract } from '../counter-store.ts';
import { journeyStoreContract } from '../journey-store.ts';
import { lifecycleContract } from '../lifecycle.ts';
import { lockStoreContract } from '../lock-store.ts';
import { ephemeralTransferContract } from '../transfer-store.ts';
import { useWorkspace } from '../workspace.ts';
import { openAt, untilItWorks, VERBS } from './verbs.ts';

const SLOTS = 16_384;

/** Three masters that share the slots. */
async function startCluster(): Promise<RedisServer[]> {
  const settings = ['--cluster-enabled', 'yes', '--cluster-node-timeout', '1000', '--appendonly', 'yes'];
  const nodes = await Promise.all([1, 2, 3].map(() => startRedis(settings)));
  const admins = nodes.map((node) => node.client());
  for (const [index, admin] of admins.entries()) {
    const [from, to] = [index, index + 1].map((third) => Math.floor((third * SLOTS) / 3)) as [number, number];
    await admin.call('CLUSTER', 'ADDSLOTSRANGE', from, to - 1);
    await admin.call('CLUSTER', 'SET-CONFIG-EPOCH', index + 1);
  }
  for (const node of nodes.slice(1)) await admins[0]?.call('CLUSTER', 'MEET', '127.0.0.1', node.port);
  const isWhole = async (admin: Redis): Promise<void> => {
    const state = String(await admin.call('CLUSTER', 'INFO'));
    if (!state.includes('cluster_state:ok') || !state.includes('cluster_known_nodes:3')) throw new Error(state);
  };
  for (const admin of admins) await untilItWorks(() => isWhole(admin), 20_000);
  return nodes;
}

requires('redis-server')('a Redis Cluster of three masters', () => {
  let nodes: RedisServer[] = [];
  beforeAll(async () => {
    nodes = await startCluster();
  });
  afterAll(() => Promise.all(nodes.map((node) => node.stop())));
  const addresses = () => nodes.map(({ port }) => ({ host: '127.0.0.1', port }));
  const open = openAt(() => ({ cluster: addresses().slice(0, 1), timeout: 5 }));

  artifactStoreContract('ephemeral', open);
  artifactUseContract('ephemeral', open);
  artifactEndContract('ephemeral', open);
  journeyStoreContract(open);
  counterStoreContract(open);
  lockStoreContract(open);
  lifecycleContract('ephemeral', open);
  ephemeralTransferContract(open);

  describe('the cluster itself', () => {
    const workspace = useWorkspace(openAt(() => ({ cluster: addresses() })));
    const now = (): number => workspace.clock.seconds;

    test('what many people do is spread over all masters, and nothing of it is for ever', async () => {
      const storage = await workspace.open();
      const admins = nodes.map((node) => node.client());
      for (const admin of admins) await admin.flushall();
      for (let person = 0; person < 200; person++) {
        for (const { call } of VERBS.filter(({ name }) => !/remove|end|clear|giveBack/.test(name))) {
          await call(storage, `person-${person}`, now());
        }
      }
      const keys = await Promise.all(admins.map((admin) => admin.keys('*')));
      const all = keys.reduce((sum, { length }) => sum + length, 0);
      for (const [index, admin] of admins.entries()) {
        expect((keys[index]?.length ?? 0) / all).toBeGreaterThan(0.2);
        for (const key of keys[index] ?? []) expect(await admin.ttl(key)).toBeGreaterThan(0);
      }
    });

    test('a master that is silent: what is on it is refused in time, and found again afterwards', async () => {
      const storage = await workspace.open();
      const ids = Array.from({ length: 60 }, (_, index) => `id-${index}`);
      for (const id of ids)
        await storage.artifacts.save('Session', id, { payload: {}, accountId: id, expiresAt: now() + 60 });
      nodes[1]?.pause();
      try {
        const start = performance.now();
        const outcomes = await Promise.allSettled(ids.map((id) => storage.artifacts.find('Session', id)));
        expect(performance.now() - start).toBeLessThan(2000);
        const refused = outcomes.filter((outcome) => outcome.status === 'rejected');
        expect(refused.length).toBeGreaterThan(5);
        for (const { reason } of refused) expect(reason).toMatchObject({ code: 'storage.unavailable', status: 503 });
        const found = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []));
        // Never "not found" for what is only out of reach.
        expect(found.filter((artifact) => artifact === undefined)).toEqual([]);
        await expect(storage.ping()).rejects.toMatchObject({ code: 'storage.unavailable' });
      } finally {
        nodes[1]?.resume();
      }
      const findAll = async (): Promise<void> => {
        for (const id of ids) expect(await storage.artifacts.find('Session', id)).toBeDefined();
      };
      expect(await untilItWorks(findAll, 5000)).toBeLessThan(5000);
      await untilItWorks(() => storage.ping(), 5000);
    });

    test('an entry in the index comes before its record: what is not in it is not there either', async () => {
      const storage = await workspace.open();
      const admin = nodes[0]?.client();
      const prefix = `${basename(workspace.directory)}:`;
      const isOnTheLast = async (account: string): Promise<boolean> => {
        const slot = Number(await admin?.call('CLUSTER', 'KEYSLOT', `${prefix}i:account:Session:${account}`));
        return slot >= Math.floor((2 * SLOTS) / 3);
      };
      let account = 'acc';
      while (!(await isOnTheLast(account))) account += 'x';
      const ids = Array.from({ length: 100 }, (_, index) => `half-${index}`);
      nodes[2]?.pause();
      const record = { payload: {}, accountId: account, expiresAt: now() + 3600 };
      const saved = await Promise.allSettled(ids.map((id) => storage.artifacts.save('Session', id, record)));
      nodes[2]?.resume();
      expect(saved.filter(({ status }) => status === 'fulfilled')).toEqual([]);
      await untilItWorks(() => storage.ping(), 5000);
      const left = await Promise.all(ids.map((id) => storage.artifacts.find('Session', id)));
      expect(left.filter((artifact) => artifact !== undefined)).toEqual([]);
    });

    test('slots that move to another master are followed', async () => {
      const storage = await workspace.open();
      await storage.counters.increment([{ key: 'moving', windowSeconds: 60 }]);
      const admins = nodes.map((node) => node.client());
      const key = `${basename(workspace.directory)}:c:moving`;
      const slot = Number(await admins[0]?.call('CLUSTER', 'KEYSLOT', key));
      const owner = Math.min(Math.floor((slot * 3) / SLOTS), 2);
      const heir = (owner + 1) % 3;
      const ids = await Promise.all(admins.map(async (admin) => String(await admin.call('CLUSTER', 'MYID'))));
      await admins[heir]?.call('CLUSTER', 'SETSLOT', slot, 'IMPORTING', String(ids[owner]));
      await admins[owner]?.call('CLUSTER', 'SETSLOT', slot, 'MIGRATING', String(ids[heir]));
      await admins[owner]?.migrate('127.0.0.1', nodes[heir]?.port ?? 0, key, 0, 5000);
      expect(await storage.counters.increment([{ key: 'moving', windowSeconds: 60 }])).toMatchObject([{ count: 2 }]);
      for (const index of [heir, owner, 3 - heir - owner]) {
        await admins[index]?.call('CLUSTER', 'SETSLOT', slot, 'NODE', String(ids[heir]));
      }
      expect(await storage.counters.increment([{ key: 'moving', windowSeconds: 60 }])).toMatchObject([{ count: 3 }]);
    });
  });
});
