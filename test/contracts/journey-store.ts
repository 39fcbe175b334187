import { describe, expect, test } from '@jest/globals';
import type { EphemeralStorage } from '../../src/storage/ports.ts';
import type { Open } from './engines.ts';
import { expectStringsOnly, expectWholeNumbersOnly, useWorkspace, winners } from './workspace.ts';

export function journeyStoreContract(open: Open<EphemeralStorage>): void {
  describe('journeys', () => {
    const workspace = useWorkspace(open);
    const record = (state: Record<string, unknown> = { step: 'password' }, lifetime = 60) => ({
      uid: 'uid',
      state,
      expiresAt: workspace.clock.seconds + lifetime,
    });

    test('a journey begins at version 1 and grows by one', async () => {
      const { journeys } = await workspace.open();
      expect(await journeys.find('uid')).toBeUndefined();
      expect(await journeys.save(record(), 0)).toBe(true);
      expect(await journeys.find('uid')).toEqual({ ...record(), version: 1 });
      const next = record({ step: 'consent', unknown: { deep: [null, 1] } }, 90);
      expect(await journeys.save(next, 1)).toBe(true);
      expect(await journeys.find('uid')).toEqual({ ...next, version: 2 });
    });

    test('any other expectation loses, and changes nothing', async () => {
      const { journeys } = await workspace.open();
      expect(await journeys.save(record(), 1)).toBe(false);
      expect(await journeys.find('uid')).toBeUndefined();
      await journeys.save(record(), 0);
      for (const version of [0, 2, 3]) expect(await journeys.save(record({ step: 'late' }), version)).toBe(false);
      expect(await journeys.find('uid')).toEqual({ ...record(), version: 1 });
    });

    test('of 50 who begin, and of 50 who go on, one wins', async () => {
      const stores = [await workspace.open(), await workspace.open()] as const;
      const at = (index: number) => stores[index % 2 === 0 ? 0 : 1].journeys;
      expect(await winners(50, (index) => at(index).save(record({ index }), 0))).toBe(1);
      expect(await winners(50, (index) => at(index).save(record({ index }), 1))).toBe(1);
      expect((await stores[0].journeys.find('uid'))?.version).toBe(2);
    });

    test('an expired journey is none: nobody goes on with it, a new one may begin', async () => {
      const { journeys } = await workspace.open();
      await journeys.save(record(), 0);
      await journeys.save(record(), 1);
      workspace.clock.advance(60);
      expect(await journeys.find('uid')).toBeUndefined();
      expect(await journeys.save(record(), 2)).toBe(false);
      expect(await winners(50, () => journeys.save(record({ step: 'new' }), 0))).toBe(1);
      expect(await journeys.find('uid')).toEqual({ ...record({ step: 'new' }), version: 1 });
    });

    test('journeys survive a restart', async () => {
      const before = await workspace.open();
      await before.journeys.save(record(), 0);
      await before.close();
      const { journeys } = await workspace.open();
      expect(await journeys.find('uid')).toEqual({ ...record(), version: 1 });
      expect(await journeys.save(record(), 0)).toBe(false);
    });

    test('only strings, objects and whole numbers get in', async () => {
      const { journeys } = await workspace.open();
      await expectStringsOnly(
        (value) => journeys.find(value),
        (value) => journeys.save({ ...record(), uid: value }, 0),
      );
      for (const state of [undefined, null, 'text', ['x']] as unknown as Record<string, unknown>[]) {
        await expect(journeys.save({ uid: 'uid', state, expiresAt: 1 }, 0)).rejects.toThrow(TypeError);
      }
      await expectWholeNumbersOnly(
        (value) => journeys.save(record(), value),
        (value) => journeys.save({ ...record(), expiresAt: value }, 0),
      );
      expect(await journeys.find('uid')).toBeUndefined();
    });
  });
}
