import { chmodSync, closeSync, mkdirSync, openSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { OperatorError } from '../../kernel/errors.ts';
import { isFileExists } from './failure.ts';
import { type Half, migrate } from './migrations.ts';

/** While opening, another process may be creating the file or migrating it: wait for it. */
const OPENING_PATIENCE_MS = 5000;
/** While serving, waiting holds the thread: a moment here, the rest off the thread (`GroupCommit`). */
const SERVING_PATIENCE_MS = 100;

/** FULL reaches the disk at each commit (survives a power cut), NORMAL the kernel (survives `kill -9`). */
export type Synchronous = 'FULL' | 'NORMAL';

/**
 * Opens a database file, creating it and bringing its tables up to date where needed.
 *
 * @param path absolute
 * @throws OperatorError when that can't be done, with the reason
 */
export function openFile(path: string, half: Half, synchronous: Synchronous): DatabaseSync {
  let database: DatabaseSync | undefined;
  try {
    preparePath(path);
    database = new DatabaseSync(path, { timeout: OPENING_PATIENCE_MS, enableForeignKeyConstraints: true });
    setUp(database, synchronous);
    migrate(database, half, path);
    makePrivate(path);
    database.exec(`PRAGMA busy_timeout = ${SERVING_PATIENCE_MS}`);
    return database;
  } catch (cause) {
    if (database?.isOpen) database.close();
    if (cause instanceof OperatorError) throw cause;
    throw new OperatorError(`The ${half.name} database ${path} can't be opened. ${String(cause)}`, { cause });
  }
}

function setUp(database: DatabaseSync, synchronous: Synchronous): void {
  const mode = database.prepare('PRAGMA journal_mode = WAL').get()?.journal_mode;
  if (mode !== 'wal') throw new Error(`write-ahead logging isn't possible there (journal mode is ${String(mode)})`);
  database.exec(`
    PRAGMA synchronous = ${synchronous};
    PRAGMA trusted_schema = OFF;       -- a tampered file can't run functions through views or triggers
    PRAGMA cache_size = -16000;        -- KiB of pages kept in memory; SQLite drops them when another process writes
    PRAGMA journal_size_limit = 67108864;
  `);
}

/**
 * The folder for its owner only, and the file before SQLite makes it with wider permissions.
 * Only a *new* file is opened here: closing a second descriptor of a file SQLite has open would
 * drop its POSIX locks (https://sqlite.org/howtocorrupt.html §2.2).
 */
function preparePath(path: string): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  try {
    closeSync(openSync(path, 'wx', 0o600));
  } catch (error) {
    if (!isFileExists(error)) throw error;
  }
}

/** A file that was there before (a backup copied back, say) may be readable by others. */
function makePrivate(path: string): void {
  for (const file of [path, `${path}-wal`, `${path}-shm`]) {
    const found = statSync(file, { throwIfNoEntry: false });
    if (found && (found.mode & 0o077) !== 0) chmodSync(file, 0o600);
  }
}
