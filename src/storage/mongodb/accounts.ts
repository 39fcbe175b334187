import type { Collection } from 'mongodb';
import type { Account, AccountState, AccountStore, OutboxEntry } from '../ports.ts';
import { json, text, texts, whole } from '../values.ts';
import type { Change, Database } from './database.ts';
import { isTaken } from './failure.ts';
import type { Outgoing } from './outgoing.ts';
import { optional, present, yesOrNo } from './values.ts';

interface AccountDocument {
  readonly _id: string;
  /** Within the document, so that an account and its names change in one step. Absent when there are none. */
  readonly identifiers?: readonly string[];
  readonly username: string;
  readonly email?: string;
  readonly emailVerified: boolean;
  readonly state: AccountState;
  readonly minimumAcr?: string;
  /** JSON text. */
  readonly profile: string;
  readonly generation: number;
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly version: number;
}

/** "Is an identifier taken?" is decided by the unique index, in the moment of writing. */
export class MongodbAccounts implements AccountStore {
  readonly #database: Database;
  readonly #outgoing: Outgoing;
  readonly #accounts: Collection<AccountDocument>;

  constructor(database: Database, outgoing: Outgoing) {
    this.#database = database;
    this.#outgoing = outgoing;
    this.#accounts = database.collection('accounts');
  }

  async find(id: string): Promise<Account | undefined> {
    const _id = text('id', id);
    const found = await this.#database.run(() => this.#accounts.findOne({ _id }));
    return found ? accountOf(found) : undefined;
  }

  async findByIdentifier(identifier: string): Promise<Account | undefined> {
    const identifiers = text('identifier', identifier);
    const found = await this.#database.run(() => this.#accounts.findOne({ identifiers }));
    return found ? accountOf(found) : undefined;
  }

  async insert(account: Account, identifiers: readonly string[]): Promise<boolean> {
    const document = documentOf(account, identifiers, whole('version', account.version));
    return this.#unlessTaken(async (within) => {
      await this.#accounts.insertOne(document, within);
      return true;
    });
  }

  async replace(
    account: Account,
    identifiers: readonly string[],
    expectedVersion: number,
    mails: readonly OutboxEntry[] = [],
  ): Promise<boolean> {
    const version = whole('expectedVersion', expectedVersion);
    const document = documentOf(account, identifiers, version + 1);
    return this.#unlessTaken(async (within) => {
      const { matchedCount } = await this.#accounts.replaceOne({ _id: document._id, version }, document, within);
      return matchedCount === 1;
    }, mails);
  }

  /** From the collection's own count, which a crash of the database server may leave a little wrong. */
  async count(): Promise<number> {
    return this.#database.run(() => this.#accounts.estimatedDocumentCount());
  }

  #unlessTaken(write: Change, mails: readonly OutboxEntry[] = []): Promise<boolean> {
    const rest = this.#outgoing.prepare(mails);
    return this.#database.run(async (deadline) => {
      try {
        return await this.#database.atomically(write, rest, deadline);
      } catch (error) {
        if (isTaken(error)) return false;
        throw error;
      }
    });
  }
}

export function documentOf(account: Account, identifiers: readonly string[], version: number): AccountDocument {
  const wanted = [...new Set(texts('identifiers', identifiers))];
  return {
    _id: text('id', account.id),
    ...(wanted.length > 0 && { identifiers: wanted }),
    username: text('username', account.username),
    ...optional('email', text, account.email),
    emailVerified: yesOrNo('emailVerified', account.emailVerified),
    state: text('state', account.state) as AccountState,
    ...optional('minimumAcr', text, account.minimumAcr),
    profile: json('profile', account.profile),
    generation: whole('generation', account.generation),
    createdAt: whole('createdAt', account.createdAt),
    updatedAt: whole('updatedAt', account.updatedAt),
    version,
  };
}

const accountOf = (found: AccountDocument): Account => ({
  id: found._id,
  username: found.username,
  emailVerified: found.emailVerified,
  state: found.state,
  profile: JSON.parse(found.profile),
  generation: found.generation,
  createdAt: found.createdAt,
  updatedAt: found.updatedAt,
  version: found.version,
  ...present(found, 'email', 'minimumAcr'),
});
