import type { StatementSync } from 'node:sqlite';
import { type Clock, epochSeconds } from '../../kernel/clock.ts';
import type { CounterReading, CounterStore } from '../ports.ts';
import { positive, text, texts } from '../values.ts';
import type { Database } from './database.ts';

interface Row {
  count: number;
  resets_at: number;
}

export class SqliteCounters implements CounterStore {
  readonly #database: Database;
  readonly #clock: Clock;
  readonly #increment: StatementSync;
  readonly #decrement: StatementSync;

  constructor(database: Database, clock: Clock) {
    this.#database = database;
    this.#clock = clock;
    // Counting, opening a window and reading are one statement: parallel callers get 1, 2, 3 …
    this.#increment = database.prepare(
      `INSERT INTO counters (key, count, resets_at) VALUES (:key, 1, :now + :window)
       ON CONFLICT (key) DO UPDATE SET
         count = iif(resets_at > :now, count + 1, 1),
         resets_at = iif(resets_at > :now, resets_at, excluded.resets_at)
       RETURNING count, resets_at`,
    );
    this.#decrement = database.prepare('UPDATE counters SET count = max(count - 1, 0) WHERE key = ? AND resets_at > ?');
  }

  async increment(
    keys: readonly { readonly key: string; readonly windowSeconds: number }[],
  ): Promise<CounterReading[]> {
    const wanted = keys.map(({ key, windowSeconds }) => ({
      key: text('key', key),
      window: positive('windowSeconds', windowSeconds),
      now: epochSeconds(this.#clock),
    }));
    return this.#database.write(() =>
      wanted.map((parameters) => readingOf(this.#increment.get(parameters) as unknown as Row)),
    );
  }

  async decrement(keys: readonly string[]): Promise<void> {
    const wanted = texts('keys', keys);
    const now = epochSeconds(this.#clock);
    await this.#database.write(() => {
      for (const key of wanted) this.#decrement.run(key, now);
    });
  }
}

const readingOf = (found: Row): CounterReading => ({ count: found.count, resetsAt: found.resets_at });
