import type { StatementSync } from 'node:sqlite';
import { type Clock, epochSeconds } from '../../kernel/clock.ts';
import type { ClaimedMail, OutboxEntry, OutboxStore } from '../ports.ts';
import { positive, text, whole } from '../values.ts';
import type { Database } from './database.ts';
import type { Outgoing } from './outgoing.ts';

interface Row {
  id: string;
  kind: string;
  payload: string;
  urgent: number;
  created_at: number;
  attempts: number;
}

export class SqliteOutbox implements OutboxStore {
  readonly #database: Database;
  readonly #clock: Clock;
  readonly #outgoing: Outgoing;
  readonly #due: StatementSync;
  readonly #lease: StatementSync;
  readonly #done: StatementSync;
  readonly #postpone: StatementSync;
  readonly #bury: StatementSync;
  readonly #count: StatementSync;

  constructor(database: Database, clock: Clock, outgoing: Outgoing) {
    this.#database = database;
    this.#clock = clock;
    this.#outgoing = outgoing;
    // Both values of `urgent` are named for the index: what isn't due yet, however much of it, is not looked at.
    this.#due = database.prepare(
      `SELECT id FROM outbox WHERE dead = 0 AND urgent IN (0, 1) AND due_at <= ?
         ORDER BY urgent DESC, due_at LIMIT ?`,
    );
    // A claimed entry is due again when its lease ends.
    this.#lease = database.prepare(
      `UPDATE outbox SET due_at = ?, attempts = attempts + 1 WHERE id = ?
         RETURNING id, kind, payload, urgent, created_at, attempts`,
    );
    this.#done = database.prepare('DELETE FROM outbox WHERE id = ?');
    this.#postpone = database.prepare('UPDATE outbox SET due_at = ?, problem = ? WHERE id = ? AND dead = 0');
    this.#bury = database.prepare('UPDATE outbox SET dead = 1, problem = ? WHERE id = ?');
    this.#count = database.prepare(
      `SELECT (SELECT count(*) FROM outbox WHERE dead = 0) AS waiting, (SELECT count(*) FROM outbox WHERE dead = 1) AS dead`,
    );
  }

  async add(mails: readonly OutboxEntry[]): Promise<void> {
    await this.#database.write(this.#outgoing.prepare(mails));
  }

  async claim(limit: number, leaseSeconds: number): Promise<ClaimedMail[]> {
    const now = epochSeconds(this.#clock);
    const until = now + positive('leaseSeconds', leaseSeconds);
    const most = positive('limit', limit);
    // Asked all the time, and mostly in vain: only a claim takes the write lock.
    if (!this.#database.read(() => this.#due.get(now, 1))) return [];
    // Found again under the write lock, where nobody else claims in between; one by one, because rows come out of
    // a single UPDATE in no order.
    return this.#database.write(() =>
      this.#due.all(now, most).map(({ id }) => mailOf(this.#lease.get(until, id as string) as unknown as Row)),
    );
  }

  async done(id: string): Promise<void> {
    await this.#database.change(this.#done, text('id', id));
  }

  async postpone(id: string, until: number, problem: string): Promise<void> {
    await this.#database.change(this.#postpone, whole('until', until), text('problem', problem), text('id', id));
  }

  async bury(id: string, problem: string): Promise<void> {
    await this.#database.change(this.#bury, text('problem', problem), text('id', id));
  }

  async count(): Promise<{ waiting: number; dead: number }> {
    return this.#database.read(() => {
      const { waiting, dead } = this.#count.get() as { waiting: number; dead: number };
      return { waiting, dead };
    });
  }
}

const mailOf = (found: Row): ClaimedMail => ({
  id: found.id,
  kind: found.kind,
  payload: JSON.parse(found.payload),
  urgent: found.urgent === 1,
  createdAt: found.created_at,
  attempts: found.attempts,
});
