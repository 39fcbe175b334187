import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { setImmediate, setTimeout } from 'node:timers';
import { isBusy, storageFailure } from './failure.ts';

/** Upper bounds of one transaction, so that requests waiting for the event loop aren't held up. */
const BATCH_WRITES = 256;
const BATCH_MS = 5;
/** How long writes wait for another process that holds the write lock, and how often they look. */
const LOCK_PATIENCE_MS = 5000;
const LOCK_RETRY_MS = 25;

interface PendingWrite {
  /** Runs the statements and keeps the result until the transaction is committed. */
  run(): void;
  committed(): void;
  failed(cause: unknown): void;
}

/**
 * Group commit: what is asked for within one turn of the event loop is written in one
 * transaction. A commit costs far more than the write in it (with `synchronous=FULL` it waits for
 * the disk), so sixteen requests that write at the same moment share one.
 *
 * - A promise resolves after the COMMIT that holds its write: what was acknowledged is on disk.
 * - Every write stands alone: one that fails is undone to its savepoint and rejects alone. When
 *   the transaction itself fails, all that were in it reject.
 * - A batch runs from BEGIN to COMMIT without giving up the thread. No read of this process falls
 *   in between, hence reads on the same connection see committed data only.
 * - BEGIN IMMEDIATE takes the write lock first: a transaction never finds, halfway through, that
 *   another process wrote meanwhile.
 */
export class GroupCommit {
  readonly #database: DatabaseSync;
  readonly #patienceMs: number;
  readonly #batchMs: number;
  readonly #begin: StatementSync;
  readonly #commit: StatementSync;
  readonly #savepoint: StatementSync;
  readonly #release: StatementSync;
  readonly #rollbackTo: StatementSync;

  #queue: PendingWrite[] = [];
  #scheduled = false;
  #closed = false;
  /** When the lock was first found taken; undefined while nobody stands in the way. */
  #lockedOutSince: number | undefined;
  #drained: (() => void)[] = [];

  /**
   * @param patienceMs how long writes wait while another process holds the write lock
   * @param batchMs after how long the rest of a batch waits for the next turn
   */
  constructor(database: DatabaseSync, patienceMs: number = LOCK_PATIENCE_MS, batchMs: number = BATCH_MS) {
    this.#database = database;
    this.#patienceMs = patienceMs;
    this.#batchMs = batchMs;
    this.#begin = database.prepare('BEGIN IMMEDIATE');
    this.#commit = database.prepare('COMMIT');
    this.#savepoint = database.prepare('SAVEPOINT one_write');
    this.#release = database.prepare('RELEASE one_write');
    this.#rollbackTo = database.prepare('ROLLBACK TO one_write');
  }

  /**
   * @param unit runs one or several statements, all of which count or none; must be synchronous
   * @returns what `unit` returned, once committed
   * @throws VestibuleError `storage.unavailable`
   */
  write<Result>(unit: () => Result): Promise<Result> {
    return new Promise<Result>((resolve, reject) => {
      if (this.#closed) return reject(storageFailure(new Error('the database is closed')));
      let result: Result;
      this.#queue.push({
        run: () => {
          result = unit();
        },
        committed: () => resolve(result),
        failed: (cause) => reject(storageFailure(cause)),
      });
      this.#schedule();
    });
  }

  /** Accepts no more writes; resolves when those already asked for are committed or rejected. */
  async close(): Promise<void> {
    this.#closed = true;
    if (this.#queue.length > 0) await new Promise<void>((resolve) => this.#drained.push(resolve));
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => this.#runBatch());
  }

  #runBatch(): void {
    this.#scheduled = false;
    if (this.#begun()) {
      const waiting = this.#runWrites();
      if (this.#database.isTransaction) this.#commitAll(waiting);
    }
    if (this.#queue.length > 0) {
      // The rest gets the next turn, after the requests that are waiting for this one.
      if (this.#lockedOutSince === undefined) this.#schedule();
      return;
    }
    for (const done of this.#drained.splice(0)) done();
  }

  /** Takes the write lock. Without it the writes stay queued, or are rejected when it took too long. */
  #begun(): boolean {
    try {
      this.#begin.run();
      this.#lockedOutSince = undefined;
      return true;
    } catch (cause) {
      this.#lockedOutSince ??= performance.now();
      if (isBusy(cause) && performance.now() - this.#lockedOutSince < this.#patienceMs) {
        // Not on the thread: reads and everything else of the server go on meanwhile.
        this.#scheduled = true;
        setTimeout(() => this.#runBatch(), LOCK_RETRY_MS);
      } else {
        this.#lockedOutSince = undefined;
        for (const write of this.#queue.splice(0)) write.failed(cause);
      }
      return false;
    }
  }

  /** @returns the writes that wait for the COMMIT */
  #runWrites(): PendingWrite[] {
    const waiting: PendingWrite[] = [];
    const deadline = performance.now() + this.#batchMs;
    // A write that is alone in its transaction needs no savepoint: the transaction is one.
    const alone = this.#queue.length === 1;
    let taken = 0;
    for (const write of this.#queue) {
      if (taken === BATCH_WRITES || performance.now() > deadline) break;
      taken += 1;
      try {
        if (!alone) this.#savepoint.run();
        write.run();
        if (!alone) this.#release.run();
        waiting.push(write);
      } catch (cause) {
        write.failed(cause);
        if (alone) this.#abandon();
        else if (!this.#undone()) {
          // A full disk or an I/O error ended the whole transaction: nothing before counts either.
          for (const lost of waiting.splice(0)) lost.failed(cause);
          break;
        }
      }
    }
    this.#queue = this.#queue.slice(taken);
    return waiting;
  }

  /** Takes back the write that failed. @returns false when the transaction is gone */
  #undone(): boolean {
    if (!this.#database.isTransaction) return false;
    try {
      this.#rollbackTo.run();
      this.#release.run();
      return true;
    } catch {
      this.#abandon();
      return false;
    }
  }

  #commitAll(writes: readonly PendingWrite[]): void {
    try {
      this.#commit.run();
    } catch (cause) {
      this.#abandon();
      for (const write of writes) write.failed(cause);
      return;
    }
    for (const write of writes) write.committed();
  }

  /** The next batch must not find a transaction open. Some errors have ended it already. */
  #abandon(): void {
    if (!this.#database.isTransaction) return;
    try {
      this.#database.exec('ROLLBACK');
    } catch {
      // Nothing was acknowledged; the next BEGIN fails and says so to its callers.
    }
  }
}
