import type { StatementSync } from 'node:sqlite';
import { type Clock, epochSeconds } from '../../kernel/clock.ts';
import type { Logger } from '../../kernel/logger.ts';
import type { Database } from './database.ts';

/** Rows of one table removed in one write: a millisecond or two of the thread. */
const BATCH_ROWS = 200;
const IDLE_MS = 60_000;
/** Between two batches while there is more: the server comes first. */
const BUSY_MS = 50;

export interface ExpiringTable {
  readonly table: 'artifacts' | 'journeys' | 'counters' | 'locks';
  /** Column with the second from which on the row is never returned. */
  readonly expiry: 'expires_at' | 'resets_at';
  readonly key: 'rowid' | 'key';
}

/**
 * Removes what has expired, to keep the files small. Nothing depends on it: readers look at the
 * time themselves.
 */
export class Sweeper {
  readonly #database: Database;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #statements: readonly StatementSync[];
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;

  constructor(database: Database, tables: readonly ExpiringTable[], context: { clock: Clock; logger: Logger }) {
    this.#database = database;
    this.#clock = context.clock;
    this.#logger = context.logger;
    this.#statements = tables.map(({ table, expiry, key }) =>
      database.prepare(
        `DELETE FROM ${table} WHERE ${key} IN
           (SELECT ${key} FROM ${table} WHERE ${expiry} <= ? ORDER BY ${expiry} LIMIT ${BATCH_ROWS})`,
      ),
    );
  }

  start(): void {
    this.#next(IDLE_MS);
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }

  /**
   * One batch of each table.
   *
   * @returns how many rows went
   * @throws VestibuleError `storage.unavailable`
   */
  async sweep(): Promise<number> {
    const now = epochSeconds(this.#clock);
    const removed = await Promise.all(
      this.#statements.map((statement) => this.#database.write(() => Number(statement.run(now).changes))),
    );
    return removed.reduce((sum, count) => sum + count, 0);
  }

  #next(delay: number): void {
    if (this.#stopped) return;
    this.#timer = setTimeout(() => void this.#run(), delay).unref();
  }

  async #run(): Promise<void> {
    try {
      this.#next((await this.sweep()) >= BATCH_ROWS ? BUSY_MS : IDLE_MS);
    } catch (err) {
      this.#logger.error({ event: 'storage.sweep.failed', err }, 'Expired rows could not be removed');
      this.#next(IDLE_MS);
    }
  }
}
