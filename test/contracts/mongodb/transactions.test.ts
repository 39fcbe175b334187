import { expect, test } from '@jest/globals';
import type { Credential } from '../../../src/storage/ports.ts';
import { requires } from '../../support/requirements.ts';
import { mail, owed } from '../mails.ts';
import { useMongodb } from './mongodb.ts';

const password: Credential = {
  accountId: 'acc-anna',
  kind: 'password',
  id: 'current',
  data: 'hash',
  version: 1,
  createdAt: 1,
  updatedAt: 1,
};

requires('mongodb')('a change and its mails (MongoDB)', () => {
  const workspace = useMongodb();

  test('when the mails can’t be written, the change isn’t either', async () => {
    const { accounts, audit, credentials, outbox } = await workspace.open();
    const state = { emailVerified: true, state: 'active', profile: {}, generation: 0 } as const;
    const account = { id: 'acc-anna', username: 'anna', createdAt: 1, updatedAt: 1, version: 1, ...state };
    await accounts.insert(account, ['anna']);
    await credentials.insert(password);
    const db = workspace.client().db(workspace.settings.database);
    const strictly = { validationLevel: 'strict', validationAction: 'error' };
    await db.command({ collMod: 'outbox', validator: { kind: { $ne: 'impossible' } }, ...strictly });
    const mails = [mail('possible'), mail('other', { kind: 'impossible' })];
    for (const change of [
      () => accounts.replace({ ...account, username: 'changed' }, ['changed'], 1, mails),
      () => credentials.insert({ ...password, id: 'new' }, mails),
      () => credentials.insert({ ...password, accountId: 'acc-ben' }, mails),
      () => credentials.replace({ ...password, data: 'changed' }, 1, mails),
      () => credentials.remove('acc-anna', 'password', 'current', mails),
      () => audit.append({ id: 'e', at: 1, event: 'x' }, mails),
    ]) {
      await expect(change()).rejects.toMatchObject({ code: 'storage.unavailable', status: 503 });
    }
    expect(await accounts.find('acc-anna')).toEqual(account);
    expect(await accounts.findByIdentifier('changed')).toBeUndefined();
    expect(await credentials.all('acc-anna')).toEqual([password]);
    expect(await credentials.all('acc-ben')).toEqual([]);
    expect(await credentials.holders('password')).toBe(1);
    expect(await audit.list({ limit: 5 })).toEqual([]);
    expect(await owed(outbox)).toEqual([]);
  });

  test('a count that can’t be written fails no change, and is told', async () => {
    const { credentials } = await workspace.open();
    const db = workspace.client().db(workspace.settings.database);
    await db.command({
      collMod: 'totals',
      validator: { accounts: { $lt: 0 } },
      validationLevel: 'strict',
      validationAction: 'error',
    });
    expect(await credentials.insert(password)).toBe(true);
    expect(await credentials.all('acc-anna')).toEqual([password]);
    expect(workspace.log.lines).toMatchObject([
      { level: 'warn', event: 'storage.total.missed', kind: 'password', by: 1 },
    ]);
  });

  test('of changes to one account by several nodes at once, each with its mail, none is lost and none half done', async () => {
    const stores = [await workspace.open(), await workspace.open()] as const;
    const kinds = Array.from({ length: 12 }, (_, index) => `kind-${index}`);
    const outcomes = await Promise.all(
      kinds.map((kind, index) =>
        stores[index % 2 === 0 ? 0 : 1].credentials.insert({ ...password, kind }, [mail(kind)]),
      ),
    );
    expect(outcomes).toEqual(kinds.map(() => true));
    expect((await stores[0].credentials.all('acc-anna')).map(({ kind }) => kind).sort()).toEqual([...kinds].sort());
    expect(await owed(stores[1].outbox)).toEqual([...kinds].sort());
    expect(await Promise.all(kinds.map((kind) => stores[0].credentials.holders(kind)))).toEqual(kinds.map(() => 1));
  });
});
