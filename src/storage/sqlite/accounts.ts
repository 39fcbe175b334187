import type { StatementSync } from 'node:sqlite';
import type { Account, AccountState, AccountStore, OutboxEntry } from '../ports.ts';
import { flag, json, type Mutable, optionalText, text, whole } from '../values.ts';
import type { Database } from './database.ts';
import type { Outgoing } from './outgoing.ts';
import { jsonTexts } from './values.ts';

interface Row {
  id: string;
  username: string;
  email: string | null;
  email_verified: number;
  state: AccountState;
  minimum_acr: string | null;
  profile: string;
  generation: number;
  created_at: number;
  updated_at: number;
  version: number;
}

const COLUMNS =
  'id, username, email, email_verified, state, minimum_acr, profile, generation, created_at, updated_at, version';

export class SqliteAccounts implements AccountStore {
  readonly #database: Database;
  readonly #find: StatementSync;
  readonly #findByIdentifier: StatementSync;
  readonly #insert: StatementSync;
  readonly #replace: StatementSync;
  readonly #dropIdentifiers: StatementSync;
  readonly #takeIdentifiers: StatementSync;
  readonly #count: StatementSync;
  readonly #outgoing: Outgoing;

  constructor(database: Database, outgoing: Outgoing) {
    this.#database = database;
    this.#outgoing = outgoing;
    this.#find = database.prepare(`SELECT ${COLUMNS} FROM accounts WHERE id = ?`);
    this.#findByIdentifier = database.prepare(
      `SELECT ${COLUMNS} FROM accounts WHERE id = (SELECT account_id FROM identifiers WHERE identifier = ?)`,
    );
    // "Is an identifier taken?" is asked by the statement that writes: there is no moment in between.
    const taken = 'SELECT 1 FROM identifiers WHERE identifier IN (SELECT value FROM json_each(?))';
    this.#insert = database.prepare(
      `INSERT INTO accounts (${COLUMNS}) SELECT ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ? WHERE NOT EXISTS (${taken})
         ON CONFLICT (id) DO NOTHING`,
    );
    this.#replace = database.prepare(
      `UPDATE accounts SET username = ?, email = ?, email_verified = ?, state = ?, minimum_acr = ?, profile = ?, generation = ?, created_at = ?,
         updated_at = ?, version = version + 1
       WHERE id = ? AND version = ? AND NOT EXISTS (${taken} AND account_id <> ?)`,
    );
    this.#dropIdentifiers = database.prepare('DELETE FROM identifiers WHERE account_id = ?');
    this.#takeIdentifiers = database.prepare(
      'INSERT INTO identifiers (identifier, account_id) SELECT DISTINCT value, ? FROM json_each(?)',
    );
    this.#count = database.prepare("SELECT accounts FROM totals WHERE kind = ''");
  }

  async find(id: string): Promise<Account | undefined> {
    return this.#one(this.#find, text('id', id));
  }

  async findByIdentifier(identifier: string): Promise<Account | undefined> {
    return this.#one(this.#findByIdentifier, text('identifier', identifier));
  }

  async insert(account: Account, identifiers: readonly string[]): Promise<boolean> {
    const id = text('id', account.id);
    const wanted = jsonTexts('identifiers', identifiers);
    const values = [id, ...changeable(account), whole('version', account.version), wanted];
    return this.#database.write(() => {
      if (this.#insert.run(...values).changes === 0) return false;
      this.#takeIdentifiers.run(id, wanted);
      return true;
    });
  }

  async replace(
    account: Account,
    identifiers: readonly string[],
    expectedVersion: number,
    mails: readonly OutboxEntry[] = [],
  ): Promise<boolean> {
    const id = text('id', account.id);
    const wanted = jsonTexts('identifiers', identifiers);
    const values = [...changeable(account), id, whole('expectedVersion', expectedVersion), wanted, id];
    const post = this.#outgoing.prepare(mails);
    return this.#database.write(() => {
      if (this.#replace.run(...values).changes === 0) return false;
      this.#dropIdentifiers.run(id);
      this.#takeIdentifiers.run(id, wanted);
      post();
      return true;
    });
  }

  async count(): Promise<number> {
    return this.#database.read(() => Number(this.#count.get()?.accounts));
  }

  #one(statement: StatementSync, key: string): Account | undefined {
    return this.#database.read(() => {
      const found = statement.get(key) as Row | undefined;
      return found && accountOf(found);
    });
  }
}

/** All but the id and the version, in the order of the statements above. */
const changeable = (account: Account): (string | number | null)[] => [
  text('username', account.username),
  optionalText('email', account.email),
  flag('emailVerified', account.emailVerified),
  text('state', account.state),
  optionalText('minimumAcr', account.minimumAcr),
  json('profile', account.profile),
  whole('generation', account.generation),
  whole('createdAt', account.createdAt),
  whole('updatedAt', account.updatedAt),
];

function accountOf(found: Row): Account {
  const account: Mutable<Account> = {
    id: found.id,
    username: found.username,
    emailVerified: found.email_verified === 1,
    state: found.state,
    profile: JSON.parse(found.profile),
    generation: found.generation,
    createdAt: found.created_at,
    updatedAt: found.updated_at,
    version: found.version,
  };
  if (found.email !== null) account.email = found.email;
  if (found.minimum_acr !== null) account.minimumAcr = found.minimum_acr;
  return account;
}
