import { statSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { storageFailure } from './failure.ts';
import { GroupCommit } from './group-commit.ts';

/** One open file. The stores prepare their statements through it once, then read and write. */
export class Database {
  readonly #path: string;
  readonly #handle: DatabaseSync;
  readonly #writes: GroupCommit;
  readonly #inode: number;
  readonly #anything: StatementSync;
  #closing: Promise<void> | undefined;

  /** @param handle open and migrated; closed by `close` */
  constructor(path: string, handle: DatabaseSync) {
    this.#path = path;
    this.#handle = handle;
    this.#writes = new GroupCommit(handle);
    this.#inode = statSync(path).ino;
    this.#anything = handle.prepare('SELECT 1 FROM sqlite_schema LIMIT 1');
  }

  prepare(sql: string): StatementSync {
    return this.#handle.prepare(sql);
  }

  /** Runs the query and decodes its rows. @throws VestibuleError `storage.unavailable` */
  read<Result>(query: () => Result): Result {
    try {
      return query();
    } catch (cause) {
      throw storageFailure(cause);
    }
  }

  /** See `GroupCommit.write`. */
  write<Result>(unit: () => Result): Promise<Result> {
    return this.#writes.write(unit);
  }

  /** @returns whether the statement changed anything */
  async change(statement: StatementSync, ...parameters: (string | number | null)[]): Promise<boolean> {
    return this.write(() => Number(statement.run(...parameters).changes) > 0);
  }

  async ping(): Promise<void> {
    this.read(() => this.#anything.get());
    // SQLite goes on writing to a file that was deleted or replaced; all of it would be lost.
    const found = await stat(this.#path).catch((cause: unknown) => {
      throw storageFailure(cause);
    });
    if (found.ino !== this.#inode) throw storageFailure(new Error(`${this.#path} was replaced while in use`));
  }

  /** Commits what was asked for, brings it from the log into the file and closes. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    await this.#writes.close();
    try {
      this.#handle.exec('PRAGMA wal_checkpoint(TRUNCATE)');
    } catch {
      // Another process is using the file, or the disk is full: the log stays and the next to open reads it.
    } finally {
      this.#handle.close();
    }
  }
}
