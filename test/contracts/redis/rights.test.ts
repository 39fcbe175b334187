import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import type { Redis } from 'ioredis';
import { systemClock } from '../../../src/kernel/clock.ts';
import { OperatorError } from '../../../src/kernel/errors.ts';
import { createLogger } from '../../../src/kernel/logger.ts';
import type { EphemeralStorage } from '../../../src/storage/ports.ts';
import { openEphemeral, type RedisSettings } from '../../../src/storage/redis/index.ts';
import { repositoryFile } from '../../support/containers.ts';
import { type RedisServer, startRedis } from '../../support/redis-server.ts';
import { requires } from '../../support/requirements.ts';
import { ephemeralTransferContract } from '../transfer-store.ts';
import { LogLines } from '../workspace.ts';
import { openAt, settingsOf, untilItWorks, VERBS } from './verbs.ts';

const USER = { username: 'vestibule', password: 'of-the-user' };
/** What a Redis Cluster needs besides: where which keys are; and to follow them when they move, in Redis 6.2. */
const IN_A_CLUSTER = ['+cluster|slots', '+cluster|info', '+asking'];

/** What the user of docker-compose.yml may do, with its keys: the line that the README shows. */
function rights(): readonly string[] {
  const [, line] = /^user vestibule .* ~vestibule:\* (.+)$/m.exec(repositoryFile('examples/compose/setup.sh')) ?? [];
  if (line === undefined) throw new Error('setup.sh makes no such user');
  return line.split(' ');
}

const makeUser = (admin: Redis, keys: string, ...more: readonly string[]): Promise<unknown> =>
  admin.acl('SETUSER', USER.username, 'reset', 'on', `>${USER.password}`, `~${keys}*`, ...rights(), ...more);

const opened: EphemeralStorage[] = [];
afterEach(async () => {
  await Promise.all(opened.splice(0).map((storage) => storage.close()));
});

async function open(settings: Partial<RedisSettings>): Promise<EphemeralStorage> {
  const log = new LogLines();
  const context = { clock: systemClock, logger: createLogger('info', log) };
  const storage = await openEphemeral(settingsOf({ ...USER, ...settings }), context);
  opened.push(storage);
  // It could see how the server is set up.
  expect(log.lines).toEqual([]);
  return storage;
}

async function doEverything(storage: EphemeralStorage): Promise<void> {
  for (const { call } of VERBS) await call(storage, 'k', Math.floor(Date.now() / 1000));
}

requires('redis-server')('a user of Redis with rights on its keys alone', () => {
  let server: RedisServer;
  beforeAll(async () => {
    server = await startRedis(['--appendonly', 'yes']);
  });
  afterAll(() => server.stop());

  test('is enough for every verb', async () => {
    await makeUser(server.client(), 'mine:');
    await doEverything(await open({ url: server.url, key_prefix: 'mine:' }));
    await doEverything(await open({ url: server.url, key_prefix: 'mine:', database: 1 }));
  });

  test('can’t reach the keys of others', async () => {
    await makeUser(server.client(), 'mine:');
    const elsewhere = await open({ url: server.url, key_prefix: 'yours:' });
    await expect(elsewhere.artifacts.find('Session', 'k')).rejects.toMatchObject({ code: 'storage.unavailable' });
    await expect(elsewhere.ping()).rejects.toMatchObject({ code: 'storage.unavailable' });
  });

  test.each([
    ['FLUSHALL'],
    ['FLUSHDB'],
    ['SWAPDB', '0', '1'],
    ['KEYS', '*'],
    ['CONFIG', 'GET', 'requirepass'],
    ['CONFIG', 'SET', 'appendonly', 'no'],
    ['ACL', 'LIST'],
    ['CLIENT', 'KILL', 'TYPE', 'normal'],
    ['MONITOR'],
    ['REPLICAOF', 'NO', 'ONE'],
    ['SHUTDOWN'],
    ['PUBLISH', 'channel', 'message'],
    ['EVAL', "return redis.call('FLUSHALL')", '0'],
    ['EVAL', "return redis.call('GET', 'yours:k')", '0'],
  ])('is refused %s %s', async (name, ...values) => {
    await makeUser(server.client(), 'mine:');
    const client = server.client(USER);
    await expect(client.call(name, ...values)).rejects.toThrow(
      /NOPERM|can't (run this command|access at least one of the keys)/,
    );
    expect(await client.call('PING')).toBe('PONG');
  });

  describe('copies', () => {
    // What folders of tests are called, and with them the prefixes of keys.
    beforeAll(() => makeUser(server.client(), 'vestibule-storage-'));
    ephemeralTransferContract(openAt(() => ({ url: server.url, ...USER })));
  });
});

requires('redis-server')('a user of a Redis Cluster with rights on its keys alone', () => {
  let node: RedisServer;
  beforeAll(async () => {
    node = await startRedis(['--cluster-enabled', 'yes', '--cluster-announce-ip', '127.0.0.1', '--appendonly', 'yes']);
    const admin = node.client();
    await admin.call('CLUSTER', 'ADDSLOTSRANGE', 0, 16_383);
    await untilItWorks(async () => {
      const state = String(await admin.call('CLUSTER', 'INFO'));
      if (!state.includes('cluster_state:ok')) throw new Error(state);
    }, 20_000);
  });
  afterAll(() => node.stop());
  const cluster = () => [{ host: '127.0.0.1', port: node.port }];

  test('needs to ask where keys are besides, and then is enough for every verb', async () => {
    for (const needed of ['+cluster|slots', '+cluster|info']) {
      await makeUser(node.client(), 'mine:', ...IN_A_CLUSTER.filter((right) => right !== needed));
      await expect(open({ cluster: cluster(), key_prefix: 'mine:' })).rejects.toThrow(OperatorError);
    }
    await makeUser(node.client(), 'mine:', ...IN_A_CLUSTER);
    await doEverything(await open({ cluster: cluster(), key_prefix: 'mine:' }));
    const client = node.client(USER);
    const refused: readonly [string, ...string[]][] = [
      ['FLUSHALL'],
      ['KEYS', '*'],
      ['CLUSTER', 'RESET'],
      ['CLUSTER', 'FLUSHSLOTS'],
    ];
    for (const command of refused) await expect(client.call(...command)).rejects.toThrow(/NOPERM/);
  });

  describe('copies', () => {
    beforeAll(() => makeUser(node.client(), 'vestibule-storage-', ...IN_A_CLUSTER));
    ephemeralTransferContract(openAt(() => ({ cluster: cluster(), ...USER })));
  });
});
