import { describe, expect, test } from '@jest/globals';
import type { Artifact } from '../../src/storage/ports.ts';
import type { WithArtifacts } from './artifact-store.ts';
import type { Open } from './engines.ts';
import { useWorkspace } from './workspace.ts';

/** The end of everything an account has, what signing out everywhere rests on. Run it for both halves. */
export function artifactEndContract(half: string, open: Open<WithArtifacts>): void {
  describe(`end of an account’s artifacts (${half})`, () => {
    const workspace = useWorkspace(open);
    const inSeconds = (seconds: number): number => workspace.clock.seconds + seconds;
    const artifact = (more: Partial<Artifact> = {}): Artifact => ({
      payload: { jti: 'a' },
      accountId: 'acc-anna',
      expiresAt: inSeconds(3600),
      ...more,
    });
    const now = () => ({ at: inSeconds(0), until: inSeconds(600) });
    const isEnded = (found: Artifact | undefined): boolean =>
      found?.consumedAt !== undefined && Object.keys(found.payload).length === 0;

    test('each is marked as used and empty, and kept no longer than asked', async () => {
      const { artifacts } = await workspace.open();
      const keys = { uid: 'u', userCode: 'c', grantId: 'g' };
      await artifacts.save('Session', 'a', artifact(keys));
      await artifacts.save('Session', 'b', artifact());
      const end = now();
      await artifacts.endByAccount('Session', 'acc-anna', end);
      const marked = { payload: {}, accountId: 'acc-anna', consumedAt: end.at, expiresAt: end.until };
      expect(await artifacts.find('Session', 'a')).toStrictEqual({ ...marked, ...keys });
      expect(await artifacts.find('Session', 'b')).toStrictEqual(marked);
      expect(await artifacts.findByUid('Session', 'u')).toStrictEqual({ id: 'a', artifact: { ...marked, ...keys } });
      expect(await artifacts.consumeOnce('Session', 'a', 1)).toBe(false);
      workspace.clock.advance(600);
      expect(await artifacts.find('Session', 'a')).toBeUndefined();
      expect(await artifacts.findByUid('Session', 'u')).toBeUndefined();
    });

    test('the mark outlives what would have expired before', async () => {
      const { artifacts } = await workspace.open();
      await artifacts.save('Session', 'id', artifact({ expiresAt: inSeconds(1) }));
      await artifacts.endByAccount('Session', 'acc-anna', now());
      workspace.clock.advance(599);
      expect(isEnded(await artifacts.find('Session', 'id'))).toBe(true);
    });

    test('that kind of that account ends, and nothing else', async () => {
      const { artifacts } = await workspace.open();
      const others = [
        ['Session', 'ben', artifact({ accountId: 'acc-ben' })],
        ['Session', 'case', artifact({ accountId: 'ACC-anna' })],
        ['Session', 'empty', artifact({ accountId: '' })],
        ['Session', 'nobody', { payload: { jti: 'n' }, expiresAt: inSeconds(3600) }],
        ['Grant', 'anna', artifact()],
      ] as const;
      for (const [kind, id, saved] of others) await artifacts.save(kind, id, saved);
      await artifacts.save('Session', 'anna', artifact());
      await artifacts.endByAccount('Session', 'acc-anna', now());
      await artifacts.endByAccount('Session', 'acc-nobody', now());
      expect(isEnded(await artifacts.find('Session', 'anna'))).toBe(true);
      for (const [kind, id, saved] of others) expect(await artifacts.find(kind, id)).toStrictEqual(saved);
    });

    test('the one that is to stay stays as it is, whatever others have for a uid', async () => {
      const { artifacts } = await workspace.open();
      const stays = artifact({ uid: 'mine' });
      await artifacts.save('Session', 'stays', stays);
      for (const [id, more] of [
        ['other', { uid: 'theirs' }],
        ['case', { uid: 'MINE' }],
        ['none', {}],
      ] as const) {
        await artifacts.save('Session', id, artifact(more));
      }
      await artifacts.endByAccount('Session', 'acc-anna', { ...now(), exceptUid: 'mine' });
      expect(await artifacts.find('Session', 'stays')).toStrictEqual(stays);
      for (const id of ['other', 'case', 'none']) expect(isEnded(await artifacts.find('Session', id))).toBe(true);
    });

    test('an exception that isn’t there keeps nothing', async () => {
      const { artifacts } = await workspace.open();
      for (const exceptUid of [undefined, 'unknown', '']) {
        await artifacts.save('Session', `with ${exceptUid}`, artifact({ uid: `u ${exceptUid}` }));
        await artifacts.save('Session', `without ${exceptUid}`, artifact());
        await artifacts.endByAccount('Session', 'acc-anna', { ...now(), exceptUid });
        expect(isEnded(await artifacts.find('Session', `with ${exceptUid}`))).toBe(true);
        expect(isEnded(await artifacts.find('Session', `without ${exceptUid}`))).toBe(true);
      }
    });

    test('what saves it once more finds it used: nothing comes back', async () => {
      const { artifacts } = await workspace.open();
      await artifacts.save('Session', 'id', artifact());
      const end = now();
      await artifacts.endByAccount('Session', 'acc-anna', end);
      await artifacts.save('Session', 'id', artifact({ payload: { under: 'way' } }));
      expect((await artifacts.find('Session', 'id'))?.consumedAt).toBe(end.at);
      workspace.clock.advance(5);
      await artifacts.endByAccount('Session', 'acc-anna', now());
      expect(await artifacts.find('Session', 'id')).toMatchObject({ consumedAt: end.at, expiresAt: now().until });
      expect(isEnded(await artifacts.find('Session', 'id'))).toBe(true);
    });

    test('what was used before keeps when', async () => {
      const { artifacts } = await workspace.open();
      await artifacts.save('Session', 'id', artifact({ consumedAt: 7 }));
      await artifacts.endByAccount('Session', 'acc-anna', now());
      expect((await artifacts.find('Session', 'id'))?.consumedAt).toBe(7);
    });

    test('what had expired by then comes back as a mark at most', async () => {
      const { artifacts } = await workspace.open();
      await artifacts.save('Session', 'id', artifact({ expiresAt: inSeconds(1) }));
      workspace.clock.advance(1);
      await artifacts.endByAccount('Session', 'acc-anna', now());
      const found = await artifacts.find('Session', 'id');
      expect(found === undefined || isEnded(found)).toBe(true);
    });

    test('whose it is changes with whoever saves it last', async () => {
      const { artifacts } = await workspace.open();
      await artifacts.save('Session', 'taken over', artifact());
      await artifacts.save('Session', 'taken over', artifact({ accountId: 'acc-ben' }));
      await artifacts.insertOnly('Session', 'inserted', artifact());
      await artifacts.endByAccount('Session', 'acc-anna', now());
      expect(isEnded(await artifacts.find('Session', 'taken over'))).toBe(false);
      expect(isEnded(await artifacts.find('Session', 'inserted'))).toBe(true);
    });

    test('of uses and saves at the same moment through two stores nothing is left open', async () => {
      const [one, two] = [await workspace.open(), await workspace.open()];
      const ids = Array.from({ length: 50 }, (_, index) => `id-${index}`);
      await Promise.all(ids.map((id) => one.artifacts.save('Session', id, artifact())));
      await Promise.all([
        ...ids.map((id, index) => (index % 2 === 0 ? one : two).artifacts.save('Session', id, artifact())),
        two.artifacts.endByAccount('Session', 'acc-anna', now()),
        ...ids.map((id, index) => (index % 2 === 0 ? two : one).artifacts.save('Session', id, artifact())),
      ]);
      const found = await Promise.all(ids.map((id) => one.artifacts.find('Session', id)));
      expect(found.filter((each) => each?.consumedAt === undefined)).toEqual([]);
    });
  });
}
