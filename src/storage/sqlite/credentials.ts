import type { StatementSync } from 'node:sqlite';
import type { Credential, CredentialStore, OutboxEntry, WaysIn } from '../ports.ts';
import { optionalText, text, whole } from '../values.ts';
import type { Database } from './database.ts';
import type { Outgoing } from './outgoing.ts';
import { jsonTexts } from './values.ts';

interface Row {
  account_id: string;
  kind: string;
  id: string;
  lookup: string | null;
  data: string;
  version: number;
  created_at: number;
  updated_at: number;
}

const COLUMNS = 'account_id, kind, id, lookup, data, version, created_at, updated_at';

export class SqliteCredentials implements CredentialStore {
  readonly #database: Database;
  readonly #all: StatementSync;
  readonly #list: StatementSync;
  readonly #find: StatementSync;
  readonly #insert: StatementSync;
  readonly #replace: StatementSync;
  readonly #remove: StatementSync;
  readonly #findByLookup: StatementSync;
  readonly #removeUnlessLast: StatementSync;
  readonly #holders: StatementSync;
  readonly #outgoing: Outgoing;

  constructor(database: Database, outgoing: Outgoing) {
    this.#database = database;
    this.#outgoing = outgoing;
    const key = 'account_id = ? AND kind = ? AND id = ?';
    this.#all = database.prepare(
      `SELECT ${COLUMNS} FROM credentials WHERE account_id = ? ORDER BY kind, created_at, id`,
    );
    this.#list = database.prepare(
      `SELECT ${COLUMNS} FROM credentials WHERE account_id = ? AND kind = ? ORDER BY created_at, id`,
    );
    this.#find = database.prepare(`SELECT ${COLUMNS} FROM credentials WHERE ${key}`);
    this.#insert = database.prepare(
      `INSERT INTO credentials (${COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
    );
    this.#replace = database.prepare(
      `UPDATE credentials SET data = ?, created_at = ?, updated_at = ?, version = version + 1
       WHERE ${key} AND version = ?`,
    );
    this.#remove = database.prepare(`DELETE FROM credentials WHERE ${key}`);
    this.#findByLookup = database.prepare(`SELECT ${COLUMNS} FROM credentials WHERE kind = ? AND lookup = ?`);
    this.#removeUnlessLast = database.prepare(
      `DELETE FROM credentials WHERE ${key} AND EXISTS (
         SELECT 1 FROM credentials AS other WHERE other.account_id = credentials.account_id
           AND other.kind IN (SELECT value FROM json_each(?)) AND other.id NOT IN (SELECT value FROM json_each(?))
           AND other.rowid <> credentials.rowid)`,
    );
    this.#holders = database.prepare('SELECT accounts FROM totals WHERE kind = ?');
  }

  /** By kind, oldest first. */
  async all(accountId: string): Promise<Credential[]> {
    const key = text('accountId', accountId);
    return this.#database.read(() => this.#all.all(key).map((found) => credentialOf(found as unknown as Row)));
  }

  /** Oldest first. */
  async list(accountId: string, kind: string): Promise<Credential[]> {
    const key = [text('accountId', accountId), text('kind', kind)];
    return this.#database.read(() => this.#list.all(...key).map((found) => credentialOf(found as unknown as Row)));
  }

  async find(accountId: string, kind: string, id: string): Promise<Credential | undefined> {
    const key = keyOf(accountId, kind, id);
    return this.#database.read(() => {
      const found = this.#find.get(...key) as Row | undefined;
      return found && credentialOf(found);
    });
  }

  async findByLookup(kind: string, lookup: string): Promise<Credential | undefined> {
    const key = [text('kind', kind), text('lookup', lookup)];
    return this.#database.read(() => {
      const found = this.#findByLookup.get(...key) as Row | undefined;
      return found && credentialOf(found);
    });
  }

  async insert(credential: Credential, mails?: readonly OutboxEntry[]): Promise<boolean> {
    return this.#change(
      mails,
      this.#insert,
      ...keyOf(credential.accountId, credential.kind, credential.id),
      optionalText('lookup', credential.lookup),
      text('data', credential.data),
      whole('version', credential.version),
      whole('createdAt', credential.createdAt),
      whole('updatedAt', credential.updatedAt),
    );
  }

  async replace(credential: Credential, expectedVersion: number, mails?: readonly OutboxEntry[]): Promise<boolean> {
    return this.#change(
      mails,
      this.#replace,
      text('data', credential.data),
      whole('createdAt', credential.createdAt),
      whole('updatedAt', credential.updatedAt),
      ...keyOf(credential.accountId, credential.kind, credential.id),
      whole('expectedVersion', expectedVersion),
    );
  }

  async remove(accountId: string, kind: string, id: string, mails?: readonly OutboxEntry[]): Promise<boolean> {
    return this.#change(mails, this.#remove, ...keyOf(accountId, kind, id));
  }

  async removeUnlessLast(
    accountId: string,
    kind: string,
    id: string,
    { kinds, except = [] }: WaysIn,
    mails?: readonly OutboxEntry[],
  ): Promise<boolean> {
    const waysIn = [jsonTexts('kinds', kinds), jsonTexts('except', except)];
    return this.#change(mails, this.#removeUnlessLast, ...keyOf(accountId, kind, id), ...waysIn);
  }

  async holders(kind: string): Promise<number> {
    const key = text('kind', kind);
    return this.#database.read(() => Number(this.#holders.get(key)?.accounts ?? 0));
  }

  /** What is to be told of a change is owed from the moment the change is there. */
  async #change(
    mails: readonly OutboxEntry[] = [],
    statement: StatementSync,
    ...parameters: (string | number | null)[]
  ): Promise<boolean> {
    const post = this.#outgoing.prepare(mails);
    return this.#database.write(() => {
      if (Number(statement.run(...parameters).changes) === 0) return false;
      post();
      return true;
    });
  }
}

const keyOf = (accountId: string, kind: string, id: string): string[] => [
  text('accountId', accountId),
  text('kind', kind),
  text('id', id),
];

const credentialOf = (found: Row): Credential => ({
  accountId: found.account_id,
  kind: found.kind,
  id: found.id,
  ...(found.lookup === null ? {} : { lookup: found.lookup }),
  data: found.data,
  version: found.version,
  createdAt: found.created_at,
  updatedAt: found.updated_at,
});
