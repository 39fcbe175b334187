import type { StatementSync } from 'node:sqlite';
import type { AuditEvent, AuditStore, OutboxEntry } from '../ports.ts';
import { type Mutable, optionalJson, optionalText, text, whole } from '../values.ts';
import type { Database } from './database.ts';
import type { Outgoing } from './outgoing.ts';

interface Row {
  id: string;
  at: number;
  event: string;
  account_id: string | null;
  client_id: string | null;
  request_id: string | null;
  address: string | null;
  details: string | null;
}

const COLUMNS = 'id, at, event, account_id, client_id, request_id, address, details';

export class SqliteAudit implements AuditStore {
  readonly #database: Database;
  readonly #append: StatementSync;
  readonly #list: StatementSync;
  readonly #listOfAccount: StatementSync;
  readonly #outgoing: Outgoing;

  constructor(database: Database, outgoing: Outgoing) {
    this.#database = database;
    this.#outgoing = outgoing;
    this.#append = database.prepare(
      `INSERT INTO audit_events (${COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING`,
    );
    const newestFirst = 'ORDER BY at DESC, sequence DESC LIMIT ?';
    this.#list = database.prepare(`SELECT ${COLUMNS} FROM audit_events ${newestFirst}`);
    this.#listOfAccount = database.prepare(`SELECT ${COLUMNS} FROM audit_events WHERE account_id = ? ${newestFirst}`);
  }

  async append(event: AuditEvent, mails: readonly OutboxEntry[] = []): Promise<void> {
    const values = [
      text('id', event.id),
      whole('at', event.at),
      text('event', event.event),
      optionalText('accountId', event.accountId),
      optionalText('clientId', event.clientId),
      optionalText('requestId', event.requestId),
      optionalText('address', event.address),
      optionalJson('details', event.details),
    ];
    const post = this.#outgoing.prepare(mails);
    await this.#database.write(() => {
      // An append that is repeated tells nobody a second time.
      if (Number(this.#append.run(...values).changes) > 0) post();
    });
  }

  async list(query: { readonly accountId?: string; readonly limit: number }): Promise<AuditEvent[]> {
    const limit = whole('limit', query.limit);
    const accountId = optionalText('accountId', query.accountId);
    return this.#database.read(() => {
      const found = accountId === null ? this.#list.all(limit) : this.#listOfAccount.all(accountId, limit);
      return found.map((event) => eventOf(event as unknown as Row));
    });
  }
}

function eventOf(found: Row): AuditEvent {
  const event: Mutable<AuditEvent> = { id: found.id, at: found.at, event: found.event };
  if (found.account_id !== null) event.accountId = found.account_id;
  if (found.client_id !== null) event.clientId = found.client_id;
  if (found.request_id !== null) event.requestId = found.request_id;
  if (found.address !== null) event.address = found.address;
  if (found.details !== null) event.details = JSON.parse(found.details);
  return event;
}
