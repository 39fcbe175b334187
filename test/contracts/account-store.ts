import { describe, expect, test } from '@jest/globals';
import type { Account, DurableStorage } from '../../src/storage/ports.ts';
import type { Open } from './engines.ts';
import { mail, owed } from './mails.ts';
import {
  expectListsOnly,
  expectMailsOnly,
  expectStringsOnly,
  expectWholeNumbersOnly,
  useWorkspace,
  winners,
} from './workspace.ts';

const anna: Account = {
  id: 'acc-anna',
  username: 'Anna',
  email: 'anna@example.org',
  emailVerified: true,
  state: 'active',
  profile: { name: 'Anna Álvarez 😀', phone_number_verified: false, address: { locality: 'Łódź' } },
  generation: 3,
  createdAt: 1_000,
  updatedAt: 2_000,
  version: 1,
};
const { email: _, ...withoutEmail } = anna;
const ben: Account = { ...withoutEmail, id: 'acc-ben', username: 'ben', emailVerified: false, profile: {} };

export function accountStoreContract(open: Open<DurableStorage>): void {
  describe('accounts', () => {
    const workspace = useWorkspace(open);

    test('an inserted account is found by id and by each identifier, as it was', async () => {
      const { accounts } = await workspace.open();
      expect(await accounts.insert(anna, ['anna', 'anna@example.org'])).toBe(true);
      expect(await accounts.find(anna.id)).toEqual(anna);
      expect(await accounts.findByIdentifier('anna')).toEqual(anna);
      expect(await accounts.findByIdentifier('anna@example.org')).toEqual(anna);
    });

    test('absent members stay absent', async () => {
      const { accounts } = await workspace.open();
      await accounts.insert(ben, ['ben']);
      expect(await accounts.find(ben.id)).toStrictEqual(ben);
    });

    test('accounts are counted', async () => {
      const { accounts } = await workspace.open();
      expect(await accounts.count()).toBe(0);
      await accounts.insert(anna, ['anna']);
      await accounts.insert({ ...ben, id: anna.id }, ['ben']);
      await accounts.insert(ben, ['ben']);
      await accounts.replace({ ...ben, state: 'suspended' }, ['ben'], 1);
      expect(await accounts.count()).toBe(2);
    });

    test('nobody is found by an unknown, similar or empty key', async () => {
      const { accounts } = await workspace.open();
      await accounts.insert(anna, ['anna']);
      for (const key of ['', 'ANNA', 'anna ', 'ann', 'ann_', '%', 'anna\0', "anna' OR '1'='1"]) {
        expect(await accounts.findByIdentifier(key)).toBeUndefined();
        expect(await accounts.find(key)).toBeUndefined();
      }
    });

    test('insert refuses a taken id and writes nothing', async () => {
      const { accounts } = await workspace.open();
      await accounts.insert(anna, ['anna']);
      expect(await accounts.insert({ ...ben, id: anna.id }, ['ben'])).toBe(false);
      expect(await accounts.find(anna.id)).toEqual(anna);
      expect(await accounts.findByIdentifier('ben')).toBeUndefined();
    });

    test('insert refuses when one of several identifiers is taken and writes nothing', async () => {
      const { accounts } = await workspace.open();
      await accounts.insert(anna, ['anna', 'anna@example.org']);
      expect(await accounts.insert(ben, ['ben', 'anna@example.org'])).toBe(false);
      expect(await accounts.find(ben.id)).toBeUndefined();
      expect(await accounts.findByIdentifier('ben')).toBeUndefined();
      expect(await accounts.insert(ben, ['ben'])).toBe(true);
    });

    test('an identifier given twice is one identifier', async () => {
      const { accounts } = await workspace.open();
      expect(await accounts.insert(anna, ['anna@example.org', 'anna@example.org'])).toBe(true);
      expect(await accounts.replace(anna, ['anna', 'anna'], 1)).toBe(true);
    });

    test('replace writes the account with the next version', async () => {
      const { accounts } = await workspace.open();
      await accounts.insert(anna, ['anna', 'anna@example.org']);
      const changed: Account = {
        ...withoutEmail,
        username: 'Anna B',
        state: 'suspended',
        generation: 4,
        updatedAt: 3_000,
      };
      expect(await accounts.replace(changed, ['anna b'], 1)).toBe(true);
      expect(await accounts.find(anna.id)).toStrictEqual({ ...changed, version: 2 });
    });

    test('replace gives up the old identifiers, so that somebody else may take them', async () => {
      const { accounts } = await workspace.open();
      await accounts.insert(anna, ['anna']);
      await accounts.replace(anna, ['anna b'], 1);
      expect(await accounts.findByIdentifier('anna')).toBeUndefined();
      expect(await accounts.insert(ben, ['anna'])).toBe(true);
    });

    test('replace refuses a version that has passed, or is yet to come', async () => {
      const { accounts } = await workspace.open();
      await accounts.insert(anna, ['anna']);
      for (const version of [0, 2]) {
        expect(await accounts.replace({ ...anna, username: 'other' }, ['other'], version)).toBe(false);
      }
      expect(await accounts.find(anna.id)).toEqual(anna);
      expect(await accounts.findByIdentifier('other')).toBeUndefined();
    });

    test('replace refuses an identifier of somebody else and writes nothing', async () => {
      const { accounts } = await workspace.open();
      await accounts.insert(anna, ['anna']);
      await accounts.insert(ben, ['ben']);
      expect(await accounts.replace({ ...ben, username: 'x' }, ['x', 'anna'], 1)).toBe(false);
      expect(await accounts.find(ben.id)).toEqual(ben);
      expect(await accounts.findByIdentifier('ben')).toEqual(ben);
      expect(await accounts.findByIdentifier('x')).toBeUndefined();
    });

    test('replace makes no account where there is none', async () => {
      const { accounts } = await workspace.open();
      expect(await accounts.replace(anna, ['anna'], 1)).toBe(false);
      expect(await accounts.find(anna.id)).toBeUndefined();
    });

    test('of 50 who want the same identifier one gets it', async () => {
      const stores = [await workspace.open(), await workspace.open()] as const;
      const contend = (index: number) =>
        stores[index % 2 === 0 ? 0 : 1].accounts.insert({ ...ben, id: `acc-${index}` }, [`own-${index}`, 'wanted']);
      expect(await winners(50, contend)).toBe(1);
      const owner = await stores[0].accounts.findByIdentifier('wanted');
      const index = owner?.id.slice('acc-'.length);
      // The losers left nothing behind.
      for (let other = 0; other < 50; other++) {
        const found = await stores[1].accounts.findByIdentifier(`own-${other}`);
        expect(found?.id).toBe(String(other) === index ? owner?.id : undefined);
      }
    });

    test('of 50 who replace the same version one wins', async () => {
      const stores = [await workspace.open(), await workspace.open()] as const;
      await stores[0].accounts.insert(anna, ['anna']);
      const contend = (index: number) =>
        stores[index % 2 === 0 ? 0 : 1].accounts.replace({ ...anna, username: `by ${index}` }, ['anna'], 1);
      expect(await winners(50, contend)).toBe(1);
      expect((await stores[1].accounts.find(anna.id))?.version).toBe(2);
    });

    test('mails are owed once the account is changed, and only then', async () => {
      const { accounts, outbox } = await workspace.open();
      await accounts.insert(anna, ['anna']);
      await accounts.insert(ben, ['ben']);
      expect(await accounts.replace(anna, ['anna'], 2, [mail('late')])).toBe(false);
      expect(await accounts.replace(anna, ['anna', 'ben'], 1, [mail('taken')])).toBe(false);
      expect(await accounts.replace({ ...anna, id: 'acc-nobody' }, [], 1, [mail('nobody')])).toBe(false);
      expect(await owed(outbox)).toEqual([]);
      expect(await accounts.replace(anna, ['anna'], 1, [mail('one'), mail('two')])).toBe(true);
      expect(await owed(outbox)).toEqual(['one', 'two']);
      expect(await accounts.replace(anna, ['anna'], 2)).toBe(true);
      expect(await accounts.replace(anna, ['anna'], 3, [])).toBe(true);
      expect(await owed(outbox)).toEqual([]);
    });

    test('of 50 who replace the same version the one who wins owes its mail', async () => {
      const stores = [await workspace.open(), await workspace.open()] as const;
      await stores[0].accounts.insert(anna, ['anna']);
      const contend = (index: number) =>
        stores[index % 2 === 0 ? 0 : 1].accounts.replace({ ...anna, username: `${index}` }, ['anna'], 1, [
          mail(`by-${index}`),
        ]);
      expect(await winners(50, contend)).toBe(1);
      expect(await owed(stores[1].outbox)).toEqual([`by-${(await stores[0].accounts.find(anna.id))?.username}`]);
    });

    test('a mail that is none spoils the whole change', async () => {
      const { accounts, outbox } = await workspace.open();
      await accounts.insert(anna, ['anna']);
      await expectMailsOnly((mails) => accounts.replace({ ...anna, username: 'changed' }, ['changed'], 1, mails));
      expect(await accounts.findByIdentifier('anna')).toEqual(anna);
      expect(await owed(outbox)).toEqual([]);
    });

    test('another process sees a change at once', async () => {
      const [one, two] = [await workspace.open(), await workspace.open()];
      await one.accounts.insert(anna, ['anna']);
      expect(await two.accounts.find(anna.id)).toEqual(anna);
      await two.accounts.replace({ ...anna, state: 'suspended' }, ['anna'], 1);
      expect((await one.accounts.find(anna.id))?.state).toBe('suspended');
    });

    test('accounts survive a restart', async () => {
      const before = await workspace.open();
      await before.accounts.insert(anna, ['anna']);
      await before.close();
      const { accounts } = await workspace.open();
      expect(await accounts.findByIdentifier('anna')).toEqual(anna);
    });

    test('only strings and whole numbers get in', async () => {
      const { accounts } = await workspace.open();
      await expectStringsOnly(
        (value) => accounts.find(value),
        (value) => accounts.findByIdentifier(value),
        (value) => accounts.insert({ ...anna, id: value }, []),
        (value) => accounts.insert({ ...anna, username: value }, []),
        (value) => accounts.insert(anna, [value]),
        (value) => accounts.replace({ ...anna, id: value }, [], 1),
        (value) => accounts.replace(anna, ['anna', value], 1),
      );
      await expectListsOnly(
        (values) => accounts.insert(anna, values),
        (values) => accounts.replace(anna, values, 1),
      );
      await expectWholeNumbersOnly(
        (value) => accounts.replace(anna, [], value),
        (value) => accounts.insert({ ...anna, version: value }, []),
        (value) => accounts.insert({ ...anna, generation: value }, []),
        (value) => accounts.replace({ ...anna, generation: value }, [], 1),
      );
      await expect(accounts.insert({ ...anna, emailVerified: 'yes' as unknown as boolean }, [])).rejects.toThrow(
        TypeError,
      );
      expect(await accounts.find(anna.id)).toBeUndefined();
    });
  });
}
