import type { Collection } from 'mongodb';
import type { Logger } from '../../kernel/logger.ts';
import type { Database } from './database.ts';
import { nameOf } from './failure.ts';

export interface TotalDocument {
  /** The kind of credentials. */
  readonly _id: string;
  /** How many accounts hold one. */
  readonly accounts: number;
}

/** Counts that are kept instead of taken. */
export class Totals {
  readonly #logger: Logger;
  readonly #totals: Collection<TotalDocument>;

  constructor(database: Database, logger: Logger) {
    this.#logger = logger;
    this.#totals = database.collection('totals');
  }

  async read(kind: string): Promise<number> {
    const found = await this.#totals.findOne({ _id: kind });
    return Math.max(0, found?.accounts ?? 0);
  }

  /**
   * Follows a change that is written. Not in its transaction, where every account would wait for every other:
   * a total that misses one is a figure, and nobody is let in or locked out by it.
   */
  async move(kind: string, by: 1 | -1): Promise<void> {
    try {
      await this.#totals.updateOne({ _id: kind }, { $inc: { accounts: by } }, { upsert: true });
    } catch (error) {
      this.#logger.warn({ event: 'storage.total.missed', kind, by, reason: nameOf(error) }, 'A count is off by one');
    }
  }
}
