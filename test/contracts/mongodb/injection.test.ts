import { describe, expect, test } from '@jest/globals';
import { ObjectId } from 'mongodb';
import type { DurableStorage } from '../../../src/storage/ports.ts';
import { requires } from '../../support/requirements.ts';
import { mail } from '../mails.ts';
import { useMongodb } from './mongodb.ts';
import { ordinary, type Places, VERBS } from './verbs.ts';

/** What a parsed body or query, a prototype or an object that poses as a value may put where a string is meant. */
const NOT_STRINGS: readonly unknown[] = [
  null,
  7,
  7n,
  true,
  { $ne: null },
  { $gt: '' },
  { $regex: '^' },
  { $in: ['some id'] },
  { $where: 'true' },
  { $expr: true },
  { $eq: 'some id' },
  {},
  ['some id'],
  [{ $ne: null }],
  Buffer.from('some id'),
  new Uint8Array(3),
  new String('some id'),
  new ObjectId(),
  new Date(0),
  /^/,
  Symbol('some id'),
  () => 'some id',
  { toString: () => 'some id' },
  { toBSON: () => 'some id' },
  { toJSON: () => 'some id' },
  { [Symbol.toPrimitive]: () => 'some id' },
  { _bsontype: 'Code', code: 'true' },
  { length: 7, isWellFormed: () => true },
  Object.create({ $ne: null }),
  Object.setPrototypeOf({}, String.prototype),
  JSON.parse('{"__proto__":{"$ne":null}}'),
  '\ud800',
];

const NOT_WHOLE: readonly unknown[] = [
  null,
  '1',
  -1,
  1.5,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  1n,
  { $gt: 0 },
  { valueOf: () => 1 },
  { _bsontype: 'Long', low: 1, high: 0 },
  [1],
  new Number(1),
  new Date(1),
];

/** Every place of every verb, with what doesn't belong there. */
const PLACES = Object.entries(VERBS).flatMap(([verb, call]) => {
  const places: (readonly [verb: string, place: string, kind: 'text' | 'whole'])[] = [];
  const note = (kind: 'text' | 'whole') => (place: string) => {
    places.push([verb, place, kind]);
    return (kind === 'text' ? 'x' : 1) as never;
  };
  const everything: unknown = new Proxy(() => everything, { get: () => everything });
  call(everything as DurableStorage, { text: note('text'), whole: note('whole') });
  return places;
});

requires('mongodb')('operators in the place of values (MongoDB)', () => {
  const workspace = useMongodb();

  test('every verb of the ports is called', async () => {
    const storage = await workspace.open();
    const isOwn = (name: string): boolean => !['close', 'ping', 'transfer'].includes(name);
    const names = Object.entries(storage)
      .filter(([name]) => isOwn(name))
      .flatMap(([name, store]) =>
        Object.getOwnPropertyNames(Object.getPrototypeOf(store))
          .filter((verb) => verb !== 'constructor')
          .map((verb) => `${name}.${verb}`),
      );
    expect(Object.keys(VERBS).sort()).toEqual([...names, 'ping'].sort());
    expect(PLACES.length).toBeGreaterThan(120);
  });

  test('whatever stands in a place of whichever verb, it is refused, and nothing is changed', async () => {
    const storage = await workspace.open();
    for (const verb of ['accounts.insert', 'credentials.insert', 'consents.save', 'artifacts.save', 'outbox.add']) {
      await VERBS[verb]?.(storage, ordinary);
    }
    const client = workspace.client();
    const database = client.db(workspace.settings.database);
    const contents = async () => {
      const names = (await database.listCollections({}, { nameOnly: true }).toArray()).map(({ name }) => name).sort();
      return Promise.all(names.map(async (name) => [name, await database.collection(name).find().toArray()]));
    };
    const before = await contents();
    const accepted: string[] = [];
    for (const [verb, place, kind] of PLACES) {
      for (const value of kind === 'text' ? NOT_STRINGS : NOT_WHOLE) {
        const swap =
          <Value>(of: (place: string) => Value) =>
          (asked: string) =>
            asked === place ? (value as Value) : of(asked);
        const places: Places = { text: swap(ordinary.text), whole: swap(ordinary.whole) };
        const outcome = await VERBS[verb]?.(storage, places).then(
          () => 'accepted',
          (error: unknown) => error,
        );
        if (!(outcome instanceof TypeError)) accepted.push(`${verb} ${place} ${String(outcome)}`);
      }
    }
    expect(accepted).toEqual([]);
    expect(await contents()).toEqual(before);
  });

  describe('what is allowed, and looks like an operator', () => {
    const odd = {
      $set: { a: 1 },
      'a.b.c': { $ne: null },
      $where: 'true',
      '': 'empty',
      $$ROOT: ['$$NOW', { $literal: '$x' }],
      _id: 7,
    };

    test('members of objects come back under their names', async () => {
      const { accounts, artifacts, audit, consents, outbox } = await workspace.open();
      const times = { generation: 0, createdAt: 1, updatedAt: 1, version: 1 };
      const state = { emailVerified: true, state: 'active', ...times } as const;
      const account = { id: 'a', username: '$u', profile: { address: { 'a.$': '$$ROOT', $ne: 'x' } }, ...state };
      await accounts.insert(account, ['$identifiers']);
      expect(await accounts.findByIdentifier('$identifiers')).toEqual(account);
      const artifact = { payload: odd, expiresAt: workspace.clock.seconds + 60 };
      await artifacts.save('Session', 'id', artifact);
      expect(await artifacts.find('Session', 'id')).toEqual(artifact);
      await audit.append({ id: 'e', at: 1, event: 'x', details: { 'a.b': '$x', $ne: true } });
      expect((await audit.list({ limit: 1 }))[0]?.details).toEqual({ 'a.b': '$x', $ne: true });
      const consent = { accountId: 'a', clientId: '$c', scopes: ['$s'], claims: ['$$c'], updatedAt: 1 };
      const resources = { 'https://api.example.org/$a.b': ['$read'], $ne: [] };
      await consents.save({ ...consent, resources });
      expect(await consents.find('a', '$c')).toEqual({ ...consent, resources });
      await outbox.add([mail('$id', { payload: odd })]);
      expect((await outbox.claim(1, 60))[0]?.payload).toEqual(odd);
    });

    test('strings that begin with a dollar sign are kept and compared as they are', async () => {
      const { artifacts, credentials } = await workspace.open();
      const expiresAt = workspace.clock.seconds + 60;
      const saved = { payload: {}, grantId: '$id', uid: '$$ROOT', userCode: '$kind', accountId: '$_id', expiresAt };
      await artifacts.save('$kind', '$id', saved);
      await artifacts.save('$kind', '$id', saved);
      expect(await artifacts.find('$kind', '$id')).toEqual(saved);
      const end = { at: 1, until: expiresAt, exceptUid: '$uid' };
      await artifacts.endByAccount('$kind', '$_id', end);
      expect((await artifacts.find('$kind', '$id'))?.consumedAt).toBe(1);
      const credential = { accountId: '$a', kind: '$kind', id: '$$item.id', lookup: '$lookup', data: '$data' };
      const times = { version: 1, createdAt: 1, updatedAt: 1 };
      const stays = { ...credential, id: '$id', lookup: '$$item.lookup', ...times };
      for (const one of [{ ...credential, ...times }, stays]) await credentials.insert(one);
      expect(await credentials.remove('$a', '$kind', '$$item.id')).toBe(true);
      expect(await credentials.all('$a')).toEqual([stays]);
      expect(await credentials.findByLookup('$kind', '$$item.lookup')).toEqual(stays);
      expect(await credentials.insert({ ...credential, ...times })).toBe(true);
    });

    test('a separator in a kind or an account’s id is refused, where two keys would be one', async () => {
      const { artifacts, consents, credentials } = await workspace.open();
      await artifacts.save('a', 'b\0c', { payload: {}, expiresAt: workspace.clock.seconds + 60 });
      await expect(artifacts.find('a\0b', 'c')).rejects.toThrow(TypeError);
      await expect(consents.find('a\0b', 'c')).rejects.toThrow(TypeError);
      await expect(credentials.findByLookup('a\0b', 'c')).rejects.toThrow(TypeError);
    });
  });
});
