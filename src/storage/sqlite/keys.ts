import type { StatementSync } from 'node:sqlite';
import type { KeyStore, StoredKey } from '../ports.ts';
import { text, whole } from '../values.ts';
import type { Database } from './database.ts';

interface Row {
  kid: string;
  alg: string;
  sealed_jwk: string;
  position: number;
  created_at: number;
}

export class SqliteKeys implements KeyStore {
  readonly #database: Database;
  readonly #list: StatementSync;
  readonly #insertFirst: StatementSync;
  readonly #insert: StatementSync;
  readonly #removeAll: StatementSync;

  /** @param table each kind of keys has its own: they are never taken for one another */
  constructor(database: Database, table: 'signing_keys' | 'upstream_keys') {
    this.#database = database;
    this.#list = database.prepare(
      `SELECT kid, alg, sealed_jwk, position, created_at FROM ${table} ORDER BY alg, position, kid`,
    );
    const insert = `INSERT INTO ${table} (kid, alg, sealed_jwk, position, created_at)
         SELECT value ->> 'kid', value ->> 'alg', value ->> 'sealedJwk', value ->> 'position', value ->> 'createdAt'
         FROM json_each(?)`;
    this.#insert = database.prepare(insert);
    // One statement for all the keys and the question whether there are any.
    this.#insertFirst = database.prepare(`${insert} WHERE NOT EXISTS (SELECT 1 FROM ${table})`);
    this.#removeAll = database.prepare(`DELETE FROM ${table}`);
  }

  async list(): Promise<StoredKey[]> {
    return this.#database.read(() => this.#read());
  }

  async insertFirst(keys: readonly StoredKey[]): Promise<boolean> {
    return this.#database.change(this.#insertFirst, JSON.stringify(checked('keys', keys)));
  }

  async replaceAll(keys: readonly StoredKey[], expected: readonly StoredKey[]): Promise<boolean> {
    const [wanted, known] = [JSON.stringify(checked('keys', keys)), contents(checked('expected', expected))];
    return this.#database.write(() => {
      if (contents(this.#read()) !== known) return false;
      this.#removeAll.run();
      this.#insert.run(wanted);
      return true;
    });
  }

  #read(): StoredKey[] {
    return this.#list.all().map((found) => keyOf(found as unknown as Row));
  }
}

function checked(name: string, keys: readonly StoredKey[]): StoredKey[] {
  if (!Array.isArray(keys) || keys.length === 0) throw new TypeError(`${name} must be an array of at least one key`);
  return keys.map((key: StoredKey) => ({
    kid: text('kid', key.kid),
    alg: text('alg', key.alg),
    sealedJwk: text('sealedJwk', key.sealedJwk),
    position: whole('position', key.position),
    createdAt: whole('createdAt', key.createdAt),
  }));
}

/** The same for the same keys, in whichever order. */
const contents = (keys: readonly StoredKey[]): string =>
  JSON.stringify(
    keys
      .map(({ kid, alg, sealedJwk, position, createdAt }) => [kid, alg, sealedJwk, position, createdAt])
      .toSorted(([one = ''], [other = '']) => (one < other ? -1 : Number(one > other))),
  );

const keyOf = (found: Row): StoredKey => ({
  kid: found.kid,
  alg: found.alg,
  sealedJwk: found.sealed_jwk,
  position: found.position,
  createdAt: found.created_at,
});
