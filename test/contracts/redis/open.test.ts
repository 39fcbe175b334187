import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect, promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { systemClock } from '../../../src/kernel/clock.ts';
import { OperatorError } from '../../../src/kernel/errors.ts';
import { createLogger } from '../../../src/kernel/logger.ts';
import type { EphemeralStorage } from '../../../src/storage/ports.ts';
import { openEphemeral, type RedisSettings } from '../../../src/storage/redis/index.ts';
import { freePort } from '../../support/ports.ts';
import { type RedisServer, startRedis } from '../../support/redis-server.ts';
import { requires } from '../../support/requirements.ts';
import { LogLines } from '../workspace.ts';
import { settingsOf } from './verbs.ts';

const SECRET = 'hush-%41-€';
const IN_URL = encodeURIComponent(SECRET);

let log = new LogLines();
const opened: EphemeralStorage[] = [];
afterEach(async () => {
  await Promise.all(opened.splice(0).map((storage) => storage.close()));
});

async function open(settings: Partial<RedisSettings>): Promise<EphemeralStorage> {
  log = new LogLines();
  const storage = await openEphemeral(settingsOf(settings), { clock: systemClock, logger: createLogger('info', log) });
  opened.push(storage);
  return storage;
}

/** What it is refused for. Never with a secret, in the message or in anything the error carries. */
async function refusalOf(settings: Partial<RedisSettings>): Promise<string> {
  const error = await open(settings).then(
    () => new Error('it opened'),
    (thrown: Error) => thrown,
  );
  expect(error).toBeInstanceOf(OperatorError);
  expect(error.cause).toBeUndefined();
  for (const secret of [SECRET, IN_URL]) expect(`${error.message} ${JSON.stringify(error)}`).not.toContain(secret);
  return error.message;
}

describe('settings for Redis that can’t be meant', () => {
  test.each<[what: string, url: string, message: RegExp]>([
    ['another scheme', 'http://127.0.0.1:1', /url must be redis:/],
    ['no address', `redis://user:${IN_URL}@`, /url must be redis:/],
    [
      'options of the driver',
      `redis://:${IN_URL}@127.0.0.1:1?family=6&path=/tmp/x`,
      /settings have names of their own/,
    ],
    ['a database by name', `redis://:${IN_URL}@127.0.0.1:1/people`, /database by its number/],
  ])('%s is refused', async (_what, url, message) => {
    expect(await refusalOf({ url })).toMatch(message);
  });

  test('a certificate that isn’t there is named', async () => {
    const settings = { url: 'rediss://127.0.0.1:1', tls: { ca: '/nowhere/ca.pem' } };
    expect(await refusalOf(settings)).toMatch(/tls\.ca: \/nowhere\/ca\.pem can’t be read \(ENOENT\)/);
  });
});

requires('redis-server')('opening Redis', () => {
  let server: RedisServer;
  let protectedServer: RedisServer;
  beforeAll(async () => {
    server = await startRedis(['--appendonly', 'yes']);
    protectedServer = await startRedis(['--requirepass', SECRET]);
  });
  afterAll(() => Promise.all([server.stop(), protectedServer.stop()]));

  test('a server that is away is waited for some seconds, then named', async () => {
    const port = await freePort();
    const start = performance.now();
    expect(await refusalOf({ url: `redis://u:${IN_URL}@127.0.0.1:${port}` })).toMatch(
      new RegExp(`Redis at 127\\.0\\.0\\.1:${port} .*does not answer.*ECONNREFUSED`),
    );
    expect(performance.now() - start).toBeGreaterThan(3000);
    expect(performance.now() - start).toBeLessThan(8000);
  });

  test('one that comes meanwhile is used', async () => {
    const late = await startRedis();
    await late.kill();
    const opening = open({ url: late.url });
    await new Promise((resolve) => setTimeout(resolve, 300));
    await late.restart();
    await (await opening).ping();
    await late.stop();
  });

  test('one that accepts connections and says nothing is named', async () => {
    const silent = createServer();
    const port = await freePort();
    await new Promise<void>((resolve) => silent.listen(port, '127.0.0.1', resolve));
    expect(await refusalOf({ url: `redis://127.0.0.1:${port}` })).toMatch(/does not answer/);
    silent.close();
  });

  test.each<[what: string, credentials: string, message: RegExp]>([
    ['a wrong password', `:${IN_URL}x@`, /refuses the username or the password/],
    ['an unknown user', `nobody:${IN_URL}@`, /refuses the username or the password/],
    ['no password', '', /wants a password, and none is set/],
  ])('%s is refused at once, without a word of it', async (_what, credentials, message) => {
    const start = performance.now();
    expect(await refusalOf({ url: `redis://${credentials}127.0.0.1:${protectedServer.port}` })).toMatch(message);
    expect(performance.now() - start).toBeLessThan(2000);
  });

  test('the right password opens, from the URL or by itself', async () => {
    await (await open({ url: `redis://:${IN_URL}@127.0.0.1:${protectedServer.port}` })).ping();
    await (await open({ url: protectedServer.url, password: SECRET })).ping();
  });

  test('databases are apart', async () => {
    const [one, two] = [await open({ url: `${server.url}/1` }), await open({ url: server.url, database: 2 })];
    await one.counters.increment([{ key: 'k', windowSeconds: 60 }]);
    expect(await two.counters.increment([{ key: 'k', windowSeconds: 60 }])).toMatchObject([{ count: 1 }]);
    expect(await refusalOf({ url: `${server.url}/999` })).toMatch(/no such database/);
  });

  test('a server set up as it should be is not commented on', async () => {
    await open({ url: server.url });
    expect(log.lines).toEqual([]);
  });

  test('one that evicts, or forgets when it is killed, is warned of', async () => {
    const careless = await startRedis([
      '--appendonly',
      'no',
      '--maxmemory',
      '64mb',
      '--maxmemory-policy',
      'allkeys-lru',
    ]);
    await open({ url: careless.url });
    expect(log.lines).toMatchObject([
      { level: 'warn', event: 'storage.redis.evicts', policy: 'allkeys-lru' },
      { level: 'warn', event: 'storage.redis.forgets' },
    ]);
    const admin = careless.client();
    await admin.acl('SETUSER', 'blind', 'on', '>x', '~*', '+@all', '-info');
    await open({ url: careless.url, username: 'blind', password: 'x' });
    expect(log.lines).toMatchObject([{ level: 'warn', event: 'storage.redis.unknown' }]);
    await careless.stop();
  });

  test('a replica, a node of a cluster and a Sentinel are told from a master', async () => {
    const replica = await startRedis(['--replicaof', '127.0.0.1', String(server.port)]);
    const node = await startRedis(['--cluster-enabled', 'yes']);
    const sentinel = await startRedis([], { watches: server.port });
    expect(await refusalOf({ url: replica.url })).toMatch(/is a replica/);
    expect(await refusalOf({ url: node.url })).toMatch(/is a cluster: list its nodes/);
    expect(await refusalOf({ url: sentinel.url })).toMatch(/is a Sentinel/);
    await Promise.all([replica.stop(), node.stop(), sentinel.stop()]);
  });

  test('an error of the server is logged without arguments: no payload, no password', async () => {
    const storage = await open({ url: server.url });
    await server.client().set('vestibule:a:Session:k', 'not a record');
    const failed = await storage.artifacts
      .save('Session', 'k', { payload: { token: SECRET }, expiresAt: Math.floor(Date.now() / 1000) + 60 })
      .catch((error: Error) => error);
    expect(failed).toMatchObject({ code: 'storage.unavailable' });
    const lines = new LogLines();
    createLogger('info', lines).error({ err: failed }, 'x');
    expect(JSON.stringify(lines.lines)).not.toContain(SECRET);
    expect(inspect(failed, { depth: 10, showHidden: true })).not.toContain(SECRET);
  });

  test('TLS: a server is trusted by its certificate, and only so', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'vestibule-tls-'));
    const [cert, key] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
    const made = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];
    const named = ['-subj', '/CN=redis.internal', '-addext', 'subjectAltName=DNS:redis.internal'];
    await promisify(execFile)('openssl', [...made, ...named, '-keyout', key, '-out', cert]);
    const port = await freePort();
    const secured = await startRedis([
      ...['--tls-port', String(port), '--tls-cert-file', cert, '--tls-key-file', key, '--tls-ca-cert-file', cert],
      ...['--appendonly', 'yes'],
    ]);
    const url = `rediss://127.0.0.1:${port}`;
    await (await open({ url, tls: { ca: cert, cert, key, server_name: 'redis.internal' } })).ping();
    expect(await refusalOf({ url, tls: { cert, key, server_name: 'redis.internal' } })).toMatch(
      /can’t be trusted by TLS/,
    );
    expect(await refusalOf({ url, tls: { ca: cert, cert, key, server_name: 'other' } })).toMatch(
      /can’t be trusted by TLS/,
    );
    await secured.stop();
    await rm(folder, { recursive: true });
  });
});
