import type { StatementSync } from 'node:sqlite';
import type { Consent, ConsentStore } from '../ports.ts';
import { json, text, whole } from '../values.ts';
import type { Database } from './database.ts';
import { jsonTexts } from './values.ts';

interface Row {
  account_id: string;
  client_id: string;
  scopes: string;
  claims: string;
  resources: string;
  updated_at: number;
}

const COLUMNS = 'account_id, client_id, scopes, claims, resources, updated_at';

export class SqliteConsents implements ConsentStore {
  readonly #database: Database;
  readonly #find: StatementSync;
  readonly #save: StatementSync;
  readonly #remove: StatementSync;

  constructor(database: Database) {
    this.#database = database;
    this.#find = database.prepare(`SELECT ${COLUMNS} FROM consents WHERE account_id = ? AND client_id = ?`);
    this.#save = database.prepare(
      `INSERT INTO consents (${COLUMNS}) VALUES (?, ?, ?, ?, ?, ?)
       ON CONFLICT (account_id, client_id) DO UPDATE SET scopes = excluded.scopes, claims = excluded.claims,
         resources = excluded.resources, updated_at = excluded.updated_at`,
    );
    this.#remove = database.prepare('DELETE FROM consents WHERE account_id = ? AND client_id = ?');
  }

  async find(accountId: string, clientId: string): Promise<Consent | undefined> {
    const key = [text('accountId', accountId), text('clientId', clientId)];
    return this.#database.read(() => {
      const found = this.#find.get(...key) as Row | undefined;
      return found && consentOf(found);
    });
  }

  async save(consent: Consent): Promise<void> {
    await this.#database.change(
      this.#save,
      text('accountId', consent.accountId),
      text('clientId', consent.clientId),
      jsonTexts('scopes', consent.scopes),
      jsonTexts('claims', consent.claims),
      json('resources', consent.resources),
      whole('updatedAt', consent.updatedAt),
    );
  }

  async remove(accountId: string, clientId: string): Promise<boolean> {
    return this.#database.change(this.#remove, text('accountId', accountId), text('clientId', clientId));
  }
}

const consentOf = (found: Row): Consent => ({
  accountId: found.account_id,
  clientId: found.client_id,
  scopes: JSON.parse(found.scopes),
  claims: JSON.parse(found.claims),
  resources: JSON.parse(found.resources),
  updatedAt: found.updated_at,
});
