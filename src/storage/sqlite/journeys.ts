import type { StatementSync } from 'node:sqlite';
import { type Clock, epochSeconds } from '../../kernel/clock.ts';
import type { JourneyRecord, JourneyStore } from '../ports.ts';
import { json, text, whole } from '../values.ts';
import type { Database } from './database.ts';

interface Row {
  uid: string;
  state: string;
  version: number;
  expires_at: number;
}

export class SqliteJourneys implements JourneyStore {
  readonly #database: Database;
  readonly #clock: Clock;
  readonly #find: StatementSync;
  readonly #insert: StatementSync;
  readonly #update: StatementSync;

  constructor(database: Database, clock: Clock) {
    this.#database = database;
    this.#clock = clock;
    this.#find = database.prepare(
      'SELECT uid, state, version, expires_at FROM journeys WHERE uid = ? AND expires_at > ?',
    );
    // An expired journey is none: a new one may take its uid, nobody may go on with it.
    this.#insert = database.prepare(
      `INSERT INTO journeys (uid, state, version, expires_at) VALUES (?, ?, 1, ?)
       ON CONFLICT (uid) DO UPDATE SET state = excluded.state, version = 1, expires_at = excluded.expires_at
         WHERE journeys.expires_at <= ?`,
    );
    this.#update = database.prepare(
      `UPDATE journeys SET state = ?, version = version + 1, expires_at = ?
       WHERE uid = ? AND version = ? AND expires_at > ?`,
    );
  }

  async find(uid: string): Promise<JourneyRecord | undefined> {
    const key = text('uid', uid);
    return this.#database.read(() => {
      const found = this.#find.get(key, epochSeconds(this.#clock)) as Row | undefined;
      return found && journeyOf(found);
    });
  }

  async save(record: Omit<JourneyRecord, 'version'>, expectedVersion: number): Promise<boolean> {
    const uid = text('uid', record.uid);
    const state = json('state', record.state);
    const expiresAt = whole('expiresAt', record.expiresAt);
    const version = whole('expectedVersion', expectedVersion);
    const now = epochSeconds(this.#clock);
    return version === 0
      ? this.#database.change(this.#insert, uid, state, expiresAt, now)
      : this.#database.change(this.#update, state, expiresAt, uid, version, now);
  }
}

const journeyOf = (found: Row): JourneyRecord => ({
  uid: found.uid,
  state: JSON.parse(found.state),
  version: found.version,
  expiresAt: found.expires_at,
});
