import { describe, expect, test } from '@jest/globals';
import type { Consent, DurableStorage } from '../../src/storage/ports.ts';
import type { Open } from './engines.ts';
import { expectListsOnly, expectStringsOnly, expectWholeNumbersOnly, useWorkspace, winners } from './workspace.ts';

const consent: Consent = {
  accountId: 'acc-anna',
  clientId: 'portal',
  scopes: ['openid', 'profile'],
  claims: ['email'],
  resources: { 'https://api.example.org': ['read', 'write'] },
  updatedAt: 1_000,
};

export function consentStoreContract(open: Open<DurableStorage>): void {
  describe('consents', () => {
    const workspace = useWorkspace(open);

    test('a consent is found as it was, by account and client together', async () => {
      const { consents } = await workspace.open();
      await consents.save(consent);
      expect(await consents.find('acc-anna', 'portal')).toEqual(consent);
      expect(await consents.find('acc-anna', 'other')).toBeUndefined();
      expect(await consents.find('acc-ben', 'portal')).toBeUndefined();
      expect(await consents.find('portal', 'acc-anna')).toBeUndefined();
    });

    test('the last decision counts, narrower ones too', async () => {
      const { consents } = await workspace.open();
      await consents.save(consent);
      const narrower: Consent = { ...consent, scopes: ['openid'], claims: [], resources: {}, updatedAt: 2_000 };
      await consents.save(narrower);
      expect(await consents.find('acc-anna', 'portal')).toEqual(narrower);
    });

    test('remove says whether it was there; of 50 one removes it', async () => {
      const stores = [await workspace.open(), await workspace.open()] as const;
      await stores[0].consents.save(consent);
      await stores[0].consents.save({ ...consent, clientId: 'other' });
      const contend = (index: number) => stores[index % 2 === 0 ? 0 : 1].consents.remove('acc-anna', 'portal');
      expect(await winners(50, contend)).toBe(1);
      expect(await stores[0].consents.find('acc-anna', 'portal')).toBeUndefined();
      expect(await stores[1].consents.find('acc-anna', 'other')).toBeDefined();
    });

    test('consents survive a restart', async () => {
      const before = await workspace.open();
      await before.consents.save(consent);
      await before.close();
      const { consents } = await workspace.open();
      expect(await consents.find('acc-anna', 'portal')).toEqual(consent);
    });

    test('only strings and whole numbers get in', async () => {
      const { consents } = await workspace.open();
      await expectStringsOnly(
        (value) => consents.find(value, 'portal'),
        (value) => consents.find('acc-anna', value),
        (value) => consents.remove(value, 'portal'),
        (value) => consents.remove('acc-anna', value),
        (value) => consents.save({ ...consent, accountId: value }),
        (value) => consents.save({ ...consent, clientId: value }),
        (value) => consents.save({ ...consent, scopes: [value] }),
      );
      await expectListsOnly((values) => consents.save({ ...consent, claims: values }));
      await expectWholeNumbersOnly((value) => consents.save({ ...consent, updatedAt: value }));
      expect(await consents.find('acc-anna', 'portal')).toBeUndefined();
    });
  });
}
