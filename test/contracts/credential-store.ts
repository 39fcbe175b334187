import { describe, expect, test } from '@jest/globals';
import type { Credential, DurableStorage } from '../../src/storage/ports.ts';
import type { Open } from './engines.ts';
import { mail, owed } from './mails.ts';
import { expectMailsOnly, expectStringsOnly, expectWholeNumbersOnly, useWorkspace, winners } from './workspace.ts';

const password: Credential = {
  accountId: 'acc-anna',
  kind: 'password',
  id: 'current',
  data: '$argon2id$v=19$…',
  version: 1,
  createdAt: 1_000,
  updatedAt: 1_000,
};

export function credentialStoreContract(open: Open<DurableStorage>): void {
  describe('credentials', () => {
    const workspace = useWorkspace(open);

    test('a credential is found as it was', async () => {
      const { credentials } = await workspace.open();
      expect(await credentials.insert(password)).toBe(true);
      expect(await credentials.find('acc-anna', 'password', 'current')).toEqual(password);
    });

    test('account, kind and id together are the key', async () => {
      const { credentials } = await workspace.open();
      await credentials.insert(password);
      expect(await credentials.find('acc-ben', 'password', 'current')).toBeUndefined();
      expect(await credentials.find('acc-anna', 'passkey', 'current')).toBeUndefined();
      expect(await credentials.find('acc-anna', 'password', 'other')).toBeUndefined();
      expect(await credentials.insert({ ...password, accountId: 'acc-ben' })).toBe(true);
      expect(await credentials.insert({ ...password, kind: 'passkey' })).toBe(true);
    });

    test('list gives the credentials of one account and one kind', async () => {
      const { credentials } = await workspace.open();
      const older = { ...password, kind: 'passkey', id: 'b', createdAt: 1 };
      const newer = { ...password, kind: 'passkey', id: 'a', createdAt: 2 };
      for (const one of [newer, older, password, { ...older, accountId: 'acc-ben' }]) await credentials.insert(one);
      const found = await credentials.list('acc-anna', 'passkey');
      expect(found).toHaveLength(2);
      expect(found).toEqual(expect.arrayContaining([older, newer]));
      expect(await credentials.list('acc-anna', 'totp')).toEqual([]);
    });

    test('all gives everything of one account', async () => {
      const { credentials } = await workspace.open();
      const passkey = { ...password, kind: 'passkey', id: 'a', lookup: 'a' };
      for (const one of [password, passkey, { ...password, accountId: 'acc-ben' }]) await credentials.insert(one);
      expect(await credentials.all('acc-anna')).toEqual([passkey, password]);
      expect(await credentials.all('acc-nobody')).toEqual([]);
    });

    test('insert refuses a taken key and leaves what is there', async () => {
      const { credentials } = await workspace.open();
      await credentials.insert(password);
      expect(await credentials.insert({ ...password, data: 'other' })).toBe(false);
      expect(await credentials.find('acc-anna', 'password', 'current')).toEqual(password);
    });

    test('replace writes the next version, and refuses any other expectation', async () => {
      const { credentials } = await workspace.open();
      await credentials.insert(password);
      const changed = { ...password, data: 'new', updatedAt: 2_000 };
      expect(await credentials.replace(changed, 2)).toBe(false);
      expect(await credentials.replace(changed, 1)).toBe(true);
      expect(await credentials.replace({ ...changed, data: 'late' }, 1)).toBe(false);
      expect(await credentials.find('acc-anna', 'password', 'current')).toEqual({ ...changed, version: 2 });
      expect(await credentials.replace({ ...password, id: 'absent' }, 1)).toBe(false);
    });

    test('remove says whether it was there, and removes nothing else', async () => {
      const { credentials } = await workspace.open();
      await credentials.insert(password);
      await credentials.insert({ ...password, id: 'other' });
      expect(await credentials.remove('acc-anna', 'password', 'current')).toBe(true);
      expect(await credentials.remove('acc-anna', 'password', 'current')).toBe(false);
      expect(await credentials.find('acc-anna', 'password', 'current')).toBeUndefined();
      expect(await credentials.list('acc-anna', 'password')).toHaveLength(1);
    });

    const passkey = { ...password, kind: 'passkey', id: 'p1', lookup: 'credential-1' };

    test('a credential with a lookup is found without its account, and by its kind only', async () => {
      const { credentials } = await workspace.open();
      await credentials.insert(passkey);
      await credentials.insert({ ...password, id: 'without' });
      expect(await credentials.findByLookup('passkey', 'credential-1')).toEqual(passkey);
      expect(await credentials.findByLookup('external', 'credential-1')).toBeUndefined();
      expect(await credentials.findByLookup('passkey', 'p1')).toBeUndefined();
      await credentials.replace({ ...passkey, data: 'new' }, 1);
      expect(await credentials.findByLookup('passkey', 'credential-1')).toEqual({
        ...passkey,
        data: 'new',
        version: 2,
      });
      await credentials.remove('acc-anna', 'passkey', 'p1');
      expect(await credentials.findByLookup('passkey', 'credential-1')).toBeUndefined();
    });

    test('a lookup belongs to one credential of its kind, whoever else asks for it', async () => {
      const stores = [await workspace.open(), await workspace.open()] as const;
      const insert = (index: number) =>
        stores[index % 2 === 0 ? 0 : 1].credentials.insert({ ...passkey, accountId: `acc-${index}` });
      expect(await winners(50, insert)).toBe(1);
      const { credentials } = stores[0];
      expect(await credentials.insert({ ...passkey, kind: 'external' })).toBe(true);
      expect(await credentials.insert({ ...passkey, id: 'p2' })).toBe(false);
    });

    test('the last credential of the kinds named is kept, of parallel removals too', async () => {
      const stores = [await workspace.open(), await workspace.open()] as const;
      const { credentials } = stores[0];
      const waysIn = { kinds: ['password', 'passkey'] };
      for (const id of ['p1', 'p2', 'p3']) await credentials.insert({ ...passkey, id, lookup: id });
      await credentials.insert({ ...password, kind: 'other' });
      await credentials.insert({ ...password, accountId: 'acc-ben' });
      const remove = (index: number) =>
        stores[index % 2 === 0 ? 0 : 1].credentials.removeUnlessLast(
          'acc-anna',
          'passkey',
          `p${(index % 3) + 1}`,
          waysIn,
        );
      expect(await winners(12, remove)).toBe(2);
      const [left] = await credentials.list('acc-anna', 'passkey');
      await credentials.insert(password);
      expect(await credentials.removeUnlessLast('acc-ben', 'passkey', String(left?.id), waysIn)).toBe(false);
      expect(await credentials.removeUnlessLast('acc-anna', 'passkey', String(left?.id), waysIn)).toBe(true);
      expect(await credentials.removeUnlessLast('acc-anna', 'password', 'current', waysIn)).toBe(false);
    });

    test('one that signs nobody in does not count as what is left', async () => {
      const { credentials } = await workspace.open();
      await credentials.insert(password);
      for (const id of ['p1', 'p2']) await credentials.insert({ ...passkey, id, lookup: id });
      const waysIn = { kinds: ['passkey', 'password'], except: ['p2', 'p3'] };
      expect(await credentials.removeUnlessLast('acc-anna', 'password', 'current', waysIn)).toBe(true);
      expect(await credentials.removeUnlessLast('acc-anna', 'passkey', 'p1', waysIn)).toBe(false);
      expect(await credentials.removeUnlessLast('acc-anna', 'passkey', 'p2', waysIn)).toBe(true);
      expect((await credentials.all('acc-anna')).map(({ id }) => id)).toEqual(['p1']);
    });

    test('the accounts that hold a kind are counted, each once', async () => {
      const { credentials } = await workspace.open();
      expect(await credentials.holders('passkey')).toBe(0);
      for (const id of ['p1', 'p2']) await credentials.insert({ ...passkey, id, lookup: id });
      await credentials.insert({ ...passkey, id: 'p1', lookup: 'p1' });
      await credentials.insert({ ...passkey, accountId: 'acc-ben', lookup: 'p3' });
      await credentials.insert(password);
      expect(await credentials.holders('passkey')).toBe(2);
      await credentials.remove('acc-anna', 'passkey', 'p1');
      expect(await credentials.holders('passkey')).toBe(2);
      await credentials.removeUnlessLast('acc-anna', 'passkey', 'p2', { kinds: ['passkey', 'password'] });
      expect([await credentials.holders('passkey'), await credentials.holders('password')]).toEqual([1, 1]);
    });

    test('of 50 simultaneous inserts, replacements and removals one each wins', async () => {
      const stores = [await workspace.open(), await workspace.open()] as const;
      const at = (index: number) => stores[index % 2 === 0 ? 0 : 1].credentials;
      expect(await winners(50, (index) => at(index).insert({ ...password, data: `${index}` }))).toBe(1);
      expect(await winners(50, (index) => at(index).replace({ ...password, data: `${index}` }, 1))).toBe(1);
      expect((await stores[0].credentials.find('acc-anna', 'password', 'current'))?.version).toBe(2);
      expect(await winners(50, (index) => at(index).remove('acc-anna', 'password', 'current'))).toBe(1);
    });

    test('mails are owed once a credential is changed, and only then', async () => {
      const { credentials, outbox } = await workspace.open();
      const waysIn = { kinds: ['password', 'passkey'] };
      expect(await credentials.insert(password, [mail('added'), mail('added, too')])).toBe(true);
      expect(await owed(outbox)).toEqual(['added', 'added, too']);
      expect(await credentials.insert(password, [mail('key taken')])).toBe(false);
      expect(await credentials.insert(passkey, [mail('passkey')])).toBe(true);
      expect(await credentials.insert({ ...passkey, id: 'p2' }, [mail('lookup taken')])).toBe(false);
      expect(await owed(outbox)).toEqual(['passkey']);
      expect(await credentials.replace(password, 2, [mail('another version')])).toBe(false);
      expect(await credentials.replace({ ...password, id: 'absent' }, 1, [mail('absent')])).toBe(false);
      expect(await owed(outbox)).toEqual([]);
      expect(await credentials.replace(password, 1, [mail('replaced')])).toBe(true);
      expect(await owed(outbox)).toEqual(['replaced']);
      expect(await credentials.remove('acc-anna', 'password', 'absent', [mail('removed nothing')])).toBe(false);
      expect(await owed(outbox)).toEqual([]);
      expect(await credentials.removeUnlessLast('acc-anna', 'passkey', 'p1', waysIn, [mail('one left')])).toBe(true);
      expect(await credentials.removeUnlessLast('acc-anna', 'password', 'current', waysIn, [mail('last')])).toBe(false);
      expect(await owed(outbox)).toEqual(['one left']);
      expect(await credentials.remove('acc-anna', 'password', 'current', [mail('removed')])).toBe(true);
      expect(await owed(outbox)).toEqual(['removed']);
    });

    test('a change without mails owes none', async () => {
      const { credentials, outbox } = await workspace.open();
      await credentials.insert(password);
      await credentials.replace(password, 1);
      await credentials.insert(passkey, []);
      await credentials.removeUnlessLast('acc-anna', 'passkey', 'p1', { kinds: ['password'] });
      await credentials.remove('acc-anna', 'password', 'current');
      expect(await outbox.count()).toEqual({ waiting: 0, dead: 0 });
    });

    test('of 50 simultaneous inserts, replacements and removals the winner’s mail is owed', async () => {
      const stores = [await workspace.open(), await workspace.open()] as const;
      const at = (index: number) => stores[index % 2 === 0 ? 0 : 1].credentials;
      const written = async () => (await stores[1].credentials.find('acc-anna', 'password', 'current'))?.data;
      await winners(50, (index) => at(index).insert({ ...password, data: `${index}` }, [mail(`${index}`)]));
      expect(await owed(stores[0].outbox)).toEqual([await written()]);
      await winners(50, (index) => at(index).replace({ ...password, data: `new ${index}` }, 1, [mail(`new ${index}`)]));
      expect(await owed(stores[0].outbox)).toEqual([await written()]);
      await winners(50, (index) => at(index).remove('acc-anna', 'password', 'current', [mail(`gone ${index}`)]));
      expect(await owed(stores[0].outbox)).toEqual([expect.stringMatching(/^gone /)]);
      for (const id of ['p1', 'p2']) await stores[0].credentials.insert({ ...passkey, id, lookup: id });
      const removal = (index: number) =>
        at(index).removeUnlessLast('acc-anna', 'passkey', `p${(index % 2) + 1}`, { kinds: ['passkey'] }, [
          mail(`${index} left`),
        ]);
      expect(await winners(50, removal)).toBe(1);
      expect(await owed(stores[0].outbox)).toEqual([expect.stringMatching(/ left$/)]);
    });

    test('a mail that is none spoils the whole change', async () => {
      const { credentials, outbox } = await workspace.open();
      await credentials.insert(password);
      await credentials.insert(passkey);
      await expectMailsOnly(
        (mails) => credentials.insert({ ...password, id: 'new' }, mails),
        (mails) => credentials.replace({ ...password, data: 'new' }, 1, mails),
        (mails) => credentials.remove('acc-anna', 'password', 'current', mails),
        (mails) => credentials.removeUnlessLast('acc-anna', 'password', 'current', { kinds: ['passkey'] }, mails),
      );
      expect(await credentials.all('acc-anna')).toEqual([passkey, password]);
      expect(await owed(outbox)).toEqual([]);
    });

    test('credentials survive a restart', async () => {
      const before = await workspace.open();
      await before.credentials.insert(password);
      await before.close();
      const { credentials } = await workspace.open();
      expect(await credentials.list('acc-anna', 'password')).toEqual([password]);
    });

    test('only strings and whole numbers get in', async () => {
      const { credentials } = await workspace.open();
      await credentials.insert(password);
      await expectStringsOnly(
        (value) => credentials.all(value),
        (value) => credentials.list(value, 'password'),
        (value) => credentials.list('acc-anna', value),
        (value) => credentials.find(value, 'password', 'current'),
        (value) => credentials.find('acc-anna', value, 'current'),
        (value) => credentials.find('acc-anna', 'password', value),
        (value) => credentials.insert({ ...password, accountId: value }),
        (value) => credentials.insert({ ...password, kind: value }),
        (value) => credentials.insert({ ...password, id: value }),
        (value) => credentials.insert({ ...password, data: value }),
        (value) => credentials.replace({ ...password, data: value }, 1),
        (value) => credentials.replace({ ...password, id: value }, 1),
        (value) => credentials.remove(value, 'password', 'current'),
        (value) => credentials.remove('acc-anna', value, 'current'),
        (value) => credentials.remove('acc-anna', 'password', value),
        (value) => credentials.findByLookup(value, 'credential-1'),
        (value) => credentials.findByLookup('passkey', value),
        (value) => credentials.removeUnlessLast(value, 'password', 'current', { kinds: ['password'] }),
        (value) => credentials.removeUnlessLast('acc-anna', 'password', 'current', { kinds: [value] }),
        (value) => credentials.removeUnlessLast('acc-anna', 'password', 'current', { kinds: [], except: [value] }),
        (value) => credentials.holders(value),
      );
      await expectWholeNumbersOnly(
        (value) => credentials.replace(password, value),
        (value) => credentials.insert({ ...password, id: 'new', version: value }),
      );
      expect(await credentials.list('acc-anna', 'password')).toEqual([password]);
    });
  });
}
