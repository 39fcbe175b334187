import { connect, createServer, type Server, type Socket } from 'node:net';
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import type { EphemeralStorage } from '../../../src/storage/ports.ts';
import { freePort } from '../../support/ports.ts';
import { type RedisServer, startRedis } from '../../support/redis-server.ts';
import { requires } from '../../support/requirements.ts';
import { useWorkspace } from '../workspace.ts';
import { openAt, untilItWorks, VERBS, WRITES } from './verbs.ts';

const UNAVAILABLE = { code: 'storage.unavailable', status: 503, retryAfter: 5 };
/** No answer may be later, whatever happens to the server. */
const LATEST_MS = 2000;
/** From the server's return to the first answer. */
const BACK_MS = 5000;

/** Every verb is refused, each in time. */
async function expectRefusals(storage: EphemeralStorage, now: number, only = VERBS): Promise<void> {
  await Promise.all(
    only.map(async ({ name, call }) => {
      const start = performance.now();
      const outcome = await call(storage, 'refused', now).then(
        (value) => ({ name, value }),
        (error: unknown) => error,
      );
      expect(outcome).toMatchObject(UNAVAILABLE);
      expect({ name, inTime: performance.now() - start < LATEST_MS }).toEqual({ name, inTime: true });
    }),
  );
}

requires('redis-server')('when Redis fails', () => {
  let server: RedisServer;
  beforeAll(async () => {
    server = await startRedis(['--appendonly', 'yes', '--appendfsync', 'always']);
  });
  afterAll(() => server.stop());
  afterEach(() => server.resume());
  const workspace = useWorkspace(openAt(() => ({ url: server.url })));
  const inSeconds = (seconds: number): number => workspace.clock.seconds + seconds;
  const code = () => ({ payload: {}, expiresAt: inSeconds(60) });

  test('stopped in the middle: every verb is refused in time, nothing is granted, and it recovers by itself', async () => {
    const storage = await workspace.open();
    await storage.artifacts.save('AuthorizationCode', 'code', code());
    server.pause();
    await expectRefusals(storage, inSeconds(0));
    await expectRefusals(storage, inSeconds(0));
    server.resume();
    expect(await untilItWorks(() => storage.ping(), BACK_MS)).toBeLessThan(BACK_MS);
    expect(workspace.log.lines.map(({ event }) => event)).toEqual(['storage.redis.lost', 'storage.redis.back']);
  });

  test('what was asked of a stopped server and refused is used at most once all the same', async () => {
    const storage = await workspace.open();
    await storage.artifacts.save('AuthorizationCode', 'code', code());
    server.pause();
    await expect(storage.artifacts.consumeOnce('AuthorizationCode', 'code', 1)).rejects.toMatchObject(UNAVAILABLE);
    server.resume();
    let used: boolean[] = [];
    const useIt = async () => {
      used = await Promise.all([1, 2, 3].map((at) => storage.artifacts.consumeOnce('AuthorizationCode', 'code', at)));
    };
    await untilItWorks(useIt, BACK_MS);
    expect(used.filter(Boolean).length).toBeLessThanOrEqual(1);
    expect((await storage.artifacts.find('AuthorizationCode', 'code'))?.consumedAt).toBeDefined();
  });

  test('kill -9: refused at once while it is away; after the restart every acknowledged write is there', async () => {
    const storage = await workspace.open();
    const acknowledged: number[] = [];
    const tried = Array.from({ length: 400 }, async (_, index) => {
      await storage.artifacts.save('AuthorizationCode', `code-${index}`, code());
      if (await storage.artifacts.consumeOnce('AuthorizationCode', `code-${index}`, 7)) acknowledged.push(index);
      if (acknowledged.length === 100) await server.kill();
    });
    await Promise.allSettled(tried);
    expect(acknowledged.length).toBeGreaterThanOrEqual(100);
    await expectRefusals(storage, inSeconds(0));
    await server.restart();
    await untilItWorks(() => storage.ping(), BACK_MS);
    for (const index of acknowledged) {
      const id = `code-${index}`;
      expect(await storage.artifacts.consumeOnce('AuthorizationCode', id, 8)).toBe(false);
      expect((await storage.artifacts.find('AuthorizationCode', id))?.consumedAt).toBe(7);
    }
  });

  test('its scripts forgotten, it is told them again', async () => {
    const storage = await workspace.open();
    for (const { call } of VERBS) await call(storage, 'before', inSeconds(0));
    await server.client().script('FLUSH');
    for (const { name, call } of VERBS)
      await expect(call(storage, 'after', inSeconds(0)).then(() => name)).resolves.toBe(name);
  });

  test('memory full: writes are refused, the probe with them, and what is there is read', async () => {
    const storage = await workspace.open();
    const admin = server.client();
    await storage.artifacts.save('Session', 'there', code());
    await admin.config('SET', 'maxmemory', '1');
    try {
      await expectRefusals(
        storage,
        inSeconds(0),
        VERBS.filter(({ name }) => WRITES.has(name)),
      );
      expect(await storage.artifacts.find('Session', 'there')).toBeDefined();
    } finally {
      await admin.config('SET', 'maxmemory', '0');
    }
    await storage.ping();
  });

  test('demoted to a replica: writes are refused, and it recovers when it is the master again', async () => {
    const storage = await workspace.open();
    const admin = server.client();
    await admin.replicaof('127.0.0.1', await freePort());
    try {
      await expectRefusals(
        storage,
        inSeconds(0),
        VERBS.filter(({ name }) => WRITES.has(name)),
      );
    } finally {
      await admin.replicaof('NO', 'ONE');
    }
    expect(await untilItWorks(() => storage.ping(), BACK_MS)).toBeLessThan(BACK_MS);
  });

  test('a password set while it runs: refused after the next reconnection, and again accepted without it', async () => {
    const storage = await workspace.open();
    const admin = server.client();
    await admin.config('SET', 'requirepass', 'a new password');
    await admin.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
    try {
      await untilItWorks(() => expectRefusals(storage, inSeconds(0)), LATEST_MS);
    } finally {
      await admin.config('SET', 'requirepass', '');
    }
    expect(await untilItWorks(() => storage.ping(), BACK_MS)).toBeLessThan(BACK_MS);
  });

  test('nobody waits in a queue: of any number asked while it is away each is refused at once', async () => {
    const storage = await workspace.open();
    await server.kill();
    try {
      await expect(storage.ping()).rejects.toMatchObject(UNAVAILABLE);
      const refused = storage.artifacts.find('Session', 'one').catch(() => 'refused');
      // Before anything else has its turn, so without having waited for anything.
      expect(await Promise.race([refused, new Promise((resolve) => setImmediate(resolve, 'waiting'))])).toBe('refused');
      const calls = Array.from({ length: 10_000 }, (_, index) => storage.artifacts.find('Session', `${index}`));
      const outcomes = await Promise.allSettled(calls);
      expect(outcomes.filter(({ status }) => status === 'fulfilled')).toEqual([]);
    } finally {
      await server.restart();
    }
  });

  test('of a flood that meets a silent server only so many wait', async () => {
    const storage = await workspace.open();
    server.pause();
    const start = performance.now();
    const refusedAfter: number[] = [];
    const calls = Array.from({ length: 8000 }, (_, index) =>
      storage.artifacts.find('Session', `${index}`).catch(() => refusedAfter.push(performance.now() - start)),
    );
    await Promise.all(calls);
    expect(refusedAfter).toHaveLength(8000);
    expect(refusedAfter.filter((ms) => ms > 900).length).toBeLessThanOrEqual(5000);
  });

  test('a connection cut between a command and its answer: refused, never sent twice', async () => {
    const proxy = new GoBetween(server.port);
    await proxy.listen();
    const storage = await openAt(() => ({ url: proxy.url }))(workspace.directory, workspace.context);
    const count = () => storage.counters.increment([{ key: 'k', windowSeconds: 60 }]);
    try {
      expect(await count()).toMatchObject([{ count: 1 }]);
      proxy.cutAtNextAnswer();
      await expect(count()).rejects.toMatchObject(UNAVAILABLE);
      let reading: unknown;
      await untilItWorks(async () => {
        reading = await count();
      }, BACK_MS);
      // Executed once: the answer was lost, not the command.
      expect(reading).toMatchObject([{ count: 3 }]);
    } finally {
      await storage.close();
      await proxy.close();
    }
  });

  test('slow rather than silent: an answer that comes late is waited for no longer, in verbs of several steps neither', async () => {
    const proxy = new GoBetween(server.port);
    await proxy.listen();
    const storage = await openAt(() => ({ url: proxy.url }))(workspace.directory, workspace.context);
    try {
      await storage.artifacts.save('Session', 'id', { ...code(), accountId: 'acc' });
      proxy.delay = 700;
      const start = performance.now();
      const end = { at: inSeconds(0), until: inSeconds(60) };
      await expect(storage.artifacts.endByAccount('Session', 'acc', end)).rejects.toMatchObject(UNAVAILABLE);
      expect(performance.now() - start).toBeLessThan(LATEST_MS);
    } finally {
      await storage.close();
      await proxy.close();
    }
  });

  test('behind an address that moves to the successor, the connection to the demoted server is given up', async () => {
    const successor = await startRedis();
    const proxy = new GoBetween(server.port);
    await proxy.listen();
    const storage = await openAt(() => ({ url: proxy.url }))(workspace.directory, workspace.context);
    const admin = server.client();
    try {
      proxy.target = successor.port;
      await admin.replicaof('127.0.0.1', successor.port);
      await expect(storage.ping()).rejects.toMatchObject(UNAVAILABLE);
      expect(await untilItWorks(() => storage.ping(), BACK_MS)).toBeLessThan(BACK_MS);
    } finally {
      await storage.close();
      await proxy.close();
      await admin.replicaof('NO', 'ONE');
      await successor.stop();
    }
  });

  test('closing while it is silent takes no longer than an answer', async () => {
    const storage = await workspace.open();
    server.pause();
    const late = expect(storage.ping()).rejects.toMatchObject(UNAVAILABLE);
    const start = performance.now();
    await storage.close();
    expect(performance.now() - start).toBeLessThan(LATEST_MS);
    await late;
  });
});

/** Stands between the engine and a server, and passes everything on until it is told otherwise. */
class GoBetween {
  url = '';
  target: number;
  /** Milliseconds each answer takes longer. */
  delay = 0;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #cuts = false;

  constructor(target: number) {
    this.target = target;
    this.#server = createServer((near) => {
      const far = connect(this.target, '127.0.0.1');
      for (const socket of [near, far]) {
        this.#sockets.add(socket);
        socket.on('error', () => undefined).on('close', () => this.#sockets.delete(socket));
      }
      near.pipe(far);
      far.on('close', () => near.destroy());
      near.on('close', () => far.destroy());
      far.on('data', (answer) => {
        if (!this.#cuts) return void setTimeout(() => near.write(answer), this.delay);
        this.#cuts = false;
        near.resetAndDestroy();
        far.destroy();
      });
    });
  }

  async listen(): Promise<void> {
    const port = await freePort();
    await new Promise<void>((resolve) => this.#server.listen(port, '127.0.0.1', resolve));
    this.url = `redis://127.0.0.1:${port}`;
  }

  cutAtNextAnswer(): void {
    this.#cuts = true;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
