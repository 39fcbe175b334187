import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { systemClock as clock } from '../../../src/kernel/clock.ts';
import { createLogger } from '../../../src/kernel/logger.ts';
import type { AccountState, DurableStorage, Profile } from '../../../src/storage/ports.ts';
import { openDurable } from '../../../src/storage/registry.ts';
import type { Vestibule } from '../../support/vestibule.ts';

export type Half = 'durable' | 'ephemeral';

export const databasePath = ({ directory }: Vestibule, half: Half): string => join(directory, '../data', `${half}.db`);

/** Works on the running server's people, as a command in another process would. */
export async function withDurable<T>(vestibule: Vestibule, work: (storage: DurableStorage) => Promise<T>): Promise<T> {
  const settings = { engine: 'sqlite', path: databasePath(vestibule, 'durable') } as const;
  const durable = await openDurable(settings, { clock, logger: createLogger('silent') });
  try {
    return await work(durable);
  } finally {
    await durable.close();
  }
}

/** Changes what no command changes yet: the state of an account, whose mailbox it is, or its profile unchecked. */
export function changeAccount(
  vestibule: Vestibule,
  username: string,
  change: {
    readonly state?: AccountState;
    readonly emailVerified?: boolean;
    readonly profile?: Readonly<Record<string, unknown>>;
  },
): Promise<void> {
  return withDurable(vestibule, async ({ accounts }) => {
    const account = await accounts.findByIdentifier(username);
    if (!account) throw new Error(`nobody is called ${username}`);
    const { state = account.state, emailVerified = account.emailVerified, profile = account.profile } = change;
    const identifiers = [account.username, account.email].filter((name) => name !== undefined);
    const changed = { ...account, state, emailVerified, profile: profile as Profile };
    if (!(await accounts.replace(changed, identifiers, account.version)))
      throw new Error(`${username} was not changed`);
  });
}

/** The subject (`sub`) of somebody. */
export const accountOf = (vestibule: Vestibule, { username }: { readonly username: string }): Promise<string> =>
  withDurable(vestibule, async ({ accounts }) => (await accounts.findByIdentifier(username))?.id ?? 'nobody');

/** Every byte on disk, write-ahead logs included. */
export async function bytesOnDisk(vestibule: Vestibule): Promise<Buffer> {
  const folder = join(vestibule.directory, '../data');
  const files = await readdir(folder);
  return Buffer.concat(await Promise.all(files.map((file) => readFile(join(folder, file)))));
}

/** Runs statements on a database file from outside the server. */
export function tamper(vestibule: Vestibule, half: Half, sql: string): void {
  const database = new DatabaseSync(databasePath(vestibule, half), { timeout: 5000 });
  try {
    database.exec(sql);
  } finally {
    database.close();
  }
}

/** Number of the last migration of a database. */
export function versionOf(vestibule: Vestibule, half: Half): number {
  const database = new DatabaseSync(databasePath(vestibule, half), { timeout: 5000 });
  try {
    return Number(database.prepare('PRAGMA user_version').get()?.user_version);
  } finally {
    database.close();
  }
}

/** Takes a table away: from then on every read and write of it fails. @returns brings it back */
export function takeAway(vestibule: Vestibule, half: Half, table: string): () => void {
  tamper(vestibule, half, `ALTER TABLE ${table} RENAME TO ${table}_taken_away`);
  return () => tamper(vestibule, half, `ALTER TABLE ${table}_taken_away RENAME TO ${table}`);
}

/** Holds the write lock, as a stuck process would. @returns lets go */
export function holdLock(vestibule: Vestibule, half: Half): () => void {
  const database = new DatabaseSync(databasePath(vestibule, half), { timeout: 5000 });
  database.exec('BEGIN IMMEDIATE');
  return () => {
    database.exec('ROLLBACK');
    database.close();
  };
}
