import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Keys } from '../../../src/storage/redis/keys.ts';
import { type RedisServer, startRedis } from '../../support/redis-server.ts';
import { requires } from '../../support/requirements.ts';
import { useWorkspace } from '../workspace.ts';
import { openAt, VERBS } from './verbs.ts';

/** What ids and keys may hold, and what of it means something to Redis, to Lua or to the names of keys. */
const ODD = [
  '{a}',
  '}{',
  '{',
  '}',
  'a:b',
  ':',
  '',
  ' ',
  '\0',
  'a\0b',
  '\n',
  '"',
  "'",
  '\\',
  '%',
  '%7B',
  '*',
  '[a-z]',
  'é',
  '😀',
  '…#1',
  'x'.repeat(2000),
];

requires('redis-server')('keys in Redis', () => {
  let server: RedisServer;
  beforeAll(async () => {
    server = await startRedis();
  });
  afterAll(() => server.stop());
  const workspace = useWorkspace(openAt(() => ({ url: server.url, key_prefix: 'here:' })));
  const inSeconds = (seconds: number): number => workspace.clock.seconds + seconds;

  /** Every command that reaches the server meanwhile, without what scripts call. */
  const commandsDuring = async (work: () => Promise<unknown>): Promise<string[]> => {
    const monitor = await server.client().monitor();
    const seen: string[] = [];
    monitor.on('monitor', (_time: string, [name = '']: string[], source: string) => {
      if (source !== 'lua') seen.push(name.toLowerCase());
    });
    const marker = server.client();
    await work();
    await new Promise<void>((resolve) => {
      monitor.on('monitor', (_time: string, [, text]: string[]) => {
        if (text === 'the end') resolve();
      });
      void marker.echo('the end');
    });
    monitor.disconnect();
    return seen.slice(0, seen.indexOf('echo')).filter((name) => !['info', 'client', 'auth', 'hello'].includes(name));
  };

  test('each verb is as many commands as it may be, one for most', async () => {
    const storage = await workspace.open();
    for (const { call } of VERBS) await call(storage, 'first', inSeconds(0));
    for (const { name, trips, call } of VERBS) {
      const commands = await commandsDuring(() => call(storage, 'counted', inSeconds(0)));
      // Two: the index, then everything that was found, one here.
      expect({ name, commands, isAllowed: commands.length <= trips && commands.length >= 1 }).toMatchObject({
        name,
        isAllowed: true,
      });
    }
  });

  test('none is for ever, whatever wrote it: also those of accounts, grants and sessions', async () => {
    const storage = await workspace.open();
    const admin = server.client();
    await admin.flushall();
    for (const { name, call } of VERBS) {
      await call(storage, `key of ${name}`, inSeconds(0));
      const keys = await admin.keys('*');
      const ends = await Promise.all(keys.map(async (key) => [key, await admin.ttl(key)] as const));
      expect(ends.filter(([, ttl]) => ttl < 1 || ttl > 8000)).toEqual([]);
    }
    await storage.artifacts.save('Client', 'far off', { payload: {}, uid: 'u', expiresAt: Number.MAX_SAFE_INTEGER });
    await storage.counters.increment([{ key: 'far off', windowSeconds: Number.MAX_SAFE_INTEGER - inSeconds(0) }]);
    const rule = { tries: 1, first: 1, longest: Number.MAX_SAFE_INTEGER, memory: Number.MAX_SAFE_INTEGER };
    await storage.locks.take('p:far off', rule);
    for (const key of await admin.keys('*')) expect(await admin.ttl(key)).toBeGreaterThan(0);
  });

  test('an index keeps nothing of what has expired', async () => {
    const storage = await workspace.open();
    const admin = server.client();
    await admin.flushall();
    for (let hour = 0; hour < 5; hour++) {
      for (const id of ['a', 'b', 'c']) {
        await storage.artifacts.save('Session', `${id}-${hour}`, {
          payload: {},
          accountId: 'acc',
          expiresAt: inSeconds(60),
        });
        await storage.locks.take(`p:${id}-${hour}:d`, { tries: 5, first: 60, longest: 60, memory: 60 });
        await storage.locks.take(`p:same:${id}-${hour}`, { tries: 5, first: 60, longest: 60, memory: 60 });
      }
      workspace.clock.advance(3600);
    }
    const sizes = await Promise.all(
      (await admin.keys('here:[if]:*')).map(async (key) => [key, await admin.zcard(key)] as const),
    );
    expect(sizes.filter(([, size]) => size > 3)).toEqual([]);
    for (const key of await admin.keys('here:l:*same*')) expect(await admin.hlen(key)).toBeLessThanOrEqual(17);
  });

  test('ids may hold anything: each is another, and comes back as it was', async () => {
    const { artifacts, journeys, counters, locks } = await workspace.open();
    await server.client().flushall();
    const rule = { tries: 2, first: 60, longest: 60, memory: 60 };
    for (const [index, id] of ODD.entries()) {
      const members = { grantId: `g${id}`, uid: `u${id}`, userCode: `c${id}`, accountId: `a${id}` };
      const artifact = { payload: { index, [id]: id }, ...members, expiresAt: inSeconds(60) };
      expect(await artifacts.insertOnly(`Kind${id}`, id, artifact)).toBe(true);
      expect(await artifacts.find(`Kind${id}`, id)).toEqual(artifact);
      expect(await artifacts.findByUid(`Kind${id}`, `u${id}`)).toEqual({ id, artifact });
      expect(await artifacts.findByUserCode(`Kind${id}`, `c${id}`)).toEqual({ id, artifact });
      expect(await artifacts.consumeOnce(`Kind${id}`, id, 5)).toBe(true);
      expect(await journeys.save({ uid: id, state: { id }, expiresAt: inSeconds(60) }, 0)).toBe(true);
      expect((await journeys.find(id))?.state).toEqual({ id });
      expect(await counters.increment([{ key: id, windowSeconds: 60 }])).toMatchObject([{ count: 1 }]);
      expect(await locks.take(`p${index}:${id}`, rule)).toEqual({ admitted: 1 });
      expect(await locks.take(`p${index}:${id}`, rule)).toMatchObject({ admitted: 2 });
    }
    for (const [index, id] of ODD.entries()) {
      expect((await artifacts.find(`Kind${id}`, id))?.payload).toEqual({ index, [id]: id });
      await artifacts.endByAccount(`Kind${id}`, `a${id}`, { at: 9, until: inSeconds(60), exceptUid: `u${id}` });
      expect((await artifacts.find(`Kind${id}`, id))?.payload).toEqual({ index, [id]: id });
      await artifacts.endByAccount(`Kind${id}`, `a${id}`, { at: 9, until: inSeconds(60), exceptUid: `${id}` });
      expect((await artifacts.find(`Kind${id}`, id))?.payload).toEqual({});
      await artifacts.removeByGrant(`Kind${id}`, `g${id}`);
      expect(await artifacts.find(`Kind${id}`, id)).toBeUndefined();
      expect(await locks.clear(`p${index}:${id}`)).toBe(true);
    }
  });

  test('everything stays within its prefix', async () => {
    const storage = await workspace.open();
    const admin = server.client();
    await admin.flushall();
    for (const id of ODD) for (const { call } of VERBS) await call(storage, id, inSeconds(0));
    expect((await admin.keys('*')).filter((key) => !key.startsWith('here:'))).toEqual([]);
  });

  test('no slot of a cluster gets everything, and what one script needs is in one', () => {
    const keys = new Keys('vestibule:');
    const ids = Array.from({ length: 20_000 }, (_, index) => `id-${(index * 2_654_435_761) % 2 ** 32}`);
    const shareOfThree = (names: readonly string[]): number => {
      const masters = names.map((name) => Math.floor((crc16(name) * 3) / 16_384));
      return Math.max(...[0, 1, 2].map((one) => masters.filter((master) => master === one).length)) / names.length;
    };
    for (const names of [
      ids.map((id) => keys.artifact('Session', id)),
      ids.map((id) => keys.index('account', 'Session', id)),
      ids.map((id) => keys.index('grant', 'AccessToken', id)),
      ids.map((id) => keys.journey(id)),
      ids.map((id) => keys.counter(`login:${id}`)),
      ids.map((id) => keys.family(`password:${id}`).locks),
    ]) {
      expect(shareOfThree(names)).toBeLessThan(0.4);
    }
    for (const id of ['{', '}', '{}', 'a}b{c', ...ids.slice(0, 100)]) {
      const { locks, bucket } = keys.family(`${id}:${id}:${id}`);
      expect(crc16(locks)).toBe(crc16(bucket));
    }
    const busiest = new Map<number, number>();
    for (const id of ids) {
      const slot = crc16(keys.family(`password:${id}`).locks);
      busiest.set(slot, (busiest.get(slot) ?? 0) + 1);
    }
    expect(Math.max(...busiest.values())).toBeLessThan(ids.length / 50);
  });
});

/** Slot of a key: CRC16 (XMODEM) of what stands between the first braces (Redis Cluster specification). */
function crc16(key: string): number {
  const open = key.indexOf('{');
  const shut = key.indexOf('}', open);
  const hashed = open >= 0 && shut > open + 1 ? key.slice(open + 1, shut) : key;
  let crc = 0;
  for (const byte of Buffer.from(hashed)) {
    crc ^= byte << 8;
    for (let bit = 0; bit < 8; bit++) crc = crc & 0x8000 ? ((crc << 1) ^ 0x1021) & 0xffff : (crc << 1) & 0xffff;
  }
  return crc % 16_384;
}
