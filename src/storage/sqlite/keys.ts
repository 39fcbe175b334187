import type { StatementSync } from 'node:sqlite';
import type { KeyStore, StoredKey } from '../ports.ts';
import type { Database } from './database.ts';
import { text, whole } from './values.ts';

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

  /** @param table each kind of keys has its own: they are never taken for one another */
  constructor(database: Database, table: 'signing_keys' | 'upstream_keys') {
    this.#database = database;
    this.#list = database.prepare(
      `SELECT kid, alg, sealed_jwk, position, created_at FROM ${table} ORDER BY alg, position, kid`,
    );
    // One statement for all the keys and the question whether there are any.
    this.#insertFirst = database.prepare(
      `INSERT INTO ${table} (kid, alg, sealed_jwk, position, created_at)
         SELECT value ->> 'kid', value ->> 'alg', value ->> 'sealedJwk', value ->> 'position', value ->> 'createdAt'
         FROM json_each(?) WHERE NOT EXISTS (SELECT 1 FROM ${table})`,
    );
  }

  async list(): Promise<StoredKey[]> {
    return this.#database.read(() => this.#list.all().map((found) => keyOf(found as unknown as Row)));
  }

  async insertFirst(keys: readonly StoredKey[]): Promise<boolean> {
    if (!Array.isArray(keys) || keys.length === 0) throw new TypeError('keys must be an array of at least one key');
    const checked = keys.map((key: StoredKey) => ({
      kid: text('kid', key.kid),
      alg: text('alg', key.alg),
      sealedJwk: text('sealedJwk', key.sealedJwk),
      position: whole('position', key.position),
      createdAt: whole('createdAt', key.createdAt),
    }));
    return this.#database.change(this.#insertFirst, JSON.stringify(checked));
  }
}

const keyOf = (found: Row): StoredKey => ({
  kid: found.kid,
  alg: found.alg,
  sealedJwk: found.sealed_jwk,
  position: found.position,
  createdAt: found.created_at,
});
