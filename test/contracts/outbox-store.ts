import { describe, expect, test } from '@jest/globals';
import type { DurableStorage, OutboxEntry } from '../../src/storage/ports.ts';
import type { Open } from './engines.ts';
import { mail, owed } from './mails.ts';
import { expectMailsOnly, expectStringsOnly, expectWholeNumbersOnly, useWorkspace } from './workspace.ts';

const LEASE = 60;

export function outboxStoreContract(open: Open<DurableStorage>): void {
  describe('outbox', () => {
    const workspace = useWorkspace(open);
    const inSeconds = (seconds: number): number => workspace.clock.seconds + seconds;
    const ids = (mails: readonly OutboxEntry[]): string[] => mails.map(({ id }) => id);

    describe('handing out', () => {
      test('an entry comes out as it was put in', async () => {
        const { outbox } = await workspace.open();
        const entries = [
          mail('a', { urgent: true, payload: { deep: [1, 2.5, null, true, { x: '…😀\u0000"\\' }], zero: 0 } }),
          mail('b', { kind: 'recovery', createdAt: 2_000, payload: {} }),
        ];
        await outbox.add(entries);
        expect(await outbox.claim(10, LEASE)).toStrictEqual(entries.map((entry) => ({ ...entry, attempts: 1 })));
      });

      test('a member called __proto__ is data, not a prototype', async () => {
        const { outbox } = await workspace.open();
        await outbox.add([mail('a', { payload: JSON.parse('{"__proto__":{"accountId":"acc-mallory"}}') })]);
        const [found] = await outbox.claim(1, LEASE);
        expect(Object.keys(found?.payload ?? {})).toEqual(['__proto__']);
        expect(found?.payload.accountId).toBeUndefined();
      });

      test('urgent ones first, then those due longest', async () => {
        const { outbox } = await workspace.open();
        // The ids are in another order than the entries.
        await outbox.add([
          mail('1', { createdAt: 30 }),
          mail('2', { createdAt: 20, urgent: true }),
          mail('3', { createdAt: 10 }),
          mail('4', { createdAt: 40, urgent: true }),
          mail('5', { createdAt: 20 }),
          mail('6', { createdAt: 10, urgent: true }),
        ]);
        expect(ids(await outbox.claim(1, LEASE))).toEqual(['6']);
        expect(ids(await outbox.claim(4, LEASE))).toEqual(['2', '4', '3', '5']);
        await outbox.postpone('3', inSeconds(5), 'x');
        await outbox.postpone('5', inSeconds(3), 'x');
        await outbox.postpone('4', inSeconds(9), 'x');
        workspace.clock.advance(9);
        expect(ids(await outbox.claim(10, LEASE))).toEqual(['4', '1', '5', '3']);
      });

      test('no more than asked for, none twice, and nothing when there is nothing', async () => {
        const { outbox } = await workspace.open();
        expect(await outbox.claim(10, LEASE)).toEqual([]);
        await outbox.add(Array.from({ length: 25 }, (_, index) => mail(`${index}`, { createdAt: index })));
        const sizes: number[] = [];
        const seen = new Set<string>();
        for (let round = 0; round < 4; round++) {
          const claimed = await outbox.claim(10, LEASE);
          sizes.push(claimed.length);
          for (const { id } of claimed) seen.add(id);
        }
        expect(sizes).toEqual([10, 10, 5, 0]);
        expect(seen.size).toBe(25);
      });

      test('adding none is nothing; adding again changes nothing', async () => {
        const { outbox } = await workspace.open();
        await outbox.add([]);
        await outbox.add([mail('a'), mail('a', { kind: 'other' }), mail('b')]);
        await outbox.add([mail('a', { kind: 'other', urgent: true })]);
        expect(await outbox.count()).toEqual({ waiting: 2, dead: 0 });
        const claimed = await outbox.claim(10, LEASE);
        expect(claimed.map(({ kind }) => kind)).toEqual(['notice', 'notice']);
        // Nor does it make a claimed or a dead one due.
        await outbox.bury('b', 'x');
        await outbox.add([mail('a'), mail('b')]);
        expect(await owed(outbox)).toEqual([]);
        expect(await outbox.count()).toEqual({ waiting: 1, dead: 1 });
      });
    });

    describe('leases', () => {
      test('a claimed entry is due again when its lease ends, not a second before', async () => {
        const { outbox } = await workspace.open();
        await outbox.add([mail('a')]);
        for (const attempts of [1, 2, 3]) {
          expect(await outbox.claim(10, LEASE)).toStrictEqual([{ ...mail('a'), attempts }]);
          workspace.clock.advance(LEASE - 1);
          expect(await outbox.claim(10, LEASE)).toEqual([]);
          workspace.clock.advance(1);
        }
      });

      test('another process gets what a dead one left, and only then', async () => {
        const [one, two] = [await workspace.open(), await workspace.open()];
        await one.outbox.add([mail('a')]);
        expect(ids(await one.outbox.claim(1, LEASE))).toEqual(['a']);
        await one.close();
        expect(await two.outbox.claim(1, LEASE)).toEqual([]);
        workspace.clock.advance(LEASE);
        expect(await two.outbox.claim(1, LEASE)).toStrictEqual([{ ...mail('a'), attempts: 2 }]);
      });

      test('of those who want one each, through two stores, each gets another', async () => {
        const stores = [await workspace.open(), await workspace.open()] as const;
        await stores[0].outbox.add(Array.from({ length: 30 }, (_, index) => mail(`${index}`)));
        const claimed = await Promise.all(
          Array.from({ length: 50 }, (_, index) => stores[index % 2 === 0 ? 0 : 1].outbox.claim(1, LEASE)),
        );
        const found = claimed.flatMap(ids);
        expect(found).toHaveLength(30);
        expect(new Set(found).size).toBe(30);
        expect(claimed.flat().every(({ attempts }) => attempts === 1)).toBe(true);
        workspace.clock.advance(LEASE);
        // Once more, when all are due again.
        const again = await Promise.all(
          Array.from({ length: 50 }, (_, index) => stores[index % 2 === 0 ? 0 : 1].outbox.claim(7, LEASE)),
        );
        expect(again.flatMap(ids).sort()).toEqual(found.sort());
        expect(again.flat().every(({ attempts }) => attempts === 2)).toBe(true);
      });

      test('entries and leases survive a restart', async () => {
        const before = await workspace.open();
        await before.outbox.add([mail('waiting'), mail('claimed', { urgent: true }), mail('dead'), mail('sent')]);
        await before.outbox.claim(1, LEASE);
        await before.outbox.bury('dead', 'refused');
        await before.outbox.done('sent');
        await before.close();
        const { outbox } = await workspace.open();
        expect(await outbox.count()).toEqual({ waiting: 2, dead: 1 });
        expect(ids(await outbox.claim(10, LEASE))).toEqual(['waiting']);
        workspace.clock.advance(LEASE);
        expect(ids(await outbox.claim(10, LEASE))).toEqual(['claimed', 'waiting']);
      });
    });

    describe('after it was tried', () => {
      test('done: it is gone', async () => {
        const { outbox } = await workspace.open();
        await outbox.add([mail('a'), mail('b', { createdAt: 2_000 })]);
        await outbox.claim(1, LEASE);
        await outbox.done('a');
        await outbox.done('a');
        await outbox.done('unknown');
        expect(await outbox.count()).toEqual({ waiting: 1, dead: 0 });
        workspace.clock.advance(LEASE);
        expect(ids(await outbox.claim(10, LEASE))).toEqual(['b']);
        // Whoever had lost it may still have sent it.
        await outbox.done('b');
        workspace.clock.advance(LEASE);
        expect(await outbox.claim(10, LEASE)).toEqual([]);
      });

      test('postponed: due at that second, whatever its lease', async () => {
        const { outbox } = await workspace.open();
        await outbox.add([mail('early'), mail('late')]);
        await outbox.claim(10, LEASE);
        await outbox.postpone('early', inSeconds(10), 'the mail server is away');
        await outbox.postpone('late', inSeconds(1000), 'greylisted');
        await outbox.postpone('unknown', inSeconds(1), 'x');
        workspace.clock.advance(9);
        expect(await outbox.claim(10, LEASE)).toEqual([]);
        workspace.clock.advance(1);
        expect(await outbox.claim(10, LEASE)).toStrictEqual([{ ...mail('early'), attempts: 2 }]);
        await outbox.done('early');
        workspace.clock.advance(989);
        expect(await outbox.claim(10, LEASE)).toEqual([]);
        expect(await outbox.count()).toEqual({ waiting: 1, dead: 0 });
        workspace.clock.advance(1);
        expect(await outbox.claim(10, LEASE)).toStrictEqual([{ ...mail('late'), attempts: 2 }]);
      });

      test('buried: counted, and never handed out again', async () => {
        const { outbox } = await workspace.open();
        await outbox.add([mail('a'), mail('b'), mail('c', { urgent: true })]);
        await outbox.claim(1, LEASE);
        await outbox.bury('c', '550 no such mailbox');
        await outbox.bury('a', 'unknown kind');
        await outbox.bury('a', 'again');
        await outbox.bury('unknown', 'x');
        expect(await outbox.count()).toEqual({ waiting: 1, dead: 2 });
        await outbox.postpone('a', inSeconds(0), 'too late for that');
        workspace.clock.advance(10 * LEASE);
        expect(ids(await outbox.claim(10, LEASE))).toEqual(['b']);
        expect(await outbox.count()).toEqual({ waiting: 1, dead: 2 });
      });

      test('many that wait for later stand in the way of nothing', async () => {
        const { outbox } = await workspace.open();
        const far = Array.from({ length: 3000 }, (_, index) =>
          mail(`far-${index}`, { urgent: index % 2 === 0, createdAt: inSeconds(1000) }),
        );
        await outbox.add([...far, mail('now')]);
        expect(ids(await outbox.claim(10, LEASE))).toEqual(['now']);
        expect(await outbox.count()).toEqual({ waiting: 3001, dead: 0 });
      });
    });

    test('only strings, objects, whole numbers and booleans get in, and a wrong entry spoils the whole call', async () => {
      const { outbox } = await workspace.open();
      await expectMailsOnly((mails) => outbox.add(mails));
      await expect(outbox.add(undefined as unknown as OutboxEntry[])).rejects.toThrow(TypeError);
      expect(await outbox.count()).toEqual({ waiting: 0, dead: 0 });
      await outbox.add([mail('a')]);
      await expectStringsOnly(
        (value) => outbox.done(value),
        (value) => outbox.postpone(value, 1, 'x'),
        (value) => outbox.postpone('a', 1, value),
        (value) => outbox.bury(value, 'x'),
        (value) => outbox.bury('a', value),
      );
      await expectWholeNumbersOnly(
        (value) => outbox.claim(value, LEASE),
        (value) => outbox.claim(1, value),
        (value) => outbox.postpone('a', value, 'x'),
      );
      await expect(outbox.claim(0, LEASE)).rejects.toThrow(TypeError);
      await expect(outbox.claim(1, 0)).rejects.toThrow(TypeError);
      expect(await outbox.claim(1, LEASE)).toStrictEqual([{ ...mail('a'), attempts: 1 }]);
    });
  });
}
