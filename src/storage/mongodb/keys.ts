import type { Collection } from 'mongodb';
import { byteOrder } from '../../kernel/byte-order.ts';
import type { KeyStore, StoredKey } from '../ports.ts';
import { text, whole } from '../values.ts';
import type { Database } from './database.ts';
import { failed, isTaken } from './failure.ts';

/** All keys of a store: given all or none, and by one node only. */
export interface KeysDocument {
  readonly _id: 'all';
  readonly keys: readonly StoredKey[];
}

export class MongodbKeys implements KeyStore {
  readonly #database: Database;
  readonly #keys: Collection<KeysDocument>;

  /** @param collection each kind of keys has its own: they are never taken for one another */
  constructor(database: Database, collection: 'signing_keys' | 'upstream_keys') {
    this.#database = database;
    this.#keys = database.collection(collection);
  }

  async list(): Promise<StoredKey[]> {
    const found = await this.#database.run(() => this.#keys.findOne({ _id: 'all' }));
    return (found?.keys ?? []).toSorted(byAlgorithmAndPosition);
  }

  async insertFirst(keys: readonly StoredKey[]): Promise<boolean> {
    const document: KeysDocument = { _id: 'all', keys: checked('keys', keys) };
    return this.#database.run(async () => {
      try {
        await this.#keys.insertOne(document);
        return true;
      } catch (error) {
        if (isTaken(error)) return false;
        throw error;
      }
    });
  }

  async replaceAll(keys: readonly StoredKey[], expected: readonly StoredKey[]): Promise<boolean> {
    const [wanted, known] = [checked('keys', keys), checked('expected', expected)];
    // As many, and each of them: no two have one name.
    const unchanged = [{ keys: { $size: known.length } }, ...known.map((key) => ({ keys: { $elemMatch: key } }))];
    const { matchedCount } = await this.#database.run(() =>
      this.#keys.updateOne({ _id: 'all', $and: unchanged }, { $set: { keys: wanted } }),
    );
    return matchedCount === 1;
  }
}

function checked(name: string, keys: readonly StoredKey[]): StoredKey[] {
  if (!Array.isArray(keys) || keys.length === 0) throw new TypeError(`${name} must be an array of at least one key`);
  const found = keys.map(keyOf);
  if (new Set(found.map(({ kid }) => kid)).size < found.length) throw failed(new Error('two keys of one name'));
  return found;
}

export const keyOf = (key: StoredKey): StoredKey => ({
  kid: text('kid', key.kid),
  alg: text('alg', key.alg),
  sealedJwk: text('sealedJwk', key.sealedJwk),
  position: whole('position', key.position),
  createdAt: whole('createdAt', key.createdAt),
});

const byAlgorithmAndPosition = (one: StoredKey, other: StoredKey): number =>
  byteOrder(one.alg, other.alg) || one.position - other.position || byteOrder(one.kid, other.kid);
