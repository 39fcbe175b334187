import type { Collection } from 'mongodb';
import type { Consent, ConsentStore } from '../ports.ts';
import { json, text, texts, whole } from '../values.ts';
import type { Database } from './database.ts';
import { joined, present } from './values.ts';

interface ConsentDocument {
  /** Account and client. */
  readonly _id: string;
  readonly accountId: string;
  readonly clientId: string;
  readonly scopes: readonly string[];
  readonly claims: readonly string[];
  /** JSON text: its members' names are addresses. */
  readonly resources: string;
  readonly updatedAt: number;
}

export class MongodbConsents implements ConsentStore {
  readonly #database: Database;
  readonly #consents: Collection<ConsentDocument>;

  constructor(database: Database) {
    this.#database = database;
    this.#consents = database.collection('consents');
  }

  async find(accountId: string, clientId: string): Promise<Consent | undefined> {
    const _id = keyOf(accountId, clientId);
    const found = await this.#database.run(() => this.#consents.findOne({ _id }));
    return found ? consentOf(found) : undefined;
  }

  async save(consent: Consent): Promise<void> {
    const document = documentOf(consent);
    await this.#database.run(() => this.#consents.replaceOne({ _id: document._id }, document, { upsert: true }));
  }

  async remove(accountId: string, clientId: string): Promise<boolean> {
    const _id = keyOf(accountId, clientId);
    return this.#database.run(async () => (await this.#consents.deleteOne({ _id })).deletedCount === 1);
  }
}

const keyOf = (accountId: string, clientId: string): string =>
  joined('accountId', text('accountId', accountId), text('clientId', clientId));

export const documentOf = ({ accountId, clientId, ...rest }: Consent): ConsentDocument => ({
  _id: keyOf(accountId, clientId),
  accountId,
  clientId,
  scopes: texts('scopes', rest.scopes),
  claims: texts('claims', rest.claims),
  resources: json('resources', rest.resources),
  updatedAt: whole('updatedAt', rest.updatedAt),
});

const consentOf = (found: ConsentDocument): Consent => ({
  ...present(found, 'accountId', 'clientId', 'scopes', 'claims', 'updatedAt'),
  resources: JSON.parse(found.resources),
});
