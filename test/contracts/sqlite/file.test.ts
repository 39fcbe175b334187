import { chmod, cp, mkdir, rename, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, test } from '@jest/globals';
import { OperatorError } from '../../../src/kernel/errors.ts';
import { openDurable, openEphemeral, type SqliteSettings } from '../../../src/storage/sqlite/index.ts';
import { openFile } from '../../../src/storage/sqlite/open-file.ts';
import { durable } from '../../../src/storage/sqlite/schema/durable.ts';
import { ephemeral } from '../../../src/storage/sqlite/schema/ephemeral.ts';
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
    saboteur.exec('DROP TABLE identifiers; DROP TABLE accounts; DROP TABLE credentials');
    saboteur.close();
    for (const call of [
      () => storage.accounts.find('id'),
      () => storage.accounts.findByIdentifier('anna'),
      () => storage.credentials.list('id', 'password'),
      () => storage.credentials.remove('id', 'password', 'x'),
    ]) {
      await expect(call()).rejects.toMatchObject({ code: 'storage.unavailable', status: 503, retryAfter: 5 });
    }
    expect(await storage.consents.find('id', 'client')).toBeUndefined();
  });
});
