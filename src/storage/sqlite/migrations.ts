import type { DatabaseSync } from 'node:sqlite';
import { OperatorError } from '../../kernel/errors.ts';

/** One of the two kinds of database file. */
export interface Half {
  readonly name: 'durable' | 'ephemeral';
  /** Written into the file (`PRAGMA application_id`), so that the halves are never mixed up. */
  readonly applicationId: number;
  /** The first makes version 1 out of an empty file. Released ones never change: add another. */
  readonly migrations: readonly string[];
}

/**
 * Brings the tables up to date. Each migration is one transaction together with its number
 * (`PRAGMA user_version`), which is read again under the write lock: of two processes starting at
 * once one migrates, the other finds it done.
 *
 * @throws OperatorError when the file was written by a newer version, or isn't one of ours
 */
export function migrate(database: DatabaseSync, half: Half, path: string): void {
  const latest = half.migrations.length;
  // Without the lock first: a start with nothing to do mustn't wait for a writer.
  while (currentVersion(database, half, path) < latest) {
    database.exec('BEGIN IMMEDIATE');
    try {
      const version = currentVersion(database, half, path);
      const migration = half.migrations[version];
      if (migration !== undefined) {
        database.exec(migration);
        database.exec(`PRAGMA application_id = ${half.applicationId}; PRAGMA user_version = ${version + 1}`);
      }
      database.exec('COMMIT');
    } catch (error) {
      if (database.isTransaction) database.exec('ROLLBACK');
      throw error;
    }
  }
}

function currentVersion(database: DatabaseSync, half: Half, path: string): number {
  const version = pragma(database, 'user_version');
  const applicationId = pragma(database, 'application_id');
  if (applicationId !== half.applicationId && !(applicationId === 0 && version === 0 && isEmpty(database))) {
    throw new OperatorError(
      `${path} is not a ${half.name} database of Vestibule. Give storage.${half.name}.path a file of its own; ` +
        'storage.durable and storage.ephemeral must not share one.',
    );
  }
  if (version > half.migrations.length) {
    throw new OperatorError(
      `The ${half.name} database ${path} has version ${version}, this Vestibule knows versions up to ` +
        `${half.migrations.length}: a newer one has used it. Start that version again, or restore the backup ` +
        'made before the upgrade.',
    );
  }
  return version;
}

const isEmpty = (database: DatabaseSync): boolean =>
  database.prepare('SELECT 1 FROM sqlite_schema LIMIT 1').get() === undefined;

function pragma(database: DatabaseSync, name: 'user_version' | 'application_id'): number {
  return Number(database.prepare(`PRAGMA ${name}`).get()?.[name]);
}
