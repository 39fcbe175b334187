import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { AccountState, Profile } from '../../../src/storage/ports.ts';
import { type Half, withDurable } from '../../support/storage/index.ts';
import type { Vestibule } from '../../support/vestibule.ts';

export { type Half, withDurable };

/** Only of a server whose `storage` is `sqlite`, like all that takes one. */
export const databasePath = ({ directory }: Vestibule, half: Half): string => join(directory, '../data', `${half}.db`);

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

/** Every byte that is kept, write-ahead logs included. */
export const bytesOnDisk = ({ storage }: Vestibule): Promise<Buffer> => storage.contents();

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
export const takeAway = ({ storage }: Vestibule, half: Half, table: string): Promise<() => Promise<void>> =>
  storage.takeAway(half, table);

/** Holds the write lock, as a stuck process would. @returns lets go */
export function holdLock(vestibule: Vestibule, half: Half): () => void {
  const database = new DatabaseSync(databasePath(vestibule, half), { timeout: 5000 });
  database.exec('BEGIN IMMEDIATE');
  return () => {
    database.exec('ROLLBACK');
    database.close();
  };
}
