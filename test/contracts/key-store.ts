import { describe, expect, test } from '@jest/globals';
import type { DurableStorage, StoredKey } from '../../src/storage/ports.ts';
import type { Open } from './engines.ts';
import { expectStringsOnly, expectWholeNumbersOnly, useWorkspace, winners } from './workspace.ts';

const key = (kid: string, alg: string, position: number): StoredKey => ({
  kid,
  alg,
  sealedJwk: `v1.0a1b2c3d.${kid}`,
  position,
  createdAt: 1_000,
});

export function keyStoreContract(open: Open<DurableStorage>): void {
  describe('keys', () => {
    const workspace = useWorkspace(open);

    test('keys come back as they were, by algorithm and position', async () => {
      const { keys } = await workspace.open();
      expect(await keys.list()).toEqual([]);
      const [rs1, rs0, es0] = [key('a', 'RS256', 1), key('b', 'RS256', 0), key('c', 'ES256', 0)] as const;
      expect(await keys.insertFirst([rs1, rs0, es0])).toBe(true);
      expect(await keys.list()).toEqual([es0, rs0, rs1]);
    });

    test('a store with keys takes no first keys', async () => {
      const { keys } = await workspace.open();
      await keys.insertFirst([key('a', 'RS256', 0)]);
      expect(await keys.insertFirst([key('b', 'ES256', 0)])).toBe(false);
      expect(await keys.list()).toEqual([key('a', 'RS256', 0)]);
    });

    test('all or nothing: two keys of one name are refused together', async () => {
      const { keys } = await workspace.open();
      await expect(keys.insertFirst([key('a', 'RS256', 0), key('a', 'ES256', 0)])).rejects.toMatchObject({
        code: 'storage.unavailable',
      });
      expect(await keys.list()).toEqual([]);
    });

    test('of 50 nodes that start together one gives the keys, all of its own', async () => {
      const stores = [await workspace.open(), await workspace.open()] as const;
      const contend = (node: number) =>
        stores[node % 2 === 0 ? 0 : 1].keys.insertFirst([key(`rs-${node}`, 'RS256', 0), key(`es-${node}`, 'ES256', 0)]);
      expect(await winners(50, contend)).toBe(1);
      const found = await stores[0].keys.list();
      expect(found).toHaveLength(2);
      expect(new Set(found.map(({ kid }) => kid.slice(3))).size).toBe(1);
      expect(await stores[1].keys.list()).toEqual(found);
    });

    test('all keys are replaced together, and only those that were read', async () => {
      const { keys } = await workspace.open();
      const [a, b, c] = [key('a', 'RS256', 0), key('b', 'ES256', 0), key('c', 'ES256', 1)] as const;
      expect(await keys.replaceAll([a], [b])).toBe(false);
      await keys.insertFirst([a, b]);
      for (const stale of [[a], [a, b, c], [a, c], [a, { ...b, position: 1 }], [a, { ...b, sealedJwk: 'v1.x.y' }]])
        expect(await keys.replaceAll([c], stale)).toBe(false);
      expect(await keys.list()).toEqual([b, a]);
      expect(await keys.replaceAll([{ ...a, position: 1 }, c], [b, a])).toBe(true);
      expect(await keys.list()).toEqual([c, { ...a, position: 1 }]);
      expect(await keys.replaceAll([c], [a, b])).toBe(false);
      await expect(keys.replaceAll([c, c], [c, { ...a, position: 1 }])).rejects.toMatchObject({
        code: 'storage.unavailable',
      });
      expect(await keys.list()).toEqual([c, { ...a, position: 1 }]);
    });

    test('of 50 nodes that replace what they all read one does', async () => {
      const stores = [await workspace.open(), await workspace.open()] as const;
      const first = [key('a', 'RS256', 0)];
      await stores[0].keys.insertFirst(first);
      const contend = (node: number) =>
        stores[node % 2 === 0 ? 0 : 1].keys.replaceAll([key(`rs-${node}`, 'RS256', 0), ...first], first);
      expect(await winners(50, contend)).toBe(1);
      expect(await stores[0].keys.list()).toHaveLength(2);
    });

    test('keys survive a restart', async () => {
      const before = await workspace.open();
      await before.keys.insertFirst([key('a', 'RS256', 0)]);
      await before.close();
      const { keys } = await workspace.open();
      expect(await keys.list()).toEqual([key('a', 'RS256', 0)]);
      expect(await keys.insertFirst([key('b', 'RS256', 0)])).toBe(false);
    });

    test('a failing write fails alone', async () => {
      const { keys, audit, credentials } = await workspace.open();
      const credential = { accountId: 'a', kind: 'k', data: 'd', version: 1, createdAt: 1, updatedAt: 1 };
      const outcomes = await Promise.allSettled([
        credentials.insert({ ...credential, id: 'before' }),
        keys.insertFirst([key('a', 'RS256', 0), key('a', 'RS256', 1)]),
        credentials.insert({ ...credential, id: 'after' }),
        audit.append({ id: 'e', at: 1, event: 'test.event' }),
      ]);
      expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled', 'fulfilled']);
      expect(await credentials.list('a', 'k')).toHaveLength(2);
      expect(await audit.list({ limit: 5 })).toHaveLength(1);
      expect(await keys.list()).toEqual([]);
    });

    test('only strings and whole numbers get in, and at least one key', async () => {
      const { keys } = await workspace.open();
      const good = key('a', 'RS256', 0);
      await expectStringsOnly(
        (value) => keys.insertFirst([{ ...good, kid: value }]),
        (value) => keys.insertFirst([{ ...good, alg: value }]),
        (value) => keys.insertFirst([{ ...good, sealedJwk: value }]),
      );
      await expectStringsOnly(
        (value) => keys.replaceAll([{ ...good, kid: value }], [good]),
        (value) => keys.replaceAll([good], [{ ...good, kid: value }]),
        (value) => keys.replaceAll([good], [{ ...good, sealedJwk: value }]),
      );
      await expectWholeNumbersOnly((value) => keys.insertFirst([{ ...good, position: value }]));
      await expectWholeNumbersOnly((value) => keys.replaceAll([good], [{ ...good, createdAt: value }]));
      await expect(keys.insertFirst([])).rejects.toThrow(TypeError);
      await expect(keys.replaceAll([], [good])).rejects.toThrow(TypeError);
      await expect(keys.replaceAll([good], [])).rejects.toThrow(TypeError);
      expect(await keys.list()).toEqual([]);
    });
  });
}
