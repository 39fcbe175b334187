import { expect, test } from '@jest/globals';
import type { CommandStartedEvent, Document } from 'mongodb';
import { MongodbAccounts } from '../../../src/storage/mongodb/accounts.ts';
import { MongodbArtifacts } from '../../../src/storage/mongodb/artifacts.ts';
import { MongodbAudit } from '../../../src/storage/mongodb/audit.ts';
import { MongodbConsents } from '../../../src/storage/mongodb/consents.ts';
import { MongodbCredentials } from '../../../src/storage/mongodb/credentials.ts';
import { Database } from '../../../src/storage/mongodb/database.ts';
import { MongodbKeys } from '../../../src/storage/mongodb/keys.ts';
import { MongodbOutbox } from '../../../src/storage/mongodb/outbox.ts';
import { Outgoing } from '../../../src/storage/mongodb/outgoing.ts';
import type { Index } from '../../../src/storage/mongodb/schema/migration.ts';
import { collections } from '../../../src/storage/mongodb/schema/version-1.ts';
import { Totals } from '../../../src/storage/mongodb/totals.ts';
import { MongodbTransfer } from '../../../src/storage/mongodb/transfer.ts';
import { requires } from '../../support/requirements.ts';
import { useMongodb } from './mongodb.ts';
import { ordinary, VERBS } from './verbs.ts';

interface Query {
  readonly verb: string;
  readonly collection: string;
  readonly filter: Document;
  readonly sort?: Document;
}

/** What a command looks for; nothing of one that only inserts. */
function queriesOf(verb: string, { commandName, command }: CommandStartedEvent): Query[] {
  const query = (filter: Document, sort?: ReadonlyMap<string, unknown>): Query => ({
    verb,
    collection: String(command[commandName]),
    filter,
    ...(sort && { sort: Object.fromEntries(sort) }),
  });
  switch (commandName) {
    case 'find':
      return [query(command.filter, command.sort)];
    case 'findAndModify':
      return [query(command.query, command.sort)];
    case 'update':
      return command.updates.map(({ q }: Document) => query(q));
    case 'delete':
      return command.deletes.map(({ q }: Document) => query(q));
    case 'aggregate':
      return [query(command.pipeline[0].$match)];
    case 'insert':
    case 'count':
    case 'commitTransaction':
    case 'abortTransaction':
    case 'endSessions':
      return [];
    default:
      throw new Error(`${verb} sends ${commandName}`);
  }
}

/** Whether a condition names the values it wants, so that an index can go to each. */
const isPoint = (condition: unknown): boolean =>
  condition !== undefined && (typeof condition !== 'object' || Object.keys(condition ?? {}).join() === '$in');

/** How many members of the index the filter fixes; undefined when the index can't be used or gives another order. */
function usefulness({ filter, sort = {} }: Query, { key, partialFilterExpression }: Index): number | undefined {
  // MongoDB uses a partial index only where the filter itself says that the member is there.
  if (!Object.keys(partialFilterExpression ?? {}).every((member) => isPoint(filter[member]))) return undefined;
  const members = Object.keys(key);
  const others = members.findIndex((member) => !isPoint(filter[member]));
  const fixed = others === -1 ? members.length : others;
  const order = Object.entries(key).slice(fixed);
  const wanted = Object.entries(sort).filter(([member]) => !members.slice(0, fixed).includes(member));
  const isSorted = wanted.every(([member, way], place) => order[place]?.[0] === member && order[place][1] === way);
  return isSorted && fixed + wanted.length > 0 ? fixed : undefined;
}

/** The index that leads to what is looked for, and gives it in the order that is asked for. */
function indexFor(query: Query): string | undefined {
  if (isPoint(query.filter._id)) return '_id';
  const { indexes = [] } = collections.find(({ name }) => name === query.collection) ?? {};
  const useful = indexes.filter((index) => usefulness(query, index) !== undefined);
  return useful.sort((one, other) => Number(usefulness(query, other)) - Number(usefulness(query, one)))[0]?.name;
}

requires('mongodb')('queries (MongoDB)', () => {
  const workspace = useMongodb();

  test('every verb finds what it looks for by an index, in the order of that index', async () => {
    await workspace.open();
    const client = workspace.client();
    const { clock, logger } = workspace.context;
    const database = new Database(client, workspace.settings.database, 30_000, logger);
    const outgoing = new Outgoing(database);
    const storage = {
      accounts: new MongodbAccounts(database, outgoing),
      credentials: new MongodbCredentials(database, outgoing, new Totals(database, logger)),
      consents: new MongodbConsents(database),
      keys: new MongodbKeys(database, 'signing_keys'),
      upstreamKeys: new MongodbKeys(database, 'upstream_keys'),
      audit: new MongodbAudit(database, outgoing, clock),
      outbox: new MongodbOutbox(database, clock, outgoing),
      artifacts: new MongodbArtifacts(database, clock),
      transfer: new MongodbTransfer(database, workspace.settings, clock),
      ping: () => database.ping(),
      close: () => database.close(),
    };
    const seen: Query[] = [];
    let verb = '';
    client.on('commandStarted', (event) => seen.push(...queriesOf(verb, event)));
    for (const [name, call] of Object.entries(VERBS)) {
      verb = name;
      await call(storage, ordinary);
    }
    verb = 'audit.list of everybody';
    await storage.audit.list({ limit: 5 });
    const used = seen.map((query) => [query.verb, query.collection, indexFor(query)] as const);
    expect(used.filter(([, , index]) => index === undefined)).toEqual([]);
    const by = (wanted: string) => [...new Set(used.filter(([name]) => name === wanted).map(([, , index]) => index))];
    expect(by('accounts.findByIdentifier')).toEqual(['by_identifier']);
    expect(by('credentials.findByLookup')).toEqual(['by_lookup']);
    expect(by('artifacts.removeByGrant')).toEqual(['by_grant']);
    expect(by('artifacts.endByAccount')).toEqual(['by_account']);
    expect(by('artifacts.findByUid')).toEqual(['by_uid']);
    expect(by('artifacts.findByUserCode')).toEqual(['by_user_code']);
    expect(by('outbox.claim')).toEqual(['by_due']);
    expect(by('audit.list')).toEqual(['by_account']);
    expect(by('audit.list of everybody')).toEqual(['by_time']);
    // Everything else goes straight to one document.
    const named = new Set(['_id', 'by_due']);
    const others = used.filter(([name]) => !/find|remove.*By|end|list/.test(name));
    expect(others.filter(([, , index]) => !named.has(index ?? ''))).toEqual([]);
  });

  test('the server has the indexes, and uses those that stand for one member', async () => {
    await workspace.open();
    const database = workspace.client().db(workspace.settings.database);
    for (const { name, indexes } of collections) {
      const found = await database.collection(name).indexes();
      expect(found.map((index) => index.name).sort()).toEqual(['_id_', ...indexes.map((index) => index.name)].sort());
      for (const { name: wanted, ...index } of indexes) {
        expect(found.find((each) => each.name === wanted)).toMatchObject(index);
      }
    }
    const stageOf = async (collection: string, filter: Document): Promise<string> =>
      JSON.stringify(await database.collection(collection).find(filter).explain('queryPlanner'));
    expect(await stageOf('accounts', { identifiers: 'x' })).toContain('"indexName":"by_identifier"');
    expect(await stageOf('credentials', { lookups: 'x' })).toContain('"indexName":"by_lookup"');
    expect(await stageOf('artifacts', { _id: 'x' } as Document)).toMatch(/"IDHACK"|"indexName":"_id_"/);
  });

  test('a change without mails is one message, and one with mails a transaction', async () => {
    await workspace.open();
    const client = workspace.client();
    const { logger } = workspace.context;
    const database = new Database(client, workspace.settings.database, 30_000, logger);
    const outgoing = new Outgoing(database);
    const credentials = new MongodbCredentials(database, outgoing, new Totals(database, logger));
    const one = { accountId: 'a', kind: 'k', data: 'd', version: 1, createdAt: 1, updatedAt: 1 };
    await credentials.insert({ ...one, id: '1' });
    const sent: string[] = [];
    client.on('commandStarted', ({ commandName }) => sent.push(commandName));
    await credentials.insert({ ...one, id: '2' });
    await credentials.replace({ ...one, id: '2' }, 1);
    await credentials.removeUnlessLast('a', 'k', '2', { kinds: ['k'] });
    expect(sent.splice(0)).toEqual(['findAndModify', 'update', 'findAndModify']);
    const mails = [{ id: 'm', kind: 'notice', payload: {}, urgent: false, createdAt: 1 }];
    await credentials.insert({ ...one, id: '2' }, mails);
    expect(sent).toEqual(['findAndModify', 'update', 'commitTransaction']);
  });
});
