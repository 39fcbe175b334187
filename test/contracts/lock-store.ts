import { describe, expect, test } from '@jest/globals';
import type { EphemeralStorage, LockReading, LockRule } from '../../src/storage/ports.ts';
import type { Open } from './engines.ts';
import { expectStringsOnly, expectWholeNumbersOnly, useWorkspace } from './workspace.ts';

const rule: LockRule = { tries: 5, first: 60, longest: 300, memory: 3600 };
const oneTo = (last: number): number[] => Array.from({ length: last }, (_, index) => index + 1);
const admittedOf = (readings: readonly LockReading[]): number[] =>
  readings.flatMap(({ admitted }) => (admitted === undefined ? [] : [admitted])).sort((left, right) => left - right);

export function lockStoreContract(open: Open<EphemeralStorage>): void {
  describe('locks', () => {
    const workspace = useWorkspace(open);
    const inSeconds = (seconds: number): number => workspace.clock.seconds + seconds;
    const takeAll = async ({ locks }: EphemeralStorage, key = 'k', used = rule): Promise<LockReading[]> => {
      const readings: LockReading[] = [];
      for (let each = 0; each < used.tries; each++) readings.push(await locks.take(key, used));
      return readings;
    };

    describe('locking', () => {
      test('tries are counted, and the last of them locks', async () => {
        const storage = await workspace.open();
        expect(await storage.locks.lockedUntil('k')).toBeUndefined();
        expect(await takeAll(storage)).toStrictEqual([
          { admitted: 1 },
          { admitted: 2 },
          { admitted: 3 },
          { admitted: 4 },
          { admitted: 5, lockedUntil: inSeconds(60) },
        ]);
        expect(await storage.locks.lockedUntil('k')).toBe(inSeconds(60));
      });

      test('a try during a lock is not admitted, does not count and does not prolong it', async () => {
        const storage = await workspace.open();
        await takeAll(storage);
        const until = inSeconds(60);
        for (const seconds of [0, 30, 29]) {
          workspace.clock.advance(seconds);
          expect(await storage.locks.take('k', rule)).toStrictEqual({ lockedUntil: until });
        }
        workspace.clock.advance(1);
        expect(await storage.locks.lockedUntil('k')).toBeUndefined();
        expect(await storage.locks.take('k', rule)).toStrictEqual({ admitted: 6 });
      });

      test('each lock is twice as long as the one before, up to the longest', async () => {
        const storage = await workspace.open();
        for (const [round, seconds] of [60, 120, 240, 300, 300].entries()) {
          const readings = await takeAll(storage);
          const before = round * rule.tries;
          expect(readings.slice(0, -1)).toStrictEqual([1, 2, 3, 4].map((nth) => ({ admitted: before + nth })));
          expect(readings.at(-1)).toStrictEqual({ admitted: before + 5, lockedUntil: inSeconds(seconds) });
          workspace.clock.advance(seconds);
        }
      });

      test('however often it was locked, the lock is the longest and never less', async () => {
        const storage = await workspace.open();
        const one = { tries: 1, first: 1, longest: 7, memory: 60 };
        for (const [round, seconds] of [1, 2, 4, ...Array.from({ length: 97 }, () => 7)].entries()) {
          expect(await storage.locks.take('k', one)).toStrictEqual({
            admitted: round + 1,
            lockedUntil: inSeconds(seconds),
          });
          workspace.clock.advance(seconds);
        }
      });

      test('the longest is the longest of the first lock, too', async () => {
        const { locks } = await workspace.open();
        const reading = await locks.take('k', { tries: 1, first: 100, longest: 60, memory: 60 });
        expect(reading).toStrictEqual({ admitted: 1, lockedUntil: inSeconds(60) });
      });

      test('each key stands for itself', async () => {
        const storage = await workspace.open();
        await takeAll(storage, 'name:anna');
        for (const key of ['name:ben', 'name:Anna', 'name:anna ', 'name:ann_', '%', '']) {
          expect(await storage.locks.lockedUntil(key)).toBeUndefined();
          expect(await storage.locks.take(key, rule)).toStrictEqual({ admitted: 1 });
        }
      });
    });

    describe('forgetting', () => {
      test('a try counts for as long as the memory after the one before', async () => {
        const { locks } = await workspace.open();
        for (const nth of [1, 2, 3]) {
          expect(await locks.take('k', rule)).toStrictEqual({ admitted: nth });
          workspace.clock.advance(rule.memory - 1);
        }
        workspace.clock.advance(1);
        expect(await locks.take('k', rule)).toStrictEqual({ admitted: 1 });
      });

      test('a lock is remembered from its end: the next one after that is the first again', async () => {
        const storage = await workspace.open();
        await takeAll(storage);
        workspace.clock.advance(60 + rule.memory - 1);
        const second = await takeAll(storage);
        expect(second.at(-1)).toStrictEqual({ admitted: 10, lockedUntil: inSeconds(120) });
        workspace.clock.advance(120 + rule.memory);
        const again = await takeAll(storage);
        expect(again.at(-1)).toStrictEqual({ admitted: 5, lockedUntil: inSeconds(60) });
      });

      test('a lock longer than the memory holds to its end', async () => {
        const storage = await workspace.open();
        const forgetful = { ...rule, memory: 1 };
        await takeAll(storage, 'k', forgetful);
        workspace.clock.advance(59);
        expect(await storage.locks.take('k', forgetful)).toStrictEqual({ lockedUntil: inSeconds(1) });
      });

      test('clearing a key clears those below it, and says whether one of them was locked', async () => {
        const { locks } = await workspace.open();
        const rule = { tries: 1, first: 60, longest: 60, memory: 600 };
        for (const key of ['a:device', 'ab:device', 'a;', 'b']) await locks.take(key, rule);
        await locks.take('a', { ...rule, tries: 5 });
        expect(await locks.clear('a')).toBe(true);
        expect(await locks.clear('a')).toBe(false);
        expect(await locks.lockedUntil('a:device')).toBeUndefined();
        for (const key of ['ab:device', 'a;', 'b']) expect(await locks.lockedUntil(key)).toBeDefined();
      });

      test('clearing is as if there had been no try, and touches no other key', async () => {
        const storage = await workspace.open();
        await takeAll(storage, 'a');
        await takeAll(storage, 'b');
        await storage.locks.clear('a');
        await storage.locks.clear('unknown');
        expect(await storage.locks.lockedUntil('a')).toBeUndefined();
        expect((await takeAll(storage, 'a')).at(-1)).toStrictEqual({ admitted: 5, lockedUntil: inSeconds(60) });
        expect(await storage.locks.lockedUntil('b')).toBe(inSeconds(60));
      });

      test('locks survive a restart: no fresh tries for whoever makes the server restart', async () => {
        const before = await workspace.open();
        await takeAll(before, 'locked');
        await before.locks.take('tried', rule);
        await before.close();
        const { locks } = await workspace.open();
        expect(await locks.take('locked', rule)).toStrictEqual({ lockedUntil: inSeconds(60) });
        expect(await locks.take('tried', rule)).toStrictEqual({ admitted: 2 });
      });
    });

    describe('giving back', () => {
      test('a try that is given back is there again', async () => {
        const { locks } = await workspace.open();
        for (let each = 0; each < 4; each++) await locks.take('k', rule);
        await locks.giveBack('k', 1, false);
        expect(await locks.take('k', rule)).toStrictEqual({ admitted: 4 });
        await locks.giveBack('k', 3, true);
        expect(await locks.take('k', rule)).toStrictEqual({ admitted: 2 });
        await locks.giveBack('k', 0, false);
        expect(await locks.take('k', rule)).toStrictEqual({ admitted: 3 });
      });

      test('never more than were taken, and nothing where there is nothing', async () => {
        const { locks } = await workspace.open();
        await locks.giveBack('k', 7, true);
        expect(await locks.lockedUntil('k')).toBeUndefined();
        expect(await locks.take('k', rule)).toStrictEqual({ admitted: 1 });
        await locks.giveBack('k', 7, false);
        expect(await locks.take('k', rule)).toStrictEqual({ admitted: 1 });
      });

      test('without lifting, the lock stays', async () => {
        const storage = await workspace.open();
        await takeAll(storage);
        await storage.locks.giveBack('k', 5, false);
        expect(await storage.locks.lockedUntil('k')).toBe(inSeconds(60));
        expect(await storage.locks.take('k', rule)).toStrictEqual({ lockedUntil: inSeconds(60) });
        workspace.clock.advance(60);
        expect(await storage.locks.take('k', rule)).toStrictEqual({ admitted: 1 });
      });

      test('lifting ends the lock: the last try turned out to be right', async () => {
        const storage = await workspace.open();
        await takeAll(storage);
        await storage.locks.giveBack('k', 1, true);
        expect(await storage.locks.lockedUntil('k')).toBeUndefined();
        expect(await storage.locks.take('k', rule)).toStrictEqual({ admitted: 5, lockedUntil: inSeconds(60) });
      });

      test('a lock that was lifted with all its tries is forgotten, the locks before are not', async () => {
        const storage = await workspace.open();
        await takeAll(storage);
        workspace.clock.advance(60);
        await takeAll(storage);
        await storage.locks.giveBack('k', 5, true);
        expect((await takeAll(storage)).at(-1)).toStrictEqual({ admitted: 10, lockedUntil: inSeconds(120) });
      });

      test('giving back touches no other key', async () => {
        const storage = await workspace.open();
        await takeAll(storage, 'a');
        await takeAll(storage, 'b');
        await storage.locks.giveBack('a', 5, true);
        expect(await storage.locks.lockedUntil('b')).toBe(inSeconds(60));
      });
    });

    describe('at once', () => {
      test('of 50 parallel tries through one store as many are admitted as there are, each once', async () => {
        const { locks } = await workspace.open();
        const readings = await Promise.all(oneTo(50).map(() => locks.take('k', rule)));
        expect(admittedOf(readings)).toEqual(oneTo(5));
        expect(readings.filter(({ lockedUntil }) => lockedUntil === inSeconds(60))).toHaveLength(46);
      });

      test('of 50 parallel tries through two stores as many are admitted as there are, after each lock again', async () => {
        const stores = [await workspace.open(), await workspace.open()] as const;
        for (const [round, seconds] of [60, 120, 240].entries()) {
          const readings = await Promise.all(
            oneTo(50).map((index) => stores[index % 2 === 0 ? 0 : 1].locks.take('k', rule)),
          );
          expect(admittedOf(readings)).toEqual(oneTo(5).map((nth) => round * 5 + nth));
          expect(readings.filter(({ admitted }) => admitted === undefined)).toHaveLength(45);
          expect(await stores[1].locks.lockedUntil('k')).toBe(inSeconds(seconds));
          workspace.clock.advance(seconds);
        }
      });

      test('as many given back as taken, all at once, leave what was there', async () => {
        const stores = [await workspace.open(), await workspace.open()] as const;
        const patient = { ...rule, tries: 1000 };
        for (let before = 0; before < 30; before++) await stores[0].locks.take('k', patient);
        await Promise.all(
          oneTo(25).flatMap((index) => [
            stores[index % 2 === 0 ? 0 : 1].locks.take('k', patient),
            stores[index % 2 === 0 ? 1 : 0].locks.giveBack('k', 1, false),
          ]),
        );
        expect(await stores[0].locks.take('k', patient)).toStrictEqual({ admitted: 31 });
      });

      test('another process sees a lock at once', async () => {
        const [one, two] = [await workspace.open(), await workspace.open()];
        await takeAll(one);
        expect(await two.locks.lockedUntil('k')).toBe(inSeconds(60));
        expect(await two.locks.take('k', rule)).toStrictEqual({ lockedUntil: inSeconds(60) });
        await two.locks.giveBack('k', 5, true);
        expect(await one.locks.take('k', rule)).toStrictEqual({ admitted: 1 });
      });
    });

    test('only strings, whole numbers and booleans get in', async () => {
      const { locks } = await workspace.open();
      await locks.take('k', rule);
      await expectStringsOnly(
        (value) => locks.take(value, rule),
        (value) => locks.giveBack(value, 1, true),
        (value) => locks.lockedUntil(value),
        (value) => locks.clear(value),
      );
      for (const member of ['tries', 'first', 'longest', 'memory']) {
        await expectWholeNumbersOnly((value) => locks.take('k', { ...rule, [member]: value }));
        await expect(locks.take('k', { ...rule, [member]: 0 })).rejects.toThrow(TypeError);
      }
      await expectWholeNumbersOnly((value) => locks.giveBack('k', value, true));
      for (const lift of [undefined, null, 0, 1, 'true', {}] as unknown as boolean[]) {
        await expect(locks.giveBack('k', 1, lift)).rejects.toThrow(TypeError);
      }
      expect(await locks.take('k', rule)).toStrictEqual({ admitted: 2 });
    });
  });
}
