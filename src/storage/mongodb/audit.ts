import type { Collection } from 'mongodb';
import type { Clock } from '../../kernel/clock.ts';
import type { AuditEvent, AuditStore, OutboxEntry } from '../ports.ts';
import { json, text, whole } from '../values.ts';
import type { Change, Database } from './database.ts';
import { isTaken } from './failure.ts';
import type { Outgoing } from './outgoing.ts';
import { optional, present } from './values.ts';

export interface EventDocument {
  readonly _id: string;
  readonly at: number;
  /** Keeps the order of events of one millisecond. */
  readonly sequence: number;
  readonly event: string;
  readonly accountId?: string;
  readonly clientId?: string;
  readonly requestId?: string;
  readonly address?: string;
  /** JSON text. */
  readonly details?: string;
}

/** Sequence numbers of one millisecond; more in one go borrow from the next. */
const PER_MILLISECOND = 1000;
const NEWEST_FIRST = { at: -1, sequence: -1 } as const;

export class MongodbAudit implements AuditStore {
  readonly #database: Database;
  readonly #outgoing: Outgoing;
  readonly #clock: Clock;
  readonly #events: Collection<EventDocument>;
  #last = 0;

  constructor(database: Database, outgoing: Outgoing, clock: Clock) {
    this.#database = database;
    this.#outgoing = outgoing;
    this.#clock = clock;
    this.#events = database.collection('audit_events');
  }

  async append(event: AuditEvent, mails: readonly OutboxEntry[] = []): Promise<void> {
    const document = documentOf(event, this.#next());
    const rest = this.#outgoing.prepare(mails);
    await this.#database.run(async (deadline) => {
      const insert: Change = async (within) => {
        await this.#events.insertOne(document, within);
        return true;
      };
      try {
        await this.#database.atomically(insert, rest, deadline);
      } catch (error) {
        // An append that is repeated tells nobody a second time.
        if (!isTaken(error)) throw error;
      }
    });
  }

  async list(query: { readonly accountId?: string; readonly limit: number }): Promise<AuditEvent[]> {
    const limit = whole('limit', query.limit);
    const filter = optional('accountId', text, query.accountId);
    // To MongoDB a limit of none is no limit.
    if (limit === 0) return [];
    const found = await this.#database.run(() => this.#events.find(filter).sort(NEWEST_FIRST).limit(limit).toArray());
    return found.map(eventOf);
  }

  /** By the clock, so that nodes agree as far as their clocks do; always growing within one. */
  #next(): number {
    this.#last = Math.max(this.#last + 1, sequenceOf(this.#clock.now(), 0));
    return this.#last;
  }
}

/** @param place among the events of that millisecond */
export const sequenceOf = (millisecond: number, place: number): number => millisecond * PER_MILLISECOND + place;

export const documentOf = (event: AuditEvent, sequence: number): EventDocument => ({
  _id: text('id', event.id),
  at: whole('at', event.at),
  sequence,
  event: text('event', event.event),
  ...optional('accountId', text, event.accountId),
  ...optional('clientId', text, event.clientId),
  ...optional('requestId', text, event.requestId),
  ...optional('address', text, event.address),
  ...optional('details', json, event.details),
});

export const eventOf = (found: EventDocument): AuditEvent => ({
  id: found._id,
  ...present(found, 'at', 'event', 'accountId', 'clientId', 'requestId', 'address'),
  ...(found.details !== undefined && { details: JSON.parse(found.details) }),
});
