import { mkdir, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { openDurable, openEphemeral } from '../../../src/storage/registry.ts';
import type { Half, TestStorage } from './test-storage.ts';

const databasePath = (root: string, half: Half): string => join(root, 'data', `${half}.db`);

/** Two SQLite files in `data/`, which go with the folder. */
export async function createFiles(root: string): Promise<TestStorage> {
  const folder = join(root, 'data');
  await mkdir(folder);
  const settingsOf = (half: Half) => ({ engine: 'sqlite', path: databasePath(root, half) }) as const;
  const rename = (half: Half, from: string, to: string): void => {
    const database = new DatabaseSync(databasePath(root, half), { timeout: 5000 });
    try {
      database.exec(`ALTER TABLE ${from} RENAME TO ${to}`);
    } finally {
      database.close();
    }
  };
  return {
    settings: { durable: settingsOf('durable'), ephemeral: settingsOf('ephemeral') },
    env: {},
    openDurable: (context) => openDurable(settingsOf('durable'), context),
    openEphemeral: (context) => openEphemeral(settingsOf('ephemeral'), context),
    // Write-ahead logs included.
    contents: async () =>
      Buffer.concat(await Promise.all((await readdir(folder)).map((file) => readFile(join(folder, file))))),
    takeAway: async (half, table) => {
      rename(half, table, `${table}_taken_away`);
      return async () => rename(half, `${table}_taken_away`, table);
    },
    remove: async () => undefined,
  };
}
