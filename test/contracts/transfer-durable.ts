import { expect, test } from '@jest/globals';
import type { DurableStorage, TransferRow } from '../../src/storage/ports.ts';
import { mail } from './mails.ts';
import { copyAll, everything, transferOf } from './transfers.ts';
import type { Workspace } from './workspace.ts';

const key = { kid: 'k1', alg: 'ES256', sealedJwk: 'sealed', position: 0, createdAt: 5 };
const account = (id: string) => ({
  id,
  username: id.toUpperCase(),
  emailVerified: false,
  state: 'active' as const,
  profile: {},
  generation: 0,
  createdAt: 1,
  updatedAt: 2,
  version: 1,
});
const credential = (accountId: string, kind: string, id: string) => ({
  accountId,
  kind,
  id,
  data: `data of ${id}`,
  version: 1,
  createdAt: 1,
  updatedAt: 1,
});

/** One of everything, with and without what may be absent. */
const fill = async (storage: DurableStorage): Promise<void> => {
  await storage.keys.insertFirst([{ ...key, kid: 'k2', position: 1 }, key]);
  await storage.upstreamKeys.insertFirst([{ ...key, kid: 'u1' }]);
  const anna = { ...account('anna'), email: 'a@example.org', minimumAcr: 'urn:acr', profile: { name: 'Anna 😀' } };
  await storage.accounts.insert(anna, ['b', 'a@example.org', '😀', '\uE000']);
  await storage.accounts.replace(
    { ...anna, emailVerified: true, generation: 3 },
    ['b', 'a@example.org', '😀', '\uE000'],
    1,
  );
  await storage.accounts.insert(account('ben'), []);
  await storage.credentials.insert({ ...credential('anna', 'passkey', 'p1'), lookup: 'found' });
  await storage.credentials.insert(credential('anna', 'password', 'current'));
  await storage.credentials.replace({ ...credential('anna', 'password', 'current'), data: 'new' }, 1);
  await storage.credentials.insert(credential('anna', 'passkey', 'p0'));
  await storage.credentials.insert(credential('ben', 'password', 'current'));
  await storage.consents.save({
    accountId: 'anna',
    clientId: 'portal',
    scopes: ['openid', 'email'],
    claims: [],
    resources: { 'https://api.example/$x.y': ['read'] },
    updatedAt: 9,
  });
  for (const id of ['e2', 'e1', 'e3']) await storage.audit.append({ id, at: 1_700_000_000_123, event: 'x' });
  await storage.audit.append({
    id: 'e0',
    at: 1_600_000_000_000,
    event: 'login.failed',
    accountId: 'anna',
    clientId: 'portal',
    requestId: 'r',
    address: '192.0.2.0/24',
    details: { tries: 2, list: ['a'], yes: true },
  });
  await storage.outbox.add([mail('m1', { urgent: true, payload: { $a: { 'b.c': null } } }), mail('m2'), mail('m3')]);
  const [first] = await storage.outbox.claim(1, 60);
  await storage.outbox.bury(first?.id ?? '', 'nobody there');
  const [second] = await storage.outbox.claim(1, 60);
  await storage.outbox.postpone(second?.id ?? '', 4_000_000_000, 'later');
  await storage.artifacts.save('Grant', 'g1', {
    payload: { z: 1, a: { $ne: 'x', __proto__x: [1, null] } },
    grantId: 'g',
    uid: 'u',
    userCode: 'c',
    accountId: 'anna',
    consumedAt: 7,
    expiresAt: 253_402_300_799,
  });
  await storage.artifacts.save('RefreshToken', 'r1', { payload: {}, expiresAt: 4_000_000_000 });
};

/** What a copy of the durable half is. @param other where copies go */
export function durableCopyContract(workspace: Workspace<DurableStorage>, other: Workspace<DurableStorage>): void {
  test('every record reads as the ports say it', async () => {
    const storage = await workspace.open();
    await fill(storage);
    const found = await everything(transferOf(storage));
    const values = Object.fromEntries(
      Object.entries(found).map(([name, rows]) => [name, rows.map((row) => row.value)]),
    );
    const byId = (id: string) => values.outbox?.find((value) => value.id === id);
    expect(values).toStrictEqual({
      keys: [key, { ...key, kid: 'k2', position: 1 }],
      upstreamKeys: [{ ...key, kid: 'u1' }],
      audit: [
        {
          id: 'e0',
          at: 1_600_000_000_000,
          event: 'login.failed',
          accountId: 'anna',
          clientId: 'portal',
          requestId: 'r',
          address: '192.0.2.0/24',
          details: { tries: 2, list: ['a'], yes: true },
        },
        ...['e2', 'e1', 'e3'].map((id) => ({ id, at: 1_700_000_000_123, event: 'x' })),
      ],
      artifacts: [
        {
          kind: 'Grant',
          id: 'g1',
          payload: { z: 1, a: { $ne: 'x', __proto__x: [1, null] } },
          grantId: 'g',
          uid: 'u',
          userCode: 'c',
          accountId: 'anna',
          consumedAt: 7,
          expiresAt: 253_402_300_799,
        },
        { kind: 'RefreshToken', id: 'r1', payload: {}, expiresAt: 4_000_000_000 },
      ],
      consents: [
        {
          accountId: 'anna',
          clientId: 'portal',
          scopes: ['openid', 'email'],
          claims: [],
          resources: { 'https://api.example/$x.y': ['read'] },
          updatedAt: 9,
        },
      ],
      credentials: [
        credential('anna', 'passkey', 'p0'),
        { ...credential('anna', 'passkey', 'p1'), lookup: 'found' },
        { ...credential('anna', 'password', 'current'), data: 'new', version: 2 },
        credential('ben', 'password', 'current'),
      ],
      accounts: [
        {
          ...account('anna'),
          email: 'a@example.org',
          emailVerified: true,
          minimumAcr: 'urn:acr',
          profile: { name: 'Anna 😀' },
          generation: 3,
          version: 2,
          identifiers: ['a@example.org', 'b', '\uE000', '😀'],
        },
        { ...account('ben'), identifiers: [] },
      ],
      outbox: expect.any(Array),
    });
    expect(byId('m1')).toStrictEqual({
      ...mail('m1', { urgent: true, payload: { $a: { 'b.c': null } } }),
      dueAt: workspace.clock.seconds + 60,
      attempts: 1,
      dead: true,
      problem: 'nobody there',
    });
    const waiting = [byId('m2'), byId('m3')].toSorted((one, two) => Number(one?.dueAt) - Number(two?.dueAt));
    expect(waiting[0]).toMatchObject({ dueAt: 1000, attempts: 0, dead: false });
    expect(waiting[1]).toMatchObject({ dueAt: 4_000_000_000, attempts: 1, dead: false, problem: 'later' });
    for (const [name, rows] of Object.entries(found)) expect(await transferOf(storage).count(name)).toBe(rows.length);
  });

  test('a copy answers as the original does', async () => {
    const [original, copy] = [await workspace.open(), await other.open()];
    await fill(original);
    await copyAll(transferOf(original), transferOf(copy));
    expect(await everything(transferOf(copy))).toStrictEqual(await everything(transferOf(original)));
    for (const name of ['b', 'a@example.org', '😀'])
      expect(await copy.accounts.findByIdentifier(name)).toStrictEqual(await original.accounts.find('anna'));
    expect(await copy.accounts.count()).toBe(2);
    expect(await copy.credentials.holders('password')).toBe(2);
    expect(await copy.credentials.holders('passkey')).toBe(1);
    expect(await copy.credentials.all('anna')).toStrictEqual(await original.credentials.all('anna'));
    expect((await copy.credentials.findByLookup('passkey', 'found'))?.id).toBe('p1');
    expect(await copy.consents.find('anna', 'portal')).toStrictEqual(await original.consents.find('anna', 'portal'));
    expect(await copy.keys.list()).toStrictEqual(await original.keys.list());
    expect(await copy.upstreamKeys.list()).toStrictEqual(await original.upstreamKeys.list());
    expect(await copy.keys.insertFirst([key])).toBe(false);
    expect(await copy.audit.list({ limit: 10 })).toStrictEqual(await original.audit.list({ limit: 10 }));
    expect(await copy.outbox.count()).toStrictEqual({ waiting: 2, dead: 1 });
    expect((await copy.outbox.claim(10, 60)).map(({ attempts }) => attempts)).toEqual([1]);
    expect((await copy.artifacts.findByUid('Grant', 'u'))?.artifact).toStrictEqual(
      await original.artifacts.find('Grant', 'g1'),
    );
    expect(await copy.artifacts.consumeOnce('Grant', 'g1', 8)).toBe(false);
    await copy.artifacts.removeByGrant('Grant', 'g');
    expect(await copy.artifacts.find('Grant', 'g1')).toBeUndefined();
  });

  test('accounts without any credential left stand in nobody’s way', async () => {
    const port = transferOf(await workspace.open());
    const { credentials } = await workspace.open();
    for (const id of ['a', 'b', 'c', 'd', 'z']) await credentials.insert(credential(id, 'password', 'current'));
    for (const id of ['a', 'b', 'c', 'd']) await credentials.remove(id, 'password', 'current');
    expect((await port.read('credentials', undefined, 2)).map(({ key }) => key)).toEqual(['z\0password\0current']);
  });

  test('names and lookups go to whom they belong to now', async () => {
    const port = transferOf(await workspace.open());
    const storage = await workspace.open();
    const named = (id: string, ...identifiers: string[]): TransferRow => ({
      key: id,
      value: { ...account(id), identifiers },
    });
    await port.write('accounts', [named('anna', 'a'), named('ben', 'b'), named('cleo', 'c', 'd')]);
    await port.write('accounts', [named('anna', 'b'), named('ben', 'a', 'c')]);
    expect(
      await Promise.all(['a', 'b', 'c', 'd'].map(async (name) => (await storage.accounts.findByIdentifier(name))?.id)),
    ).toEqual(['ben', 'anna', 'ben', 'cleo']);
    const passkey = (accountId: string, id: string, lookup: string): TransferRow => ({
      key: `${accountId}\0passkey\0${id}`,
      value: { ...credential(accountId, 'passkey', id), lookup },
    });
    await port.write('credentials', [passkey('anna', 'p', 'x'), passkey('ben', 'p', 'y'), passkey('ben', 'q', 'z')]);
    await port.write('credentials', [passkey('anna', 'p', 'y'), passkey('cleo', 'p', 'z')]);
    expect((await storage.credentials.findByLookup('passkey', 'y'))?.accountId).toBe('anna');
    expect((await storage.credentials.findByLookup('passkey', 'z'))?.accountId).toBe('cleo');
    expect(await storage.credentials.all('ben')).toEqual([]);
    await port.remove('credentials', [passkey('anna', 'p', 'y')]);
    expect(await storage.credentials.insert({ ...credential('ben', 'passkey', 'p'), lookup: 'y' })).toBe(true);
    await port.remove('accounts', [named('ben', 'a', 'c')]);
    expect(await storage.accounts.insert(account('dora'), ['a', 'c'])).toBe(true);
    await port.finish();
    expect(await storage.credentials.holders('passkey')).toBe(2);
  });
}
