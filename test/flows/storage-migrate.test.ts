import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { stringify } from 'yaml';
import { newMasterKey } from '../support/config-folder.ts';
import { dropDatabases, releaseSharedMongodb, useSharedMongodb } from '../support/mongodb-server.ts';
import { clientFile, Portal } from '../support/portal.ts';
import { releaseSharedRedis, useSharedRedis } from '../support/redis-server.ts';
import { requires } from '../support/requirements.ts';
import { CHILD_ENVIRONMENT, NODE_FLAGS } from '../support/server-process.ts';
import { type CommandResult, startVestibule, type Vestibule } from '../support/vestibule.ts';
import { Visitor } from '../support/visitor.ts';
import { alice, bruno, signIn, signInSilently } from './arrange.ts';

const COMMAND_LINE = resolve(import.meta.dirname, '../../src/cli/bin.js');
const OFFLINE = { scope: 'openid email offline_access', prompt: 'consent' };
const portalFile = clientFile('mutuelle');

type Storage = Readonly<Record<'durable' | 'ephemeral', Readonly<Record<string, string | number>>>>;

const sqliteIn = (folder: string): Storage => ({
  durable: { engine: 'sqlite', path: join(folder, 'durable.db') },
  ephemeral: { engine: 'sqlite', path: join(folder, 'ephemeral.db') },
});

let vestibule: Vestibule;
/** Of this test alone. */
let folder = '';

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'vestibule-migrate-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const start = async (): Promise<void> => {
  vestibule = await startVestibule({ clients: [portalFile], people: [alice, bruno] });
};
const stop = async (): Promise<void> => {
  await vestibule.stop();
};

/** A file that says where storage is, and nothing else. */
async function settingsOf(storage: Partial<Storage>, more: object = {}, name = 'to.yaml'): Promise<string> {
  const file = join(folder, name);
  await writeFile(file, stringify({ storage, ...more }));
  return file;
}

const migrate = (...args: readonly string[]): Promise<CommandResult> =>
  vestibule.command(['storage', 'migrate', ...args]);

/** Rows and checksum of every collection, as the command lists them. */
const listed = ({ stdout }: CommandResult): readonly string[] =>
  stdout.split('\n').filter((line) => line.includes(' rows  sha256 '));

/** The server ends, and begins again on other storage. */
const moveTo = async (storage: Storage): Promise<void> => {
  // Removed first: settings are laid over each other, and engines have different ones.
  await vestibule.configure({ settings: { storage: null } });
  await vestibule.configure({ settings: { storage } });
  await vestibule.restart();
};

const withDatabase = <T>(file: string, work: (database: DatabaseSync) => T): T => {
  const database = new DatabaseSync(file, { timeout: 5000 });
  try {
    return work(database);
  } finally {
    database.close();
  }
};

const ownDatabase = (half: 'durable' | 'ephemeral'): string => join(vestibule.directory, `../data/${half}.db`);

/** Somebody is signed in, a portal holds a refresh token, and somebody else guessed. */
async function use(): Promise<{ visitor: Visitor; portal: Portal; refreshToken: string }> {
  const visitor = new Visitor(vestibule);
  const portal = await Portal.discover(vestibule, portalFile);
  await visitor.visit(await portal.authorizationUrl(OFFLINE));
  await visitor.submit({ username: alice.username });
  await visitor.submit({ password: alice.password });
  await visitor.submit();
  const tokens = await portal.exchange(visitor.left);
  const guesser = new Visitor(vestibule);
  await guesser.visit(await portal.authorizationUrl());
  await guesser.submit({ username: bruno.username });
  await guesser.submit({ password: 'wrong-password-number-one' });
  return { visitor, portal, refreshToken: tokens.refresh_token ?? '' };
}

/** What was before still holds, and people sign in. */
async function expectAllThere({ visitor, portal, refreshToken }: Awaited<ReturnType<typeof use>>): Promise<string> {
  const again = await portal.exchange(await signInSilently(visitor, portal));
  expect(again.claims()?.sub).toBeDefined();
  const refreshed = await portal.refresh(refreshToken);
  expect(refreshed.access_token).toBeDefined();
  const newcomer = new Visitor(vestibule);
  const tokens = await portal.exchange(await signIn(newcomer, portal, {}, bruno));
  expect(tokens.claims()?.amr).toEqual(['pwd']);
  return refreshed.refresh_token ?? refreshToken;
}

describe('a copy of embedded storage', () => {
  beforeEach(start);
  afterEach(stop);

  test('people sign in on it, a session and a refresh token go on', async () => {
    const used = await use();
    await vestibule.kill();
    const target = sqliteIn(folder);
    const result = await migrate('--to', await settingsOf(target));
    expect([result.code, listed(result).length]).toEqual([0, 12]);
    expect(result.stdout).toMatch(/accounts +2 rows/);
    await moveTo(target);
    await expectAllThere(used);
  });

  test('without a terminal there is a line at a time, and no control characters', async () => {
    await vestibule.kill();
    const { stderr } = await migrate('--to', await settingsOf(sqliteIn(folder)));
    expect(stderr).toMatch(/^durable: copying accounts, \d+ % of \d+ rows$/m);
    for (const control of ['\r', '\u001b']) expect(stderr).not.toContain(control);
  });

  test('one half alone', async () => {
    await vestibule.kill();
    const target = sqliteIn(folder);
    const result = await migrate('--half', 'durable', '--to', await settingsOf(target));
    expect([result.code, result.stdout]).toEqual([0, expect.not.stringContaining('ephemeral')]);
    const { ephemeral } = sqliteIn(join(vestibule.directory, '../data'));
    const stays = await settingsOf({ durable: sqliteIn(join(folder, 'two')).durable, ephemeral });
    const both = await migrate('--to', stays);
    expect([both.code, both.stderr]).toEqual([0, expect.stringContaining('ephemeral: stays in sqlite')]);
  });

  test('what has expired is left behind', async () => {
    await use();
    await vestibule.kill();
    await vestibule.advanceClock(400 * 86_400);
    const { stdout } = await migrate('--half', 'ephemeral', '--to', await settingsOf(sqliteIn(folder)));
    expect(stdout.match(/ 0 rows /g)).toHaveLength(4);
  });
});

describe('what is refused', () => {
  // None of them needs the server.
  beforeAll(async () => {
    await start();
    await vestibule.kill();
  });
  afterAll(stop);

  test('a target that holds something else, which stays as it is', async () => {
    const target = sqliteIn(folder);
    await migrate('--to', await settingsOf(target));
    const before = withDatabase(String(target.durable.path), (database) =>
      database.prepare('SELECT * FROM accounts ORDER BY id').all(),
    );
    await vestibule.addPerson({ username: 'cleo', password: 'cleo-demo-password' });
    for (const resume of [[], ['--resume']]) {
      const { code, stderr } = await migrate('--to', await settingsOf(target), ...resume);
      expect([code, stderr]).toEqual([1, expect.stringContaining("isn't empty")]);
    }
    expect(
      withDatabase(String(target.durable.path), (database) =>
        database.prepare('SELECT * FROM accounts ORDER BY id').all(),
      ),
    ).toEqual(before);
  });

  test('a target that is a finished copy already is found to be the same with --resume', async () => {
    const file = await settingsOf(sqliteIn(folder));
    const first = await migrate('--to', file);
    const second = await migrate('--to', file, '--resume');
    expect([second.code, listed(second)]).toEqual([0, listed(first)]);
  });

  test('an unfinished copy of something else', async () => {
    const target = sqliteIn(folder);
    await migrate('--to', await settingsOf(target));
    withDatabase(String(target.durable.path), (database) => {
      database.exec('CREATE TABLE transfer_marker (text TEXT NOT NULL) STRICT');
      const marker = { version: 1, source: 'sqlite /elsewhere.db', at: { rows: 0 } };
      database.prepare('INSERT INTO transfer_marker VALUES (?)').run(JSON.stringify(marker));
    });
    const { code, stderr } = await migrate('--to', await settingsOf(target), '--resume');
    expect([code, stderr]).toEqual([1, expect.stringContaining('unfinished copy of something else')]);
  });

  test('a source that isn’t there, and the same storage on both sides', async () => {
    const nowhere = await settingsOf(sqliteIn(join(folder, 'nowhere')), {}, 'from.yaml');
    const missing = await migrate('--from', nowhere, '--to', await settingsOf(sqliteIn(folder)));
    expect([missing.code, missing.stderr]).toEqual([1, expect.stringContaining('There is no durable database')]);
    const same = await migrate('--to', vestibule.directory);
    expect([same.code, same.stderr]).toEqual([1, expect.stringContaining('the same storage')]);
  });

  test('another master key, by which nothing sealed could be opened', async () => {
    const key = newMasterKey();
    const { code, stderr, stdout } = await migrate('--to', await settingsOf(sqliteIn(folder), { master_key: key }));
    expect([code, stderr, stdout]).toEqual([1, expect.stringContaining('master_key'), '']);
    expect(stderr).not.toContain(key);
  });

  test('an unfinished ephemeral half, to commands that write to it', async () => {
    const { ephemeral } = sqliteIn(folder);
    await migrate('--half', 'ephemeral', '--to', await settingsOf(sqliteIn(folder)));
    withDatabase(String(ephemeral.path), (database) => {
      database.exec('CREATE TABLE transfer_marker (text TEXT NOT NULL) STRICT');
      database.prepare('INSERT INTO transfer_marker VALUES (?)').run('{}');
    });
    const { ephemeral: own } = sqliteIn(join(vestibule.directory, '../data'));
    await vestibule.configure({ settings: { storage: { ephemeral } } });
    try {
      const { code, stderr } = await vestibule.command(['people', 'unlock', alice.username]);
      expect([code, stderr]).toEqual([1, expect.stringContaining('storage.ephemeral is an unfinished copy')]);
    } finally {
      await vestibule.configure({ settings: { storage: { ephemeral: own } } });
    }
  });

  test('a source that is an unfinished copy itself', async () => {
    const half = sqliteIn(folder);
    await migrate('--half', 'durable', '--to', await settingsOf(half));
    withDatabase(String(half.durable.path), (database) => {
      database.exec('CREATE TABLE transfer_marker (text TEXT NOT NULL) STRICT');
      database.prepare('INSERT INTO transfer_marker VALUES (?)').run('{}');
    });
    const from = await settingsOf(half, {}, 'from.yaml');
    const to = await settingsOf({ durable: { engine: 'sqlite', path: join(folder, 'further.db') } });
    const { code, stderr } = await migrate('--half', 'durable', '--from', from, '--to', to);
    expect([code, stderr]).toEqual([1, expect.stringContaining('is an unfinished copy itself')]);
  });

  test('no target, and a half that there isn’t', async () => {
    expect((await migrate()).code).toBe(2);
    expect((await migrate('--to', await settingsOf(sqliteIn(folder)), '--half', 'both')).code).toBe(2);
  });
});

describe('a copy that does not come to its end at once', () => {
  beforeEach(start);
  afterEach(stop);

  /** Enough that the copy takes a while. */
  const manyAccounts = (count: number, prefix = 'many'): void =>
    withDatabase(ownDatabase('durable'), (database) => {
      const numbers = `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${count})`;
      database.exec(`
        INSERT INTO accounts (id, username, email_verified, state, profile, generation, created_at, updated_at, version)
          ${numbers} SELECT '${prefix}-' || i, '${prefix} ' || i, 0, 'active', '{}', 0, 1, 1, 1 FROM n;
        INSERT INTO identifiers ${numbers} SELECT '${prefix} ' || i, '${prefix}-' || i FROM n;
        INSERT INTO credentials (account_id, kind, id, data, version, created_at, updated_at)
          ${numbers} SELECT '${prefix}-' || i, 'password', 'current', 'x', 1, 1, 1 FROM n;`);
    });

  /** Kills the command when it says that it is copying that collection. */
  const killAt = async (file: string, collection: string, ...args: readonly string[]): Promise<void> => {
    const words = ['storage', 'migrate', '--from', vestibule.directory, '--to', file, ...args];
    const child = spawn(process.execPath, [...NODE_FLAGS, COMMAND_LINE, ...words], {
      // Both sides have the same one, whichever it is.
      env: { ...CHILD_ENVIRONMENT, VESTIBULE_MASTER_KEY: newMasterKey() },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    for await (const line of createInterface({ input: child.stderr }))
      if (line.startsWith(`durable: copying ${collection},`)) child.kill('SIGKILL');
    if (child.exitCode === null && child.signalCode === null) await once(child, 'close');
    expect(child.signalCode).toBe('SIGKILL');
  };

  test('killed again and again it goes on with --resume, and ends with the same on both sides', async () => {
    const used = await use();
    await vestibule.kill();
    manyAccounts(4000);
    const target = sqliteIn(folder);
    const file = await settingsOf(target);
    await killAt(file, 'credentials');
    await killAt(file, 'accounts', '--resume');
    const people = withDatabase(String(target.durable.path), (database) =>
      Number(database.prepare('SELECT count(*) AS count FROM accounts').get()?.count),
    );
    expect(people).toBeLessThan(4002);

    const refused = await migrate('--to', file);
    expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining('--resume goes on with it')]);
    // Whoever registered in it would be gone after the rest was copied.
    await expect(moveTo(target)).rejects.toThrow('storage.durable is an unfinished copy');
    const commands = [
      ['people', 'add', 'cleo'],
      ['people', 'unlock', alice.username],
      ['keys', 'rotate'],
    ];
    for (const command of commands) {
      const { code, stderr } = await vestibule.command(command);
      expect([code, stderr]).toEqual([1, expect.stringContaining('storage.durable is an unfinished copy')]);
    }
    await vestibule.configure({ settings: { storage: sqliteIn(join(vestibule.directory, '../data')) } });
    const resumed = await migrate('--to', file, '--resume');
    expect([resumed.code, resumed.stdout]).toEqual([0, expect.stringMatching(/accounts +4002 rows/)]);
    const straight = await migrate('--to', await settingsOf(sqliteIn(join(folder, 'straight')), {}, 'straight.yaml'));
    expect(listed(resumed)).toEqual(listed(straight));
    await moveTo(target);
    await expectAllThere(used);
  });

  test('what was written to the source meanwhile is brought over by --resume, and nothing else is left there', async () => {
    await vestibule.kill();
    manyAccounts(1500);
    const target = sqliteIn(folder);
    const file = await settingsOf(target);
    await killAt(file, 'accounts');
    withDatabase(ownDatabase('durable'), (database) =>
      database.exec(`
        UPDATE accounts SET username = 'changed', version = 2 WHERE id = 'many-1';
        DELETE FROM identifiers WHERE account_id = 'many-2';
        UPDATE identifiers SET account_id = 'many-1' WHERE identifier = 'many 3';
        DELETE FROM credentials WHERE account_id = 'many-4';`),
    );
    // The audit trail has been copied by now: what changes there is found in the end, and mended the next time.
    withDatabase(ownDatabase('durable'), (database) =>
      database.exec("INSERT INTO audit_events (id, at, event) VALUES ('late', 1, 'late')"),
    );
    const first = await migrate('--to', file, '--resume');
    expect([first.code, first.stderr]).toEqual([
      1,
      expect.stringContaining('Something wrote to one of them meanwhile'),
    ]);
    expect(first.stdout).toMatch(/audit .* source\n.*audit .* target\n +1 missing: "0+1\/0+"/);
    expect(first.stdout).toMatch(/1 extra: "many-4\/password\/current"/);
    const second = await migrate('--to', file, '--resume');
    expect([second.code, second.stderr]).toEqual([0, expect.not.stringContaining('not the same')]);
  });
});

requires('mongodb', 'redis')('with MongoDB and Redis', () => {
  beforeEach(start);
  afterEach(stop);
  beforeAll(async () => {
    await useSharedMongodb();
    await useSharedRedis();
  });
  afterAll(async () => {
    await dropDatabases(process.env.MONGODB_URL ?? '', 'vestibule-migrate-');
    await releaseSharedMongodb();
    await releaseSharedRedis();
  });

  test('there and back again everything is as it was, and people sign in on both', async () => {
    const used = await use();
    await vestibule.kill();
    const name = basename(folder).toLowerCase();
    const shared: Storage = {
      durable: { engine: 'mongodb', url: process.env.MONGODB_URL ?? '', database: name, timeout: '10s' },
      ephemeral: { engine: 'redis', url: process.env.REDIS_URL ?? '', key_prefix: `${name}:`, timeout: '5s' },
    };
    const there = await migrate('--to', await settingsOf(shared));
    expect([there.code, there.stderr]).toEqual([0, expect.not.stringContaining('not the same')]);
    const source = await settingsOf(shared, {}, 'shared.yaml');
    const back = sqliteIn(folder);
    const returned = await migrate('--from', source, '--to', await settingsOf(back, {}, 'back.yaml'));
    expect([returned.code, listed(returned)]).toEqual([0, listed(there)]);
    await moveTo(shared);
    const refreshToken = await expectAllThere(used);
    await vestibule.kill();
    const last = sqliteIn(join(folder, 'last'));
    expect((await migrate('--from', source, '--to', await settingsOf(last, {}, 'last.yaml'))).code).toBe(0);
    await moveTo(last);
    await expectAllThere({ ...used, refreshToken });
  });
});
