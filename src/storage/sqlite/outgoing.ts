import type { StatementSync } from 'node:sqlite';
import type { OutboxEntry } from '../ports.ts';
import { flag, json, text, whole } from '../values.ts';
import type { Database } from './database.ts';

/** Puts mails into the outbox from within the transaction of whatever they tell of. */
export class Outgoing {
  readonly #insert: StatementSync;

  constructor(database: Database) {
    this.#insert = database.prepare(
      `INSERT INTO outbox (id, kind, payload, urgent, created_at, due_at, attempts, dead) VALUES (?, ?, ?, ?, ?, ?, 0, 0)
         ON CONFLICT (id) DO NOTHING`,
    );
  }

  /** Looks at the values at once. @returns what to call inside the transaction */
  prepare(mails: readonly OutboxEntry[]): () => void {
    const rows = mails.map(({ id, kind, payload, urgent, createdAt }): (string | number)[] => [
      text('id', id),
      text('kind', kind),
      json('payload', payload),
      flag('urgent', urgent),
      whole('createdAt', createdAt),
      whole('createdAt', createdAt),
    ]);
    return () => {
      for (const row of rows) this.#insert.run(...row);
    };
  }
}
