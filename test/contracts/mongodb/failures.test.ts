import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { MongodbSettings } from '../../../src/storage/mongodb/index.ts';
import { openDurable } from '../../../src/storage/mongodb/index.ts';
import type { DurableStorage } from '../../../src/storage/ports.ts';
import { type MongodbServer, startMongodb } from '../../support/mongodb-server.ts';
import { requires } from '../../support/requirements.ts';
import { mail } from '../mails.ts';
import { useWorkspace } from '../workspace.ts';
import { settingsOf } from './mongodb.ts';
import { ordinary, VERBS } from './verbs.ts';

const REFUSED = { code: 'storage.unavailable', status: 503, retryAfter: 5 };
/** The longest that anybody waits for an answer. */
const TWO_SECONDS = 2000;
/** The longest until it answers again once its server is back. */
const FIVE_SECONDS = 5000;

/** @returns how long it took, in milliseconds, until it answered */
async function untilItAnswers(storage: DurableStorage): Promise<number> {
  const begun = performance.now();
  for (;;) {
    try {
      await storage.ping();
      return performance.now() - begun;
    } catch (error) {
      if (performance.now() - begun > 4 * FIVE_SECONDS) throw error;
    }
  }
}

/** Those that write whatever is there, alone or with a mail. */
const WRITES =
  /^(artifacts\.(save|insertOnly|remove.*|endByAccount)|consents\.(save|remove)|outbox\.(add|done|bury)|.*insert.*|audit\.append)$/;

/** Every verb at once. @returns how long each took, in milliseconds */
const expectEveryVerbRefused = (storage: DurableStorage, which = /./): Promise<number[]> =>
  Promise.all(
    Object.entries(VERBS)
      .filter(([name]) => which.test(name))
      .map(async ([name, call]) => {
        const begun = performance.now();
        const outcome = await call(storage, ordinary).then(
          (answer) => ({ name, answer }),
          (error: unknown) => error,
        );
        expect(outcome).toMatchObject(REFUSED);
        return performance.now() - begun;
      }),
  );

requires('mongodb-server')('failures of the server (MongoDB)', () => {
  let server: MongodbServer;
  let databases = 0;
  const fresh = (more: Partial<MongodbSettings> = {}): MongodbSettings => {
    databases += 1;
    return settingsOf(server.url, `failures-${databases}`, { timeout: 1, ...more });
  };
  const workspace = useWorkspace((_, context) => openDurable(fresh(), context));
  beforeAll(async () => {
    server = await startMongodb(['--sync-on-commit']);
  });
  afterAll(() => server.stop());

  const account = (id: string) => ({
    id,
    username: id,
    emailVerified: false,
    state: 'active' as const,
    profile: {},
    generation: 0,
    createdAt: 1,
    updatedAt: 1,
    version: 1,
  });

  test('killed while it is written to: every acknowledged write is there, and whoever is open goes on', async () => {
    const storage = await workspace.open();
    const acknowledged: string[] = [];
    let refused = 0;
    let killing: Promise<void> | undefined;
    const writeUntilRefused = async (writer: number): Promise<void> => {
      for (let turn = 0; ; turn++) {
        const id = `${writer}-${turn}`;
        try {
          await storage.accounts.insert(account(id), [id]);
          await storage.accounts.replace(account(id), [id, `new ${id}`], 1, [mail(id)]);
          acknowledged.push(id);
        } catch (error) {
          expect(error).toMatchObject(REFUSED);
          refused += 1;
          return;
        }
        if (acknowledged.length === 60) killing = server.kill();
      }
    };
    await Promise.all([1, 2, 3, 4].map(writeUntilRefused));
    await killing;
    expect(refused).toBe(4);
    const waited = await expectEveryVerbRefused(storage);
    expect(Math.max(...waited)).toBeLessThan(TWO_SECONDS);
    await server.restart();
    expect(await untilItAnswers(storage)).toBeLessThan(FIVE_SECONDS);
    expect(acknowledged.length).toBeGreaterThanOrEqual(60);
    for (const id of acknowledged) expect((await storage.accounts.findByIdentifier(`new ${id}`))?.version).toBe(2);
    const owed = new Set((await storage.outbox.claim(1000, 60)).map(({ id }) => id));
    for (const id of acknowledged) expect(owed).toContain(id);
  });

  test('stopped: every verb refuses within two seconds, and answers again once it goes on', async () => {
    const storage = await workspace.open();
    await storage.accounts.insert(account('acc-anna'), ['anna']);
    server.pause();
    try {
      for (const waited of await expectEveryVerbRefused(storage)) expect(waited).toBeLessThan(TWO_SECONDS);
      // Not only those that had a connection: nothing else is waited for either.
      for (const waited of await expectEveryVerbRefused(storage)) expect(waited).toBeLessThan(TWO_SECONDS);
    } finally {
      server.resume();
    }
    expect(await untilItAnswers(storage)).toBeLessThan(FIVE_SECONDS);
    expect((await storage.accounts.find('acc-anna'))?.username).toBe('acc-anna');
    const told = workspace.log.lines.map(({ event }) => event);
    expect(told).toEqual(['storage.mongodb.lost', 'storage.mongodb.back']);
  });

  test('stopped: what nobody was told of is used once at most', async () => {
    const storage = await workspace.open();
    const expiresAt = workspace.clock.seconds + 60;
    const ids = Array.from({ length: 10 }, (_, index) => `id-${index}`);
    for (const id of ids) await storage.artifacts.save('RefreshToken', id, { payload: {}, expiresAt });
    server.pause();
    const uses = ids.map((id) => storage.artifacts.consumeOnce('RefreshToken', id, 1));
    const outcomes = await Promise.allSettled(uses).finally(() => server.resume());
    expect(outcomes.every(({ status }) => status === 'rejected')).toBe(true);
    await untilItAnswers(storage);
    for (const id of ids) {
      const again = [1, 2, 3].map(() => storage.artifacts.consumeOnce('RefreshToken', id, 2));
      expect((await Promise.all(again)).filter(Boolean).length).toBeLessThanOrEqual(1);
    }
  });

  test('stopped: no more than so many wait, the others are refused at once, and closing does not hang', async () => {
    const storage = await workspace.open();
    server.pause();
    try {
      const waiting = Array.from({ length: 2000 }, () => storage.accounts.find('x').catch((error: unknown) => error));
      const begun = performance.now();
      const beyond = await storage.accounts.find('x').catch((error: unknown) => error);
      expect(performance.now() - begun).toBeLessThan(900);
      expect(beyond).toMatchObject(REFUSED);
      expect(String((beyond as Error).cause)).toMatch(/2000 operations are waiting/);
      const closed = performance.now();
      await storage.close();
      expect(performance.now() - closed).toBeLessThan(2 * TWO_SECONDS);
      const codes = (await Promise.all(waiting)).map((outcome) => (outcome as typeof REFUSED).code);
      expect(new Set(codes)).toEqual(new Set([REFUSED.code]));
    } finally {
      server.resume();
    }
  });

  test('disk full, no majority, not the primary any more: refused, never read as “taken” or “not there”', async () => {
    const storage = await workspace.open();
    await storage.accounts.insert(account('acc-anna'), ['anna']);
    await storage.close();
    await server.kill();
    await server.restart(['--sync-on-commit', '--enable-test-commands']);
    const admin = server.client().db('admin');
    const commands = ['find', 'update', 'insert', 'delete', 'findAndModify', 'aggregate', 'count'];
    const outOfDiskSpace = 14_031;
    const notWritablePrimary = 10_107;
    const primarySteppedDown = 189;
    const unauthorized = 13;
    const maxTimeExpired = 50;
    const later = await openDurable(settingsOf(server.url, `failures-${databases}`, { timeout: 1 }), workspace.context);
    const during = async (trouble: object, failCommands: readonly string[], expectations: () => Promise<unknown>) => {
      const data = { failCommands, ...trouble };
      await admin.command({ configureFailPoint: 'failCommand', mode: 'alwaysOn', data });
      await expectations();
      await admin.command({ configureFailPoint: 'failCommand', mode: 'off' });
      await untilItAnswers(later);
    };
    try {
      for (const errorCode of [outOfDiskSpace, notWritablePrimary, primarySteppedDown, unauthorized, maxTimeExpired]) {
        await during({ errorCode }, commands, async () => {
          for (const waited of await expectEveryVerbRefused(later)) expect(waited).toBeLessThan(TWO_SECONDS);
        });
      }
      const writeConcernError = { code: 64, codeName: 'WriteConcernTimeout', errmsg: 'no majority' };
      const writes = ['update', 'insert', 'delete', 'commitTransaction'];
      await during({ writeConcernError }, writes, () => expectEveryVerbRefused(later, WRITES));
      expect((await later.accounts.find('acc-anna'))?.version).toBe(1);
    } finally {
      await later.close();
      await server.kill();
      await server.restart();
    }
  });

  describe('at start', () => {
    const opening = (settings: MongodbSettings): Promise<Error> =>
      openDurable(settings, workspace.context).then(
        () => new Error('it was opened'),
        (error: Error) => error,
      );

    test('not there: said after some seconds, with where it was looked for', async () => {
      const begun = performance.now();
      const error = await opening(fresh({ url: 'mongodb://vestibule:s3cret@127.0.0.1:1/' }));
      expect(performance.now() - begun).toBeLessThan(8000);
      expect(error.name).toBe('OperatorError');
      expect(error.message).toMatch(/127\.0\.0\.1:1 .*can't be reached.*ECONNREFUSED/);
      expect(error.message).not.toContain('s3cret');
    });

    test('there, and not answering: said after some seconds', async () => {
      server.pause();
      const begun = performance.now();
      const error = await opening(fresh()).finally(() => server.resume());
      expect(performance.now() - begun).toBeLessThan(12_000);
      expect(error.name).toBe('OperatorError');
    });

    test.each([
      ['nonsense', /not an address of a MongoDB server/],
      ['mongodb://vestibule:s3c@ret@127.0.0.1/', /not an address of a MongoDB server/],
      ['mongodb://vestibule:s3%ZZcret@127.0.0.1/', /not an address of a MongoDB server/],
      ['mongodb://vestibule:s3cret@127.0.0.1:99999/', /./],
      ['mongodb://vestibule:s3cret@127.0.0.1/?colour=blue', /option colour is not supported/],
    ])('an address that is none, %s: said without the password', async (url, message) => {
      const error = await opening(fresh({ url }));
      expect(error.name).toBe('OperatorError');
      expect(error.message).toMatch(message);
      for (let found: unknown = error; found instanceof Error; found = found.cause) {
        expect(`${found.message} ${found.stack}`).not.toMatch(/s3c|ret@|ZZcret/);
      }
    });

    test('certificates that can’t be read: said with the file', async () => {
      const error = await opening(fresh({ tls: { ca: '/nowhere/ca.pem' } }));
      expect(error.name).toBe('OperatorError');
      expect(error.message).toMatch(/storage\.durable\.tls\.ca can't be read.*\/nowhere\/ca\.pem/);
    });
  });

  test('a server that stands alone is refused, with the remedy', async () => {
    const alone = await startMongodb(['--standalone']);
    try {
      const opening = openDurable(settingsOf(alone.url, 'alone'), workspace.context);
      await expect(opening).rejects.toThrow(/no member of a replica set.*--replSet.*rs\.initiate/s);
    } finally {
      await alone.stop();
    }
  });

  test('a wrong password is said at start, and a changed one refuses whatever comes, until it is right again', async () => {
    const guarded = await startMongodb(['--sync-on-commit']);
    try {
      const user = { createUser: 'vestibule', pwd: 's3cret', roles: ['root'] };
      await guarded.client().db('admin').command(user);
      const restart = async (...settings: string[]) => {
        await guarded.kill();
        await guarded.restart(settings);
      };
      await restart('--sync-on-commit', '--auth');
      const urlWith = (password: string) =>
        `mongodb://vestibule:${password}@127.0.0.1:${guarded.port}/?directConnection=true`;
      const settings = settingsOf(urlWith('s3cret'), 'guarded', { timeout: 1 });
      const wrong = openDurable({ ...settings, url: urlWith('wr0ng') }, workspace.context);
      await expect(wrong).rejects.toThrow(/refuses the user name or the password/);
      await expect(wrong).rejects.not.toThrow(/wr0ng/);
      const storage = await openDurable(settings, workspace.context);
      try {
        await storage.accounts.insert(account('acc-anna'), ['anna']);
        const changePassword = async (pwd: string) => {
          await restart('--sync-on-commit');
          await guarded.client().db('admin').command({ updateUser: 'vestibule', pwd });
          await restart('--sync-on-commit', '--auth');
        };
        await changePassword('another');
        await expectEveryVerbRefused(storage);
        await changePassword('s3cret');
        await untilItAnswers(storage);
        expect(await storage.accounts.findByIdentifier('anna')).toBeDefined();
      } finally {
        await storage.close();
      }
    } finally {
      await guarded.stop();
    }
  });
});
