import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { openDurable, openEphemeral } from '../../../src/storage/sqlite/index.ts';
import { useWorkspace } from '../workspace.ts';

describe('sweeping expired rows', () => {
  const workspace = useWorkspace((directory, context) =>
    openEphemeral({ engine: 'sqlite', path: join(directory, 'ephemeral.db') }, context),
  );
  const expiresAt = (seconds: number): number => workspace.clock.seconds + seconds;
  const rows = (): Record<string, unknown> => {
    const database = new DatabaseSync(join(workspace.directory, 'ephemeral.db'), { readOnly: true });
    const count = (table: string) => database.prepare(`SELECT count(*) AS n FROM ${table}`).get()?.n;
    const counts = Object.fromEntries(
      ['artifacts', 'journeys', 'counters', 'locks'].map((table) => [table, count(table)]),
    );
    database.close();
    return counts;
  };

  test('what has expired goes, what has not stays', async () => {
    const storage = await workspace.open();
    for (const [id, seconds] of [
      ['short', 60],
      ['long', 61],
    ] as const) {
      await storage.artifacts.save('Session', id, { payload: {}, expiresAt: expiresAt(seconds) });
      await storage.journeys.save({ uid: id, state: {}, expiresAt: expiresAt(seconds) }, 0);
      await storage.counters.increment([{ key: id, windowSeconds: seconds }]);
      await storage.locks.take(id, { tries: 2, first: 1, longest: 1, memory: seconds });
    }
    expect(await storage.sweep()).toBe(0);
    workspace.clock.advance(60);
    expect(await storage.sweep()).toBe(4);
    expect(rows()).toEqual({ artifacts: 1, journeys: 1, counters: 1, locks: 1 });
    expect(await storage.artifacts.find('Session', 'long')).toBeDefined();
    expect(await storage.journeys.find('long')).toBeDefined();
    expect((await storage.counters.increment([{ key: 'long', windowSeconds: 61 }]))[0]?.count).toBe(2);
    expect(await storage.locks.take('long', { tries: 9, first: 1, longest: 1, memory: 1 })).toEqual({ admitted: 2 });
  });

  test('a lock stays as long as it holds, and as long again as it is remembered', async () => {
    const storage = await workspace.open();
    const rule = { tries: 1, first: 600, longest: 1200, memory: 60 };
    await storage.locks.take('k', rule);
    workspace.clock.advance(659);
    expect(await storage.sweep()).toBe(0);
    expect((await storage.locks.take('k', rule)).lockedUntil).toBe(expiresAt(1200));
    workspace.clock.advance(1260);
    expect(await storage.sweep()).toBe(1);
    expect(rows().locks).toBe(0);
  });

  test('one sweep takes a bounded batch, oldest first', async () => {
    const storage = await workspace.open();
    const saved = Array.from({ length: 450 }, (_, index) =>
      storage.artifacts.save('Session', `${index}`, { payload: {}, expiresAt: expiresAt(1 + index) }),
    );
    await Promise.all(saved);
    workspace.clock.advance(1000);
    expect(await storage.sweep()).toBe(200);
    expect(rows().artifacts).toBe(250);
    expect([await storage.sweep(), await storage.sweep(), await storage.sweep()]).toEqual([200, 50, 0]);
  });

  test('the durable half is swept, too', async () => {
    const storage = await openDurable(
      { engine: 'sqlite', path: join(workspace.directory, 'durable.db') },
      workspace.context,
    );
    await storage.artifacts.save('Grant', 'id', { payload: {}, expiresAt: expiresAt(60) });
    workspace.clock.advance(60);
    expect(await storage.sweep()).toBe(1);
    await storage.close();
  });

  describe('on its timer', () => {
    beforeEach(() => {
      jest.useFakeTimers({ doNotFake: ['setImmediate', 'nextTick', 'queueMicrotask', 'performance', 'Date'] });
    });
    afterEach(() => {
      jest.useRealTimers();
    });
    /** Enough turns of the event loop for the writes of a sweep. */
    const settle = async (): Promise<void> => {
      for (let turn = 0; turn < 10; turn++) await new Promise((resolve) => setImmediate(resolve));
    };

    test('it sweeps by itself, and on until all is gone', async () => {
      const storage = await workspace.open();
      const saved = Array.from({ length: 250 }, (_, index) =>
        storage.artifacts.save('Session', `${index}`, { payload: {}, expiresAt: expiresAt(60) }),
      );
      await Promise.all(saved);
      workspace.clock.advance(60);
      jest.advanceTimersByTime(60_000);
      await settle();
      expect(rows().artifacts).toBe(50);
      jest.advanceTimersByTime(1000);
      await settle();
      expect(rows().artifacts).toBe(0);
      expect(jest.getTimerCount()).toBe(1);
    });

    test('a failure is logged, and tried again later', async () => {
      await workspace.open();
      const saboteur = new DatabaseSync(join(workspace.directory, 'ephemeral.db'));
      saboteur.exec('DROP TABLE journeys');
      saboteur.close();
      jest.advanceTimersByTime(60_000);
      await settle();
      expect(workspace.log.lines).toMatchObject([
        { level: 'error', event: 'storage.sweep.failed', err: { message: expect.stringContaining('no such table') } },
      ]);
      jest.advanceTimersByTime(60_000);
      await settle();
      expect(workspace.log.lines).toHaveLength(2);
    });

    test('it stops on close', async () => {
      const storage = await workspace.open();
      expect(jest.getTimerCount()).toBe(1);
      await storage.close();
      expect(jest.getTimerCount()).toBe(0);
      expect(workspace.log.lines).toEqual([]);
    });
  });
});
