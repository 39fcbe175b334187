import type { Collection } from 'mongodb';
import { batchesOf } from '../../kernel/batches.ts';
import type { OutboxEntry } from '../ports.ts';
import { json, text, whole } from '../values.ts';
import type { Database, Rest } from './database.ts';
import { areTaken } from './failure.ts';
import { optional, yesOrNo } from './values.ts';

export interface MailDocument {
  readonly _id: string;
  readonly kind: string;
  /** JSON text. */
  readonly payload: string;
  readonly urgent: boolean;
  readonly createdAt: number;
  readonly dueAt: number;
  readonly attempts: number;
  readonly dead: boolean;
  readonly problem?: string;
}

/** How far its delivery has come. */
export type MailProgress = Pick<MailDocument, 'dueAt' | 'attempts' | 'dead' | 'problem'>;

/** Documents sent in one message. */
const BATCH = 500;

/** Puts mails into the outbox, alone or in the transaction of whatever they tell of. */
export class Outgoing {
  readonly #mails: Collection<MailDocument>;

  constructor(database: Database) {
    this.#mails = database.collection('outbox');
  }

  /** Looks at the values at once. @returns what to call inside the transaction; undefined when nothing is owed */
  prepare(mails: readonly OutboxEntry[]): Rest | undefined {
    const documents = documentsOf(mails);
    if (documents.length === 0) return undefined;
    // One that is there already stays as it is; a plain insert would end the transaction.
    const operations = documents.map(({ _id, ...rest }) => ({
      updateOne: { filter: { _id }, update: { $setOnInsert: rest }, upsert: true },
    }));
    return (session) => this.#mails.bulkWrite(operations, { session });
  }

  /** @returns what writes them, in steps that may each be repeated */
  prepareAlone(mails: readonly OutboxEntry[]): (() => Promise<void>)[] {
    return [...batchesOf(documentsOf(mails), BATCH)].map((batch) => async () => {
      try {
        await this.#mails.insertMany(batch, { ordered: false });
      } catch (error) {
        if (!areTaken(error, batch.length)) throw error;
      }
    });
  }
}

function documentsOf(mails: readonly OutboxEntry[]): MailDocument[] {
  if (!Array.isArray(mails)) throw new TypeError('mails must be an array');
  return mails.map((mail: OutboxEntry) => documentOf(mail, { dueAt: mail.createdAt, attempts: 0, dead: false }));
}

export const documentOf = (mail: OutboxEntry, progress: MailProgress): MailDocument => ({
  _id: text('id', mail.id),
  kind: text('kind', mail.kind),
  payload: json('payload', mail.payload),
  urgent: yesOrNo('urgent', mail.urgent),
  createdAt: whole('createdAt', mail.createdAt),
  dueAt: whole('dueAt', progress.dueAt),
  attempts: whole('attempts', progress.attempts),
  dead: yesOrNo('dead', progress.dead),
  ...optional('problem', text, progress.problem),
});
