import { describe, expect, test } from '@jest/globals';
import type { Db, Document } from 'mongodb';
import { OperatorError } from '../../../src/kernel/errors.ts';
import { openDurable } from '../../../src/storage/mongodb/index.ts';
import { migrate } from '../../../src/storage/mongodb/migrations.ts';
import { migrations } from '../../../src/storage/mongodb/schema/index.ts';
import { collections } from '../../../src/storage/mongodb/schema/version-1.ts';
import { requires } from '../../support/requirements.ts';
import { useMongodb } from './mongodb.ts';

type Text = Document & { readonly _id: string };

requires('mongodb')('preparing the database (MongoDB)', () => {
  const workspace = useMongodb();
  const databaseOf = (): Db => workspace.client().db(workspace.settings.database);
  const open = () => workspace.open();

  test('ten nodes that start together find it prepared, once', async () => {
    const db = databaseOf();
    let runs = 0;
    const counted = migrations.map((migration) => async (database: Db) => {
      runs += 1;
      await migration(database);
    });
    await Promise.all(Array.from({ length: 10 }, () => migrate(db, counted)));
    expect(runs).toBe(migrations.length);
    const kept = await db.collection<Text>('migrations').find().toArray();
    expect(kept).toEqual([{ _id: 'schema', version: migrations.length }]);
    const storages = await Promise.all(Array.from({ length: 10 }, open));
    await Promise.all(storages.map((storage) => storage.ping()));
    expect(runs).toBe(migrations.length);
    const names = (await db.listCollections({}, { nameOnly: true }).toArray()).map(({ name }) => name);
    expect(names.sort()).toEqual(['migrations', ...collections.map(({ name }) => name)].sort());
  });

  test('one that fails keeps its turn: it is run again, and those before it are not', async () => {
    const db = databaseOf();
    const runs: string[] = [];
    const migration = (name: string, fails: boolean) => async () => {
      runs.push(name);
      if (fails) throw new Error('cut short');
    };
    await expect(migrate(db, [migration('one', false), migration('two', true)])).rejects.toThrow('cut short');
    await migrate(db, [migration('one', false), migration('two', false)]);
    expect(runs).toEqual(['one', 'two', 'two']);
  });

  test('what a node that died left half done is done by the next, once its lease has ended', async () => {
    const db = databaseOf();
    await db.collection('accounts').insertOne({ half: 'done' });
    await db.collection<Text>('migrations').insertMany([
      { _id: 'schema', version: 0 },
      { _id: 'lease', owner: 'the dead', until: Date.now() + 1500 },
    ]);
    await db.collection('accounts').deleteMany({});
    const begun = Date.now();
    await (await open()).ping();
    expect(Date.now() - begun).toBeGreaterThan(1000);
    expect(await db.collection<Text>('migrations').findOne({ _id: 'lease' })).toBeNull();
  });

  test('a database of a newer version is left alone, with the reason', async () => {
    await open();
    const schema = databaseOf().collection<Text>('migrations');
    await schema.updateOne({ _id: 'schema' }, { $set: { version: migrations.length + 1 } });
    const opening = openDurable(workspace.settings, workspace.context);
    await expect(opening).rejects.toThrow(OperatorError);
    await expect(opening).rejects.toThrow(/has version 2, this Vestibule knows versions up to 1: a newer one/);
    expect((await schema.findOne({ _id: 'schema' }))?.version).toBe(migrations.length + 1);
  });

  test('a database that holds something else is left alone, with the remedy', async () => {
    const db = databaseOf();
    await db.collection('accounts').insertOne({ of: 'another program' });
    const opening = openDurable(workspace.settings, workspace.context);
    await expect(opening).rejects.toThrow(OperatorError);
    await expect(opening).rejects.toThrow(/holds something else than Vestibule’s data|storage\.durable\.database/);
    expect(await db.collection('accounts').countDocuments({})).toBe(1);
    expect(await db.listCollections({ name: 'artifacts' }).toArray()).toEqual([]);
  });

  test('a database that is dropped while in use is no longer ready', async () => {
    const storage = await open();
    await databaseOf().dropDatabase();
    await expect(storage.ping()).rejects.toMatchObject({ code: 'storage.unavailable' });
  });

  describe('validators', () => {
    const account = { username: 'anna', emailVerified: true, state: 'active', profile: '{}', generation: 0 };
    const times = { createdAt: 1, updatedAt: 1, version: 1 };
    const item = { kind: 'password', id: 'current', data: 'hash', ...times };
    const consent = { accountId: 'a', clientId: 'c', scopes: [], claims: [], resources: '{}', updatedAt: 1 };

    test.each<readonly [collection: string, good: Text, bad: readonly Document[]]>([
      [
        'accounts',
        { _id: 'good', identifiers: ['anna'], ...account, ...times },
        [
          { state: 'godlike' },
          { emailVerified: 'yes' },
          { version: '1' },
          { identifiers: 'anna' },
          { identifiers: [] },
        ],
      ],
      [
        'credentials',
        { _id: 'good', items: [{ ...item, lookup: 'x' }], lookups: ['password\0x'] },
        [{ items: [{ ...item, data: { $ne: 1 } }] }, { items: [{ kind: 'password' }] }, { lookups: [] }],
      ],
      ['consents', { _id: 'good', ...consent }, [{ scopes: 'openid' }, { resources: {} }]],
      [
        'signing_keys',
        { _id: 'all', keys: [{ kid: 'k', alg: 'ES256', sealedJwk: 's', position: 0, createdAt: 1 }] },
        [{ keys: [] }, { keys: [{ kid: 'k' }] }],
      ],
    ])('of %s refuse what would be read wrongly, and let a newer node add members', async (name, good, bad) => {
      await open();
      const collection = databaseOf().collection<Text>(name);
      for (const wrong of bad) {
        await expect(collection.insertOne({ ...good, _id: 'bad', ...wrong })).rejects.toMatchObject({ code: 121 });
      }
      await collection.insertOne({ ...good, addedLater: true });
      expect(await collection.countDocuments({})).toBe(1);
    });

    test('what they refuse is not quoted in the log', async () => {
      const { accounts } = await open();
      const person = {
        ...account,
        ...times,
        profile: {},
        id: 'a',
        email: 'anna@example.org',
        state: 'godlike' as never,
      };
      const refused = await accounts.insert(person, ['anna@example.org']).catch((error: unknown) => error);
      expect(refused).toMatchObject({ code: 'storage.unavailable' });
      expect(String((refused as Error).cause)).toContain('121');
      workspace.context.logger.error({ err: refused }, 'failed');
      expect(JSON.stringify(workspace.log.lines)).not.toContain('anna');
    });
  });
});
