import type { Collection } from 'mongodb';
import { batchesOf } from '../../kernel/batches.ts';
import { byteOrder } from '../../kernel/byte-order.ts';
import type { Credential, TransferRow } from '../ports.ts';
import { durableRecords, keyOf, partsOf, rowOf } from '../records.ts';
import { type CredentialsDocument, type Item, itemOf, lookupOf } from './credentials.ts';
import type { Database } from './database.ts';
import type { TotalDocument } from './totals.ts';
import { BATCH, type Rows } from './transfer-rows.ts';

/** Accounts looked at in one step. */
const ACCOUNTS = 500;

/** A row is one of the items in the document of its account. */
export class CredentialRows implements Rows {
  readonly #database: Database;
  readonly #accounts: Collection<CredentialsDocument>;
  readonly #totals: Collection<TotalDocument>;

  constructor(database: Database) {
    this.#database = database;
    this.#accounts = database.collection('credentials');
    this.#totals = database.collection('totals');
  }

  async count(): Promise<number> {
    let count = 0;
    for await (const { items } of this.#each()) count += items.length;
    return count;
  }

  async read(after: string | undefined, limit: number): Promise<TransferRow[]> {
    const [account = ''] = partsOf(after ?? '', durableRecords.credentials.key.length);
    // As many documents as rows are wanted: all but the first give at least one each, and that one may be read up.
    // Whose last one was removed would give none, and a page of those alone would be taken for the end.
    const filter = { ...(after === undefined ? {} : { _id: { $gte: account } }), 'items.0': { $exists: true } };
    const found = await this.#database.run(() =>
      this.#accounts
        .find(filter)
        .sort({ _id: 1 })
        .limit(limit + 1)
        .toArray(),
    );
    const rows = found.flatMap(({ _id, items }) =>
      items
        .map((item) => rowOf(durableRecords.credentials, { accountId: _id, ...item }))
        .sort((one, other) => byteOrder(one.key, other.key)),
    );
    return rows.filter(({ key }) => after === undefined || byteOrder(key, after) > 0).slice(0, limit);
  }

  async write(rows: readonly TransferRow[]): Promise<void> {
    for (const batch of batchesOf(rows, BATCH)) {
      const written = batch.map(({ value }) => value as unknown as Credential);
      await this.#release(written);
      await this.#change(written, true);
    }
  }

  async remove(rows: readonly TransferRow[]): Promise<void> {
    for (const batch of batchesOf(rows, BATCH))
      await this.#change(
        batch.map(({ value }) => value as unknown as Credential),
        false,
      );
  }

  /** Counted anew, because documents that are written as a whole don't move them. */
  async writeTotals(): Promise<void> {
    const holders = new Map<string, number>();
    for await (const { items } of this.#each()) {
      for (const kind of new Set(items.map((item) => item.kind))) holders.set(kind, (holders.get(kind) ?? 0) + 1);
    }
    await this.#database.run(() => this.#totals.deleteMany({ _id: { $nin: [...holders.keys()] } }));
    for (const [_id, accounts] of holders) {
      await this.#database.run(() => this.#totals.replaceOne({ _id }, { accounts }, { upsert: true }));
    }
  }

  /** Puts credentials into the documents of their accounts in the place of those of the same name, or takes them out. */
  async #change(credentials: readonly Credential[], isAdded: boolean): Promise<void> {
    const ids = [...new Set(credentials.map(({ accountId }) => accountId))];
    const found = await this.#database.run(() => this.#accounts.find({ _id: { $in: ids } }).toArray());
    const present = new Map(found.map((document) => [document._id, document.items]));
    const named = new Set(credentials.map((credential) => nameOf(credential.accountId, credential)));
    const documents = ids.map((_id) => {
      const kept = (present.get(_id) ?? []).filter((item) => !named.has(nameOf(_id, item)));
      const added = isAdded ? credentials.filter(({ accountId }) => accountId === _id).map(itemOf) : [];
      return documentOf(_id, [...kept, ...added]);
    });
    await this.#replace(documents);
  }

  /** No two accounts share a lookup, not for a moment: whoever is to lose one loses it first. */
  async #release(written: readonly Credential[]): Promise<void> {
    const owners = new Map(
      written.flatMap((credential) => {
        const lookup = lookupOf(credential);
        return lookup === undefined ? [] : [[lookup, nameOf(credential.accountId, credential)] as const];
      }),
    );
    if (owners.size === 0) return;
    const wanted = { lookups: { $in: [...owners.keys()] } };
    const found = await this.#database.run(() => this.#accounts.find(wanted).toArray());
    const changed = found.flatMap(({ _id, items }) => {
      const kept = items.filter((item) => {
        const owner = owners.get(lookupOf(item) ?? '');
        return owner === undefined || owner === nameOf(_id, item);
      });
      return kept.length === items.length ? [] : [documentOf(_id, kept)];
    });
    await this.#replace(changed);
  }

  async #replace(documents: readonly CredentialsDocument[]): Promise<void> {
    if (documents.length === 0) return;
    const operations = documents.map((replacement) => {
      const filter = { _id: replacement._id };
      return replacement.items.length > 0
        ? { replaceOne: { filter, replacement, upsert: true } }
        : { deleteOne: { filter } };
    });
    await this.#database.run(() => this.#accounts.bulkWrite(operations));
  }

  async *#each(): AsyncGenerator<CredentialsDocument> {
    for (let after: string | undefined, ended = false; !ended; ) {
      const filter = after === undefined ? {} : { _id: { $gt: after } };
      const found = await this.#database.run(() =>
        this.#accounts.find(filter).sort({ _id: 1 }).limit(ACCOUNTS).toArray(),
      );
      yield* found;
      after = found.at(-1)?._id;
      ended = found.length < ACCOUNTS;
    }
  }
}

const nameOf = (accountId: string, { kind, id }: Pick<Item, 'kind' | 'id'>): string =>
  keyOf(durableRecords.credentials, { accountId, kind, id });

function documentOf(_id: string, items: readonly Item[]): CredentialsDocument {
  const lookups = items.flatMap((item) => lookupOf(item) ?? []);
  return { _id, items, ...(lookups.length > 0 && { lookups }) };
}
