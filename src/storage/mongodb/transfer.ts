import type { Collection } from 'mongodb';
import { type Clock, epochSeconds } from '../../kernel/clock.ts';
import type { TransferPort, TransferRow } from '../ports.ts';
import { durableRecords, expectRecord } from '../records.ts';
import { positive, text } from '../values.ts';
import type { Database } from './database.ts';
import type { MongodbSettings } from './settings.ts';
import { plainCollections } from './transfer-collections.ts';
import { CredentialRows } from './transfer-credentials.ts';
import { AccountRows, AuditRows, KeyRows, PlainRows, type Rows } from './transfer-rows.ts';

type Name = keyof typeof durableRecords;

interface MarkerDocument {
  readonly _id: 'copy';
  readonly text: string;
}

/** Everything of one database, for `vestibule storage migrate`. */
export class MongodbTransfer implements TransferPort {
  readonly place: string;
  readonly collections: readonly string[] = Object.keys(durableRecords);
  readonly #database: Database;
  readonly #clock: Clock;
  readonly #rows: Readonly<Record<Name, Rows>>;
  readonly #credentials: CredentialRows;
  readonly #markers: Collection<MarkerDocument>;

  constructor(database: Database, settings: MongodbSettings, clock: Clock) {
    this.#database = database;
    this.#clock = clock;
    this.place = placeOf(settings);
    this.#credentials = new CredentialRows(database);
    this.#rows = {
      keys: new KeyRows(database, 'signing_keys'),
      upstreamKeys: new KeyRows(database, 'upstream_keys'),
      audit: new AuditRows(database),
      artifacts: new PlainRows(database, plainCollections.artifacts),
      consents: new PlainRows(database, plainCollections.consents),
      credentials: this.#credentials,
      accounts: new AccountRows(database),
      outbox: new PlainRows(database, plainCollections.outbox),
    };
    this.#markers = database.collection('transfer');
  }

  async count(collection: string): Promise<number> {
    return this.#of(collection).count(epochSeconds(this.#clock));
  }

  async read(collection: string, after: string | undefined, limit: number): Promise<TransferRow[]> {
    const last = after === undefined ? undefined : text('after', after);
    return this.#of(collection).read(last, positive('limit', limit), epochSeconds(this.#clock));
  }

  async write(collection: string, rows: readonly TransferRow[]): Promise<void> {
    await this.#of(collection).write(this.#checked(collection, rows));
  }

  async remove(collection: string, rows: readonly TransferRow[]): Promise<void> {
    await this.#of(collection).remove(this.#checked(collection, rows));
  }

  async marker(): Promise<string | undefined> {
    const found = await this.#database.run(() => this.#markers.findOne({ _id: 'copy' }));
    return found?.text;
  }

  async mark(marker: string): Promise<void> {
    const document: MarkerDocument = { _id: 'copy', text: text('marker', marker) };
    await this.#database.run(() => this.#markers.replaceOne({ _id: 'copy' }, document, { upsert: true }));
  }

  async finish(): Promise<void> {
    await this.#credentials.writeTotals();
    await this.#database.run(() => this.#markers.deleteOne({ _id: 'copy' }));
  }

  #of(collection: string): Rows {
    if (!Object.hasOwn(this.#rows, collection)) throw new TypeError(`there is no collection ${collection}`);
    return this.#rows[collection as Name];
  }

  #checked(collection: string, rows: readonly TransferRow[]): readonly TransferRow[] {
    this.#of(collection);
    for (const { value } of rows) expectRecord(durableRecords[collection as Name], value);
    return rows;
  }
}

/** Hosts and database, without user, password and options. */
function placeOf({ url, database }: MongodbSettings): string {
  const [, authority = ''] = /^[^:]*:\/\/([^/?]*)/.exec(url) ?? [];
  return `mongodb ${authority.slice(authority.lastIndexOf('@') + 1)}/${database}`;
}
