import { describe, expect, test } from '@jest/globals';
import type { CounterStore, EphemeralStorage } from '../../src/storage/ports.ts';
import type { Open } from './engines.ts';
import { expectListsOnly, expectStringsOnly, expectWholeNumbersOnly, useWorkspace } from './workspace.ts';

const oneTo = (last: number): number[] => Array.from({ length: last }, (_, index) => index + 1);
const ascending = (left: number, right: number): number => left - right;

export function counterStoreContract(open: Open<EphemeralStorage>): void {
  describe('counters', () => {
    const workspace = useWorkspace(open);
    const count = async (counters: CounterStore, key: string, windowSeconds = 60): Promise<number | undefined> =>
      (await counters.increment([{ key, windowSeconds }]))[0]?.count;

    test('each key counts for itself, read in the order asked for', async () => {
      const { counters } = await workspace.open();
      await count(counters, 'account:anna', 60);
      const resetsAt = workspace.clock.seconds + 60;
      const readings = await counters.increment([
        { key: 'address:192.0.2.0', windowSeconds: 300 },
        { key: 'account:anna', windowSeconds: 60 },
      ]);
      expect(readings).toEqual([
        { count: 1, resetsAt: workspace.clock.seconds + 300 },
        { count: 2, resetsAt },
      ]);
    });

    test('a key named twice counts twice; no key counts nothing', async () => {
      const { counters } = await workspace.open();
      const twice = { key: 'k', windowSeconds: 60 };
      expect((await counters.increment([twice, twice])).map((reading) => reading.count)).toEqual([1, 2]);
      expect(await counters.increment([])).toEqual([]);
    });

    test('50 parallel increments through one store read 1 to 50', async () => {
      const { counters } = await workspace.open();
      const counts = await Promise.all(oneTo(50).map(() => count(counters, 'k')));
      expect(counts.map(Number).sort(ascending)).toEqual(oneTo(50));
    });

    test('50 parallel increments through two stores read 1 to 50, on each of two keys', async () => {
      const stores = [await workspace.open(), await workspace.open()] as const;
      const keys = [
        { key: 'a', windowSeconds: 60 },
        { key: 'b', windowSeconds: 60 },
      ];
      const readings = await Promise.all(
        oneTo(50).map((index) => stores[index % 2 === 0 ? 0 : 1].counters.increment(keys)),
      );
      for (const position of [0, 1]) {
        expect(readings.map((of) => Number(of[position]?.count)).sort(ascending)).toEqual(oneTo(50));
      }
    });

    test('the window runs from the first increment, and a new one starts after it', async () => {
      const { counters } = await workspace.open();
      const start = workspace.clock.seconds;
      await count(counters, 'k');
      workspace.clock.advance(59);
      expect(await counters.increment([{ key: 'k', windowSeconds: 60 }])).toEqual([{ count: 2, resetsAt: start + 60 }]);
      workspace.clock.advance(1);
      expect(await counters.increment([{ key: 'k', windowSeconds: 60 }])).toEqual([
        { count: 1, resetsAt: start + 120 },
      ]);
    });

    test('50 parallel increments after the window read 1 to 50 again', async () => {
      const { counters } = await workspace.open();
      await Promise.all(oneTo(7).map(() => count(counters, 'k')));
      workspace.clock.advance(60);
      const counts = await Promise.all(oneTo(50).map(() => count(counters, 'k')));
      expect(counts.map(Number).sort(ascending)).toEqual(oneTo(50));
    });

    test('decrement takes one back from each, and never goes below zero', async () => {
      const { counters } = await workspace.open();
      for (const key of ['a', 'a', 'a', 'b']) await count(counters, key);
      await counters.decrement(['a', 'b']);
      await counters.decrement(['b', 'unknown']);
      expect(await count(counters, 'a')).toBe(3);
      expect(await count(counters, 'b')).toBe(1);
      expect(await count(counters, 'unknown')).toBe(1);
    });

    test('decrement neither opens a window nor reaches into the next', async () => {
      const { counters } = await workspace.open();
      await counters.decrement(['k']);
      const start = workspace.clock.seconds;
      workspace.clock.advance(10);
      expect(await counters.increment([{ key: 'k', windowSeconds: 60 }])).toEqual([{ count: 1, resetsAt: start + 70 }]);
      workspace.clock.advance(60);
      await counters.decrement(['k']);
      expect(await count(counters, 'k')).toBe(1);
    });

    test('as many decrements as increments, all at once, leave what was there', async () => {
      const { counters } = await workspace.open();
      for (let before = 0; before < 30; before++) await count(counters, 'k');
      await Promise.all(oneTo(25).flatMap(() => [count(counters, 'k'), counters.decrement(['k'])]));
      expect(await count(counters, 'k')).toBe(31);
    });

    test('counters survive a restart: no fresh tries for whoever makes the server restart', async () => {
      const before = await workspace.open();
      await count(before.counters, 'k');
      await before.close();
      const { counters } = await workspace.open();
      expect(await count(counters, 'k')).toBe(2);
    });

    test('only strings and whole numbers get in, and a wrong key spoils the whole call', async () => {
      const { counters } = await workspace.open();
      await expectStringsOnly(
        (value) => counters.increment([{ key: value, windowSeconds: 60 }]),
        (value) =>
          counters.increment([
            { key: 'good', windowSeconds: 60 },
            { key: value, windowSeconds: 60 },
          ]),
        (value) => counters.decrement(['good', value]),
      );
      await expectListsOnly((values) => counters.decrement(values));
      await expect(counters.decrement(new Array(1))).rejects.toThrow(TypeError);
      await expectWholeNumbersOnly((windowSeconds) => counters.increment([{ key: 'good', windowSeconds }]));
      await expect(counters.increment([{ key: 'good', windowSeconds: 0 }])).rejects.toThrow(TypeError);
      expect(await count(counters, 'good')).toBe(1);
    });
  });
}
