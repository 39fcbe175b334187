import { describe, expect, test } from '@jest/globals';
import type { Artifact, ArtifactStore } from '../../src/storage/ports.ts';
import type { Open } from './engines.ts';
import { useWorkspace } from './workspace.ts';

interface Half {
  readonly artifacts: ArtifactStore;
  ping(): Promise<void>;
  close(): Promise<void>;
}

/** Opening, answering and closing; for both halves. */
export function lifecycleContract(half: string, open: Open<Half>): void {
  describe(`opening and closing (${half})`, () => {
    const workspace = useWorkspace(open);
    const artifact = (): Artifact => ({ payload: {}, expiresAt: workspace.clock.seconds + 60 });

    test('an open store answers', async () => {
      const storage = await workspace.open();
      await expect(storage.ping()).resolves.toBeUndefined();
    });

    test('closing commits what was asked for', async () => {
      const storage = await workspace.open();
      const ids = Array.from({ length: 1000 }, (_, index) => `id-${index}`);
      const writes = Promise.all(ids.map((id) => storage.artifacts.save('Session', id, artifact())));
      await storage.close();
      await writes;
      const { artifacts } = await workspace.open();
      const found = await Promise.all(ids.map((id) => artifacts.find('Session', id)));
      expect(found.every((one) => one !== undefined)).toBe(true);
    });

    test('closing twice, and at the same time, is one closing', async () => {
      const storage = await workspace.open();
      await Promise.all([storage.close(), storage.close()]);
      await storage.close();
    });

    test('after closing everything is refused: nothing reads as absent', async () => {
      const storage = await workspace.open();
      await storage.artifacts.save('Session', 'id', artifact());
      const closed = storage.close();
      const late = storage.artifacts.save('Session', 'late', artifact());
      await expect(late).rejects.toMatchObject({ code: 'storage.unavailable', status: 503 });
      await closed;
      for (const call of [
        () => storage.artifacts.find('Session', 'id'),
        () => storage.artifacts.findByUid('Session', 'id'),
        () => storage.artifacts.save('Session', 'id', artifact()),
        () => storage.artifacts.insertOnly('Session', 'id', artifact()),
        () => storage.artifacts.consumeOnce('Session', 'id', 1),
        () => storage.artifacts.remove('Session', 'id'),
        () => storage.artifacts.removeByGrant('Session', 'id'),
        () => storage.artifacts.endByAccount('Session', 'id', { at: 1, until: 2 }),
        () => storage.ping(),
      ]) {
        await expect(call()).rejects.toMatchObject({ code: 'storage.unavailable', status: 503, retryAfter: 5 });
      }
    });

    test('one closing does not disturb another that has the same data open', async () => {
      const [one, two] = [await workspace.open(), await workspace.open()];
      await one.artifacts.save('Session', 'a', artifact());
      await one.close();
      await two.artifacts.save('Session', 'b', artifact());
      await two.ping();
      const three = await workspace.open();
      expect(await three.artifacts.find('Session', 'a')).toBeDefined();
      expect(await three.artifacts.find('Session', 'b')).toBeDefined();
    });
  });
}
