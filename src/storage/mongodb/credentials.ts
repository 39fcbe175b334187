import type { Collection, Document, Filter } from 'mongodb';
import { byteOrder } from '../../kernel/byte-order.ts';
import type { Credential, CredentialStore, OutboxEntry, WaysIn } from '../ports.ts';
import { text, texts, whole } from '../values.ts';
import type { Change, Database } from './database.ts';
import { isTaken } from './failure.ts';
import type { Outgoing } from './outgoing.ts';
import type { Totals } from './totals.ts';
import { joined, optional, SEPARATOR } from './values.ts';

export type Item = Omit<Credential, 'accountId'>;

/** All that one account has: "is it the last?" and "has it changed?" are asked by the step that writes. */
export interface CredentialsDocument {
  /** The account's id. */
  readonly _id: string;
  readonly items: readonly Item[];
  /** Kind and lookup of each item that has one, for the unique index. Absent when there are none. */
  readonly lookups?: readonly string[];
}

/** What a change tells of the account before it: the kinds, for the totals. */
const BEFORE = { returnDocument: 'before', projection: { 'items.kind': 1 } } as const;

export class MongodbCredentials implements CredentialStore {
  readonly #database: Database;
  readonly #outgoing: Outgoing;
  readonly #totals: Totals;
  readonly #accounts: Collection<CredentialsDocument>;

  constructor(database: Database, outgoing: Outgoing, totals: Totals) {
    this.#database = database;
    this.#outgoing = outgoing;
    this.#totals = totals;
    this.#accounts = database.collection('credentials');
  }

  /** By kind, oldest first. */
  async all(accountId: string): Promise<Credential[]> {
    const _id = text('accountId', accountId);
    const found = await this.#database.run(() => this.#accounts.findOne({ _id }));
    return (found?.items ?? []).map((item) => ({ accountId: _id, ...item })).sort(byKindAndAge);
  }

  /** Oldest first. */
  async list(accountId: string, kind: string): Promise<Credential[]> {
    const wanted = text('kind', kind);
    return (await this.all(accountId)).filter((credential) => credential.kind === wanted);
  }

  async find(accountId: string, kind: string, id: string): Promise<Credential | undefined> {
    const wanted = text('id', id);
    return (await this.list(accountId, kind)).find((credential) => credential.id === wanted);
  }

  async findByLookup(kind: string, lookup: string): Promise<Credential | undefined> {
    const wanted = text('kind', kind);
    const lookups = joined('kind', wanted, text('lookup', lookup));
    const found = await this.#database.run(() => this.#accounts.findOne({ lookups }));
    const item = found?.items.find((each) => each.kind === wanted && each.lookup === lookup);
    return found && item ? { accountId: found._id, ...item } : undefined;
  }

  async insert(credential: Credential, mails: readonly OutboxEntry[] = []): Promise<boolean> {
    const _id = text('accountId', credential.accountId);
    const item = itemOf(credential);
    const { kind, id } = item;
    const key = lookupOf(item);
    // The unique index compares accounts with each other; within one it is asked here.
    const free = {
      _id,
      items: { $not: { $elemMatch: { kind, id } } },
      ...(key !== undefined && { lookups: { $ne: key } }),
    };
    const add = { $push: { items: item, ...(key !== undefined && { lookups: key }) } };
    const rest = this.#outgoing.prepare(mails);
    return this.#database.run(async (deadline) => {
      let held = 0;
      const change: Change = async (within) => {
        const before = await this.#accounts.findOneAndUpdate(free, add, { ...within, ...BEFORE, upsert: true });
        held = countOf(before, kind);
        return true;
      };
      const attempt = async (): Promise<boolean> => {
        try {
          return await this.#database.atomically(change, rest, deadline);
        } catch (error) {
          if (isTaken(error)) return false;
          throw error;
        }
      };
      // Refused once may mean that the account's first credential was just being written; twice, that it is taken.
      if (!(await attempt()) && !(await attempt())) return false;
      if (held === 0) await this.#totals.move(kind, 1);
      return true;
    });
  }

  async replace(credential: Credential, expectedVersion: number, mails: readonly OutboxEntry[] = []): Promise<boolean> {
    const _id = text('accountId', credential.accountId);
    const version = whole('expectedVersion', expectedVersion);
    const { kind, id, data, createdAt, updatedAt } = itemOf(credential);
    const filter = { _id, items: { $elemMatch: { kind, id, version } } };
    const change = {
      'items.$.data': data,
      'items.$.createdAt': createdAt,
      'items.$.updatedAt': updatedAt,
      'items.$.version': version + 1,
    };
    const rest = this.#outgoing.prepare(mails);
    return this.#database.run((deadline) =>
      this.#database.atomically(
        async (within) => (await this.#accounts.updateOne(filter, { $set: change }, within)).matchedCount === 1,
        rest,
        deadline,
      ),
    );
  }

  async remove(accountId: string, kind: string, id: string, mails: readonly OutboxEntry[] = []): Promise<boolean> {
    const key = { kind: text('kind', kind), id: text('id', id) };
    return this.#take({ _id: text('accountId', accountId), items: { $elemMatch: key } }, key, mails);
  }

  async removeUnlessLast(
    accountId: string,
    kind: string,
    id: string,
    { kinds, except = [] }: WaysIn,
    mails: readonly OutboxEntry[] = [],
  ): Promise<boolean> {
    const key = { kind: text('kind', kind), id: text('id', id) };
    const another = {
      kind: { $in: texts('kinds', kinds) },
      id: { $nin: texts('except', except) },
      $or: [{ kind: { $ne: key.kind } }, { id: { $ne: key.id } }],
    };
    const both = [{ items: { $elemMatch: key } }, { items: { $elemMatch: another } }];
    return this.#take({ _id: text('accountId', accountId), $and: both }, key, mails);
  }

  async holders(kind: string): Promise<number> {
    const key = text('kind', kind);
    return this.#database.run(() => this.#totals.read(key));
  }

  async #take(filter: Filter<CredentialsDocument>, key: Key, mails: readonly OutboxEntry[]): Promise<boolean> {
    const rest = this.#outgoing.prepare(mails);
    return this.#database.run(async (deadline) => {
      let held = 0;
      const change: Change = async (within) => {
        const before = await this.#accounts.findOneAndUpdate(filter, without(key), { ...within, ...BEFORE });
        held = countOf(before, key.kind);
        return before !== null;
      };
      if (!(await this.#database.atomically(change, rest, deadline))) return false;
      if (held === 1) await this.#totals.move(key.kind, -1);
      return true;
    });
  }
}

type Key = Pick<Item, 'kind' | 'id'>;

/** An update that takes the item away, and the lookups of those that stay are written anew. */
function without(key: Key): Document[] {
  // Literals, because a pipeline reads a string with a dollar sign as the name of a member.
  const isIt = {
    $and: [{ $eq: ['$$item.kind', { $literal: key.kind }] }, { $eq: ['$$item.id', { $literal: key.id }] }],
  };
  const withLookup = {
    $filter: { input: '$items', as: 'item', cond: { $eq: [{ $type: '$$item.lookup' }, 'string'] } },
  };
  const join = { $concat: ['$$item.kind', { $literal: SEPARATOR }, '$$item.lookup'] };
  return [
    { $set: { items: { $filter: { input: '$items', as: 'item', cond: { $not: [isIt] } } } } },
    { $set: { lookups: { $map: { input: withLookup, as: 'item', in: join } } } },
    // The index leaves out what has no such member; an empty list would be a value like others, and taken once.
    { $set: { lookups: { $cond: [{ $eq: ['$lookups', []] }, '$$REMOVE', '$lookups'] } } },
  ];
}

const countOf = (found: Pick<CredentialsDocument, 'items'> | null, kind: string): number =>
  found?.items.filter((item) => item.kind === kind).length ?? 0;

export const itemOf = (credential: Credential): Item => ({
  kind: text('kind', credential.kind),
  id: text('id', credential.id),
  ...optional('lookup', text, credential.lookup),
  data: text('data', credential.data),
  version: whole('version', credential.version),
  createdAt: whole('createdAt', credential.createdAt),
  updatedAt: whole('updatedAt', credential.updatedAt),
});

/** What the unique index knows it by. */
export const lookupOf = ({ kind, lookup }: Pick<Item, 'kind' | 'lookup'>): string | undefined =>
  lookup === undefined ? undefined : joined('kind', kind, lookup);

const byKindAndAge = (one: Item, other: Item): number =>
  byteOrder(one.kind, other.kind) || one.createdAt - other.createdAt || byteOrder(one.id, other.id);
