import { chmod, cp, mkdir, rename, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, test } from '@jest/globals';
import { OperatorError } from '../../../src/kernel/errors.ts';
import type { Account, ArtifactStore } from '../../../src/storage/ports.ts';
import { openDurable, openEphemeral, type SqliteSettings } from '../../../src/storage/sqlite/index.ts';
import type { Half } from '../../../src/storage/sqlite/migrations.ts';
import { openFile } from '../../../src/storage/sqlite/open-file.ts';
import { durable } from '../../../src/storage/sqlite/schema/durable.ts';
import { ephemeral } from '../../../src/storage/sqlite/schema/ephemeral.ts';
import { mail, owed } from '../mails.ts';
import { useWorkspace } from '../workspace.ts';

const modeOf = async (path: string): Promise<number> => (await stat(path)).mode & 0o777;

describe('the SQLite file', () => {
  const fileIn = (directory: string): string => join(directory, 'data', 'durable.db');
  const settingsIn = (directory: string): SqliteSettings => ({ engine: 'sqlite', path: fileIn(directory) });
  const workspace = useWorkspace((directory, context) => openDurable(settingsIn(directory), context));

  test('the folder is made for its owner only, and so are the files', async () => {
    const storage = await workspace.open();
    await storage.audit.append({ id: 'e', at: 1, event: 'x' });
    const file = fileIn(workspace.directory);
    expect(await modeOf(dirname(file))).toBe(0o700);
    for (const path of [file, `${file}-wal`, `${file}-shm`]) expect(await modeOf(path)).toBe(0o600);
  });

  test('a file that others could read is taken from them', async () => {
    await (await workspace.open()).close();
    await chmod(fileIn(workspace.directory), 0o644);
    await workspace.open();
    const file = fileIn(workspace.directory);
    for (const path of [file, `${file}-wal`, `${file}-shm`]) expect(await modeOf(path)).toBe(0o600);
  });

  test('closing brings everything into the one file: a copy of it is a backup', async () => {
    const storage = await workspace.open();
    await storage.audit.append({ id: 'e', at: 1, event: 'x' });
    await storage.close();
    const copy = join(workspace.directory, 'copy.db');
    await cp(fileIn(workspace.directory), copy);
    const restored = await openDurable({ engine: 'sqlite', path: copy }, workspace.context);
    expect(await restored.audit.list({ limit: 1 })).toHaveLength(1);
    await restored.close();
  });

  test.each([
    [durable, 'FULL', 2],
    [ephemeral, 'NORMAL', 1],
  ] as const)('the settings of the connection: $name', (half, synchronous, value) => {
    const handle = openFile(join(workspace.directory, 'settings.db'), half, synchronous);
    const pragma = (name: string) => Object.values(handle.prepare(`PRAGMA ${name}`).get() ?? {})[0];
    expect(pragma('journal_mode')).toBe('wal');
    expect(pragma('synchronous')).toBe(value);
    expect(pragma('foreign_keys')).toBe(1);
    expect(pragma('trusted_schema')).toBe(0);
    expect(pragma('busy_timeout')).toBe(100);
    expect(pragma('user_version')).toBe(half.migrations.length);
    handle.close();
  });

  test('a path is a file, never a way to say something else to SQLite', async () => {
    const odd = join(workspace.directory, 'file:x?mode=memory');
    const storage = await openDurable({ engine: 'sqlite', path: odd }, workspace.context);
    await storage.close();
    expect((await stat(odd)).size).toBeGreaterThan(0);
  });

  test('a database of a newer version is refused, with what to do', async () => {
    await (await workspace.open()).close();
    const newer = new DatabaseSync(fileIn(workspace.directory));
    newer.exec('PRAGMA user_version = 99');
    newer.close();
    const refusal = workspace.open();
    await expect(refusal).rejects.toThrow(OperatorError);
    await expect(refusal).rejects.toThrow(/version 99.*Start that version again, or restore the backup/);
  });

  test('the halves are not mixed up', async () => {
    await (await workspace.open()).close();
    const refusal = openEphemeral(settingsIn(workspace.directory), workspace.context);
    await expect(refusal).rejects.toThrow(OperatorError);
    await expect(refusal).rejects.toThrow(/not a ephemeral database|must not share one/);
  });

  test('somebody else’s database is refused and left as it is', async () => {
    await mkdir(join(workspace.directory, 'data'));
    const foreign = new DatabaseSync(fileIn(workspace.directory));
    foreign.exec('CREATE TABLE theirs (x)');
    await expect(workspace.open()).rejects.toThrow(/is not a durable database of Vestibule/);
    expect(foreign.prepare('SELECT name FROM sqlite_schema').all()).toMatchObject([{ name: 'theirs' }]);
    foreign.close();
  });

  test('what is not a database, or can’t be made, is refused with its path', async () => {
    await mkdir(join(workspace.directory, 'data'));
    await writeFile(fileIn(workspace.directory), 'This is a text, and a long one at that. '.repeat(200));
    await expect(workspace.open()).rejects.toThrow(OperatorError);
    await expect(workspace.open()).rejects.toThrow(fileIn(workspace.directory));
    const below = { engine: 'sqlite', path: join(fileIn(workspace.directory), 'below.db') } as const;
    await expect(openDurable(below, workspace.context)).rejects.toThrow(OperatorError);
  });

  test('a migration that fails leaves nothing of itself', async () => {
    const path = join(workspace.directory, 'half.db');
    const broken = {
      ...durable,
      migrations: [...durable.migrations, 'CREATE TABLE extra (x); CREATE TABLE extra (x)'],
    };
    expect(() => openFile(path, broken, 'FULL')).toThrow(OperatorError);
    const handle = openFile(path, durable, 'FULL');
    expect(handle.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'extra'").get()).toBeUndefined();
    handle.close();
  });

  test('a further migration is applied to a database that has data', async () => {
    const storage = await workspace.open();
    await storage.audit.append({ id: 'e', at: 1, event: 'x' });
    await storage.close();
    const next = { ...durable, migrations: [...durable.migrations, 'ALTER TABLE audit_events ADD COLUMN extra TEXT'] };
    const handle = openFile(fileIn(workspace.directory), next, 'FULL');
    expect(handle.prepare('SELECT id, extra FROM audit_events').all()).toMatchObject([{ id: 'e', extra: null }]);
    handle.close();
  });

  /** A file as an earlier version left it, with what it had written. */
  const leaveBehind = (half: Half, version: number, statements: string): SqliteSettings => {
    const path = join(workspace.directory, 'earlier.db');
    const handle = openFile(path, { ...half, migrations: half.migrations.slice(0, version) }, 'FULL');
    handle.exec(statements);
    handle.close();
    return { engine: 'sqlite', path };
  };
  const artifactRows = `INSERT INTO artifacts (kind, id, payload, grant_id, uid, consumed_at, expires_at) VALUES
    ('Session', 's-anna', '{"accountId":"acc-anna","deep":{"accountId":"acc-mallory"}}', NULL, 'u-anna', NULL, 9999999999),
    ('Session', 's-ben', '{"accountId":"acc-ben"}', NULL, 'u-ben', NULL, 9999999999),
    ('Session', 's-nobody', '{}', NULL, 'u-nobody', NULL, 9999999999),
    ('Session', 's-used', '{"accountId":"acc-anna"}', NULL, NULL, 7, 9999999999),
    ('Grant', 'g-anna', '{"accountId":"acc-anna"}', NULL, NULL, NULL, 9999999999),
    ('AccessToken', 't-anna', '{"accountId":"acc-anna"}', 'g-anna', NULL, NULL, 9999999999);`;

  /** What was there before the columns were: nobody is signed in beyond the reach of signing out everywhere. */
  const expectOwnersFilledIn = async (artifacts: ArtifactStore): Promise<void> => {
    const expiresAt = 9_999_999_999;
    const anna = { accountId: 'acc-anna', expiresAt };
    const payload = { accountId: 'acc-anna', deep: { accountId: 'acc-mallory' } };
    expect(await artifacts.find('Session', 's-anna')).toStrictEqual({ payload, uid: 'u-anna', ...anna });
    expect((await artifacts.find('Session', 's-nobody'))?.accountId).toBeUndefined();
    expect((await artifacts.find('Session', 's-ben'))?.accountId).toBe('acc-ben');
    const end = { at: 1_900_000_000, until: expiresAt };
    for (const kind of ['Session', 'Grant', 'AccessToken']) await artifacts.endByAccount(kind, 'acc-anna', end);
    const marked = { payload: {}, consumedAt: end.at, ...anna };
    expect(await artifacts.find('Session', 's-anna')).toStrictEqual({ uid: 'u-anna', ...marked });
    expect(await artifacts.find('Session', 's-used')).toStrictEqual({ ...marked, consumedAt: 7 });
    expect(await artifacts.find('Grant', 'g-anna')).toStrictEqual(marked);
    // Worth nothing without its grant, and removed with it: it belongs to nobody here.
    const token = { payload: { accountId: 'acc-anna' }, grantId: 'g-anna', expiresAt };
    expect(await artifacts.find('AccessToken', 't-anna')).toStrictEqual(token);
    for (const id of ['s-ben', 's-nobody']) expect((await artifacts.find('Session', id))?.consumedAt).toBeUndefined();
  };

  test('a durable file of version 3 opens: nothing is lost, grants have their owner, mails may be owed', async () => {
    const settings = leaveBehind(
      durable,
      3,
      `INSERT INTO accounts (id, username, email, email_verified, state, minimum_acr, profile, created_at, updated_at, version)
         VALUES ('acc-anna', 'Anna', 'anna@example.org', 1, 'active', 'urn:two', '{"name":"Anna"}', 1, 2, 5);
       INSERT INTO identifiers VALUES ('anna', 'acc-anna');
       INSERT INTO credentials (account_id, kind, id, data, version, created_at, updated_at)
         VALUES ('acc-anna', 'password', 'current', 'hash', 3, 1, 2);
       ${artifactRows}`,
    );
    const storage = await openDurable(settings, workspace.context);
    const account: Account = {
      id: 'acc-anna',
      username: 'Anna',
      email: 'anna@example.org',
      emailVerified: true,
      state: 'active',
      minimumAcr: 'urn:two',
      profile: { name: 'Anna' },
      generation: 0,
      createdAt: 1,
      updatedAt: 2,
      version: 5,
    };
    expect(await storage.accounts.findByIdentifier('anna')).toStrictEqual(account);
    expect(await storage.accounts.count()).toBe(1);
    expect(await storage.credentials.holders('password')).toBe(1);
    expect(await storage.accounts.replace({ ...account, generation: 1 }, ['anna'], 5, [mail('a')])).toBe(true);
    expect(await owed(storage.outbox)).toEqual(['a']);
    await expectOwnersFilledIn(storage.artifacts);
    await storage.close();
  });

  test('an ephemeral file of version 1 opens: nothing is lost, sessions have their owner, tries are counted', async () => {
    const settings = leaveBehind(
      ephemeral,
      1,
      `INSERT INTO journeys VALUES ('j', '{"step":2}', 4, 9999999999);
       INSERT INTO counters VALUES ('k', 6, 9999999999);
       ${artifactRows}`,
    );
    const storage = await openEphemeral(settings, workspace.context);
    expect(await storage.journeys.find('j')).toMatchObject({ state: { step: 2 }, version: 4 });
    expect((await storage.counters.increment([{ key: 'k', windowSeconds: 60 }]))[0]?.count).toBe(7);
    expect(await storage.locks.take('k', { tries: 5, first: 1, longest: 1, memory: 1 })).toEqual({ admitted: 1 });
    await expectOwnersFilledIn(storage.artifacts);
    await storage.close();
  });

  test('a file replaced while in use is noticed by the probe', async () => {
    const storage = await workspace.open();
    await rename(fileIn(workspace.directory), join(workspace.directory, 'moved.db'));
    await expect(storage.ping()).rejects.toMatchObject({ code: 'storage.unavailable' });
    await writeFile(fileIn(workspace.directory), '');
    await expect(storage.ping()).rejects.toMatchObject({ code: 'storage.unavailable' });
  });

  test('an error of the database is a refusal, never "not found"', async () => {
    const storage = await workspace.open();
    await storage.accounts.find('warm');
    const saboteur = new DatabaseSync(fileIn(workspace.directory));
    saboteur.exec('DROP TABLE identifiers; DROP TABLE accounts; DROP TABLE credentials; DROP TABLE outbox');
    saboteur.close();
    for (const call of [
      () => storage.accounts.find('id'),
      () => storage.accounts.findByIdentifier('anna'),
      () => storage.credentials.list('id', 'password'),
      () => storage.credentials.remove('id', 'password', 'x'),
      () => storage.outbox.claim(1, 60),
      () => storage.outbox.count(),
      () => storage.outbox.done('id'),
    ]) {
      await expect(call()).rejects.toMatchObject({ code: 'storage.unavailable', status: 503, retryAfter: 5 });
    }
    expect(await storage.consents.find('id', 'client')).toBeUndefined();
  });

  test('a change whose mail can’t be put into the outbox is not made, alone or with others', async () => {
    const storage = await workspace.open();
    const { accounts, credentials, audit } = storage;
    const times = { createdAt: 1, updatedAt: 1, version: 1 };
    const anna: Account = {
      ...{ id: 'acc-anna', username: 'anna', emailVerified: false, state: 'active', profile: {}, generation: 0 },
      ...times,
    };
    const password = { accountId: 'acc-anna', kind: 'password', id: 'current', data: 'hash', ...times };
    await accounts.insert(anna, ['anna']);
    for (const id of ['current', 'other']) await credentials.insert({ ...password, id });
    const saboteur = new DatabaseSync(fileIn(workspace.directory));
    saboteur.exec('DROP TABLE outbox');
    saboteur.close();
    const mails = [mail('a')];
    const calls = [
      () => accounts.replace({ ...anna, username: 'changed' }, ['changed'], 1, mails),
      () => credentials.insert({ ...password, id: 'new' }, mails),
      () => credentials.replace({ ...password, data: 'changed' }, 1, mails),
      () => credentials.remove('acc-anna', 'password', 'current', mails),
      () => credentials.removeUnlessLast('acc-anna', 'password', 'current', { kinds: ['password'] }, mails),
      () => audit.append({ id: 'e', at: 1, event: 'x' }, mails),
    ];
    const unavailable = { code: 'storage.unavailable', status: 503, retryAfter: 5 };
    for (const call of calls) await expect(call()).rejects.toMatchObject(unavailable);
    for (const outcome of await Promise.allSettled(calls.map((call) => call()))) {
      expect(outcome).toMatchObject({ status: 'rejected', reason: unavailable });
    }
    expect(await accounts.findByIdentifier('anna')).toEqual(anna);
    expect(await credentials.all('acc-anna')).toEqual([password, { ...password, id: 'other' }]);
    expect(await audit.list({ limit: 1 })).toEqual([]);
  });

  test('an error of the database admits no try', async () => {
    const path = join(workspace.directory, 'ephemeral.db');
    const storage = await openEphemeral({ engine: 'sqlite', path }, workspace.context);
    const saboteur = new DatabaseSync(path);
    saboteur.exec('DROP TABLE locks');
    saboteur.close();
    for (const call of [
      () => storage.locks.take('k', { tries: 5, first: 1, longest: 1, memory: 1 }),
      () => storage.locks.lockedUntil('k'),
      () => storage.locks.giveBack('k', 1, true),
      () => storage.locks.clear('k'),
    ]) {
      await expect(call()).rejects.toMatchObject({ code: 'storage.unavailable', status: 503, retryAfter: 5 });
    }
    await storage.close();
  });
});
