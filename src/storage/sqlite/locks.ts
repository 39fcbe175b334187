import type { StatementSync } from 'node:sqlite';
import { type Clock, epochSeconds } from '../../kernel/clock.ts';
import type { LockReading, LockRule, LockStore } from '../ports.ts';
import { flag, positive, text, whole } from '../values.ts';
import type { Database } from './database.ts';

/** Doublings after which a lock is the longest there is, whatever the rule: keeps the shift in 64 bits. */
const MOST_DOUBLINGS = 30;

export class SqliteLocks implements LockStore {
  readonly #database: Database;
  readonly #clock: Clock;
  readonly #take: StatementSync;
  readonly #giveBack: StatementSync;
  readonly #lockedUntil: StatementSync;
  readonly #lockedBelow: StatementSync;
  readonly #clear: StatementSync;

  constructor(database: Database, clock: Clock) {
    this.#database = database;
    this.#clock = clock;
    const until = (tries: string): string =>
      `iif(${tries} % :tries = 0,
         :now + min(:longest, :first << min(${tries} / :tries - 1, ${MOST_DOUBLINGS})), 0)`;
    const next = 'iif(locks.expires_at > :now, locks.count + 1, 1)';
    // Whether there is a lock is asked by the statement that counts: parallel tries can't slip in between.
    this.#take = database.prepare(
      `INSERT INTO locks (key, count, locked_until, expires_at)
         VALUES (:key, 1, ${until('1')}, max(:now, ${until('1')}) + :memory)
       ON CONFLICT (key) DO UPDATE SET
         count = ${next},
         locked_until = ${until(next)},
         expires_at = max(:now, ${until(next)}) + :memory
       WHERE locks.locked_until <= :now
       RETURNING count, locked_until`,
    );
    this.#giveBack = database.prepare(
      'UPDATE locks SET count = max(count - ?, 0), locked_until = iif(?, 0, locked_until) WHERE key = ?',
    );
    this.#lockedUntil = database.prepare('SELECT locked_until FROM locks WHERE key = ? AND locked_until > ?');
    const below = "key = :key OR (key > :key || ':' AND key < :key || ';')";
    this.#lockedBelow = database.prepare(`SELECT 1 FROM locks WHERE (${below}) AND locked_until > :now LIMIT 1`);
    this.#clear = database.prepare(`DELETE FROM locks WHERE ${below}`);
  }

  async take(key: string, rule: LockRule): Promise<LockReading> {
    const now = epochSeconds(this.#clock);
    const parameters = {
      key: text('key', key),
      tries: positive('tries', rule.tries),
      first: positive('first', rule.first),
      longest: positive('longest', rule.longest),
      memory: positive('memory', rule.memory),
      now,
    };
    return this.#database.write(() => {
      const taken = this.#take.get(parameters) as { count: number; locked_until: number } | undefined;
      if (!taken) return lockOf(this.#lockedUntil.get(key, now));
      return { admitted: taken.count, ...(taken.locked_until > 0 ? { lockedUntil: taken.locked_until } : {}) };
    });
  }

  async giveBack(key: string, tries: number, lift: boolean): Promise<void> {
    await this.#database.change(this.#giveBack, whole('tries', tries), flag('lift', lift), text('key', key));
  }

  async lockedUntil(key: string): Promise<number | undefined> {
    const found = text('key', key);
    return this.#database.read(() => lockOf(this.#lockedUntil.get(found, epochSeconds(this.#clock))).lockedUntil);
  }

  async clear(key: string): Promise<boolean> {
    const parameters = { key: text('key', key) };
    const now = epochSeconds(this.#clock);
    return this.#database.write(() => {
      const wasLocked = this.#lockedBelow.get({ ...parameters, now }) !== undefined;
      this.#clear.run(parameters);
      return wasLocked;
    });
  }
}

const lockOf = (found: unknown): { lockedUntil?: number } => {
  const until = (found as { locked_until: number } | undefined)?.locked_until;
  return until === undefined ? {} : { lockedUntil: until };
};
