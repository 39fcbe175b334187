import type { Collection, Filter } from 'mongodb';
import { batchesOf } from '../../kernel/batches.ts';
import { byteOrder } from '../../kernel/byte-order.ts';
import type { AuditEvent, StoredKey, TransferRow } from '../ports.ts';
import { auditPosition, auditRows, durableRecords, rowOf } from '../records.ts';
import { text } from '../values.ts';
import { documentOf, type EventDocument, eventOf, sequenceOf } from './audit.ts';
import type { Database } from './database.ts';
import { type KeysDocument, keyOf } from './keys.ts';
import { type PlainCollection, plainCollections, type StoredDocument } from './transfer-collections.ts';

/** The rows of one collection; checked already where they are written. */
export interface Rows {
  count(now: number): Promise<number>;
  read(after: string | undefined, limit: number, now: number): Promise<TransferRow[]>;
  write(rows: readonly TransferRow[]): Promise<void>;
  remove(rows: readonly TransferRow[]): Promise<void>;
}

/** Documents in one message: answered well within the time-out. */
export const BATCH = 100;
/** Documents counted between two looks at the time. */
const COUNTED = 1000;

/** A document is a row, and its `_id` the key. */
export class PlainRows implements Rows {
  protected readonly database: Database;
  protected readonly documents: Collection<StoredDocument>;
  readonly #kind: PlainCollection;

  constructor(database: Database, kind: PlainCollection) {
    this.database = database;
    this.documents = database.collection(kind.name);
    this.#kind = kind;
  }

  async count(now: number): Promise<number> {
    if (this.#kind.shape.expiry === undefined) {
      return this.database.run(() => this.documents.estimatedDocumentCount());
    }
    let count = 0;
    for (let after: string | undefined, ended = false; !ended; ) {
      const filter = this.#behind(after, now);
      const found = await this.database.run(() =>
        this.documents.find(filter).sort({ _id: 1 }).limit(COUNTED).project<StoredDocument>({ _id: 1 }).toArray(),
      );
      count += found.length;
      after = found.at(-1)?._id;
      ended = found.length < COUNTED;
    }
    return count;
  }

  async read(after: string | undefined, limit: number, now: number): Promise<TransferRow[]> {
    const filter = this.#behind(after, now);
    const found = await this.database.run(() => this.documents.find(filter).sort({ _id: 1 }).limit(limit).toArray());
    return (found as StoredDocument[]).map((document) => rowOf(this.#kind.shape, this.#kind.toValue(document)));
  }

  async write(rows: readonly TransferRow[]): Promise<void> {
    for (const batch of batchesOf(rows, BATCH)) {
      const documents = batch.map(({ value }) => this.#kind.toDocument(value));
      const operations = documents.map((replacement) => ({
        replaceOne: { filter: { _id: replacement._id }, replacement, upsert: true },
      }));
      await this.database.run(() => this.documents.bulkWrite(operations));
    }
  }

  async remove(rows: readonly TransferRow[]): Promise<void> {
    for (const batch of batchesOf(rows, BATCH)) {
      const ids = batch.map(({ value }) => this.#kind.toDocument(value)._id);
      await this.database.run(() => this.documents.deleteMany({ _id: { $in: ids } }));
    }
  }

  #behind(after: string | undefined, now: number): Filter<StoredDocument> {
    const { expiry } = this.#kind.shape;
    return {
      ...(after === undefined ? {} : { _id: { $gt: after } }),
      ...(expiry === undefined ? {} : { [expiry]: { $gt: now } }),
    } as Filter<StoredDocument>;
  }
}

/** No two accounts share an identifier, not for a moment: whoever is to lose one loses it first. */
export class AccountRows extends PlainRows {
  constructor(database: Database) {
    super(database, plainCollections.accounts);
  }

  override async write(rows: readonly TransferRow[]): Promise<void> {
    for (const batch of batchesOf(rows, BATCH)) {
      const owners = new Map(
        batch.flatMap(({ key, value }) => (value.identifiers as string[]).map((each) => [each, key])),
      );
      await this.#release(owners);
      await super.write(batch);
    }
  }

  async #release(owners: ReadonlyMap<string, string>): Promise<void> {
    const wanted = { identifiers: { $in: [...owners.keys()] } } as Filter<StoredDocument>;
    const found = await this.database.run(() => this.documents.find(wanted).toArray());
    for (const { _id, identifiers } of found as (StoredDocument & { identifiers: string[] })[]) {
      const kept = identifiers.filter((identifier) => (owners.get(identifier) ?? _id) === _id);
      if (kept.length === identifiers.length) continue;
      // An empty list would be a value like others to the unique index.
      const change = kept.length > 0 ? { $set: { identifiers: kept } } : { $unset: { identifiers: true as const } };
      await this.database.run(() => this.documents.updateOne({ _id }, change));
    }
  }
}

/** All keys are one document. */
export class KeyRows implements Rows {
  readonly #database: Database;
  readonly #keys: Collection<KeysDocument>;

  constructor(database: Database, collection: 'signing_keys' | 'upstream_keys') {
    this.#database = database;
    this.#keys = database.collection(collection);
  }

  async count(): Promise<number> {
    return (await this.#all()).length;
  }

  async read(after: string | undefined, limit: number): Promise<TransferRow[]> {
    const keys = (await this.#all()).toSorted((one, other) => byteOrder(one.kid, other.kid));
    const behind = keys.filter(({ kid }) => after === undefined || byteOrder(kid, after) > 0);
    return behind.slice(0, limit).map((key) => rowOf(durableRecords.keys, { ...key }));
  }

  async write(rows: readonly TransferRow[]): Promise<void> {
    const written = rows.map(({ value }) => keyOf(value as unknown as StoredKey));
    await this.#replace([...(await this.#allBut(rows)), ...written]);
  }

  async remove(rows: readonly TransferRow[]): Promise<void> {
    await this.#replace(await this.#allBut(rows));
  }

  async #allBut(rows: readonly TransferRow[]): Promise<StoredKey[]> {
    const kids = new Set(rows.map(({ value }) => value.kid));
    return (await this.#all()).filter(({ kid }) => !kids.has(kid));
  }

  async #all(): Promise<readonly StoredKey[]> {
    return (await this.#database.run(() => this.#keys.findOne({ _id: 'all' })))?.keys ?? [];
  }

  async #replace(keys: readonly StoredKey[]): Promise<void> {
    await this.#database.run(async () => {
      if (keys.length === 0) await this.#keys.deleteOne({ _id: 'all' });
      else await this.#keys.replaceOne({ _id: 'all' }, { keys: [...keys] }, { upsert: true });
    });
  }
}

/** Events in the order in which they are listed; their place among those of a millisecond becomes the sequence. */
export class AuditRows implements Rows {
  readonly #database: Database;
  readonly #events: Collection<EventDocument>;

  constructor(database: Database) {
    this.#database = database;
    this.#events = database.collection('audit_events');
  }

  async count(): Promise<number> {
    return this.#database.run(() => this.#events.estimatedDocumentCount());
  }

  async read(after: string | undefined, limit: number): Promise<TransferRow[]> {
    const position = auditPosition(after);
    const since = { at: { $gte: position.at } };
    const found = await this.#database.run(() =>
      this.#events
        .find(since)
        .sort({ at: 1, sequence: 1 })
        .limit(limit + position.place + 1)
        .toArray(),
    );
    return auditRows(position, found, (document) => ({ ...eventOf(document) }));
  }

  async write(rows: readonly TransferRow[]): Promise<void> {
    for (const batch of batchesOf(rows, BATCH)) {
      const operations = batch.map(({ key, value }) => {
        const { at, place } = auditPosition(key);
        const replacement = documentOf(value as unknown as AuditEvent, sequenceOf(at, place));
        return { replaceOne: { filter: { _id: replacement._id }, replacement, upsert: true } };
      });
      await this.#database.run(() => this.#events.bulkWrite(operations));
    }
  }

  async remove(rows: readonly TransferRow[]): Promise<void> {
    for (const batch of batchesOf(rows, BATCH)) {
      const ids = batch.map(({ value }) => text('id', value.id));
      await this.#database.run(() => this.#events.deleteMany({ _id: { $in: ids } }));
    }
  }
}
