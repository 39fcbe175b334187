import { describe, expect, test } from '@jest/globals';
import type { Artifact } from '../../src/storage/ports.ts';
import type { WithArtifacts } from './artifact-store.ts';
import type { Open } from './engines.ts';
import { useWorkspace, winners } from './workspace.ts';

/** Single use and expiry, what the protocol's replay protection rests on. Run it for both halves. */
export function artifactUseContract(half: string, open: Open<WithArtifacts>): void {
  describe(`use of artifacts (${half})`, () => {
    const workspace = useWorkspace(open);
    const inSeconds = (seconds: number): number => workspace.clock.seconds + seconds;
    const artifact = (more: Partial<Artifact> = {}): Artifact => ({
      payload: { jti: 'a' },
      expiresAt: inSeconds(60),
      ...more,
    });

    describe('once', () => {
      test('the first use wins and is remembered', async () => {
        const { artifacts } = await workspace.open();
        await artifacts.save('AuthorizationCode', 'id', artifact());
        expect(await artifacts.consumeOnce('AuthorizationCode', 'id', 11)).toBe(true);
        expect(await artifacts.consumeOnce('AuthorizationCode', 'id', 12)).toBe(false);
        expect((await artifacts.find('AuthorizationCode', 'id'))?.consumedAt).toBe(11);
      });

      test('what is not there is not used up', async () => {
        const { artifacts } = await workspace.open();
        expect(await artifacts.consumeOnce('AuthorizationCode', 'none', 1)).toBe(false);
        await artifacts.save('AuthorizationCode', 'gone', artifact());
        await artifacts.remove('AuthorizationCode', 'gone');
        expect(await artifacts.consumeOnce('AuthorizationCode', 'gone', 1)).toBe(false);
      });

      test('saving again does not make it usable again', async () => {
        const { artifacts } = await workspace.open();
        await artifacts.save('AuthorizationCode', 'id', artifact());
        await artifacts.consumeOnce('AuthorizationCode', 'id', 11);
        await artifacts.save('AuthorizationCode', 'id', artifact());
        await artifacts.save('AuthorizationCode', 'id', artifact({ consumedAt: 99 }));
        expect(await artifacts.consumeOnce('AuthorizationCode', 'id', 12)).toBe(false);
        expect((await artifacts.find('AuthorizationCode', 'id'))?.consumedAt).toBe(11);
      });

      test('of 50 parallel uses through one store exactly one wins', async () => {
        const { artifacts } = await workspace.open();
        await artifacts.save('AuthorizationCode', 'id', artifact());
        expect(await winners(50, (index) => artifacts.consumeOnce('AuthorizationCode', 'id', index + 1))).toBe(1);
      });

      test('of 50 parallel uses through two stores exactly one wins', async () => {
        const stores = [await workspace.open(), await workspace.open()] as const;
        await stores[0].artifacts.save('AuthorizationCode', 'id', artifact());
        const contend = (index: number) =>
          stores[index % 2 === 0 ? 0 : 1].artifacts.consumeOnce('AuthorizationCode', 'id', index + 1);
        expect(await winners(50, contend)).toBe(1);
      });

      test('insertOnly refuses an existing key and leaves what is there', async () => {
        const { artifacts } = await workspace.open();
        expect(await artifacts.insertOnly('ReplayDetection', 'jti', artifact({ payload: { first: true } }))).toBe(true);
        expect(await artifacts.insertOnly('ReplayDetection', 'jti', artifact({ grantId: 'g' }))).toBe(false);
        expect(await artifacts.find('ReplayDetection', 'jti')).toStrictEqual(artifact({ payload: { first: true } }));
      });

      test('of 50 parallel insertions through two stores exactly one wins', async () => {
        const stores = [await workspace.open(), await workspace.open()] as const;
        const contend = (by: number) =>
          stores[by % 2 === 0 ? 0 : 1].artifacts.insertOnly('ReplayDetection', 'jti', artifact({ payload: { by } }));
        expect(await winners(50, contend)).toBe(1);
      });
    });

    describe('expiring', () => {
      test('it is there until its second comes, then by no way', async () => {
        const { artifacts } = await workspace.open();
        const saved = artifact({ uid: 'u', userCode: 'c', grantId: 'g' });
        await artifacts.save('DeviceCode', 'id', saved);
        workspace.clock.advance(59);
        expect(await artifacts.find('DeviceCode', 'id')).toEqual(saved);
        workspace.clock.advance(1);
        expect(await artifacts.find('DeviceCode', 'id')).toBeUndefined();
        expect(await artifacts.findByUid('DeviceCode', 'u')).toBeUndefined();
        expect(await artifacts.findByUserCode('DeviceCode', 'c')).toBeUndefined();
        expect(await artifacts.consumeOnce('DeviceCode', 'id', 1)).toBe(false);
      });

      test('saving may lengthen or shorten it', async () => {
        const { artifacts } = await workspace.open();
        await artifacts.save('Session', 'id', artifact());
        await artifacts.save('Session', 'id', artifact({ expiresAt: inSeconds(120) }));
        workspace.clock.advance(60);
        expect(await artifacts.find('Session', 'id')).toBeDefined();
        await artifacts.save('Session', 'id', artifact({ expiresAt: inSeconds(0) }));
        expect(await artifacts.find('Session', 'id')).toBeUndefined();
      });

      test('an expired row stands in the way of nothing: of 50 who insert its key one wins', async () => {
        const { artifacts } = await workspace.open();
        await artifacts.insertOnly('ReplayDetection', 'jti', artifact({ consumedAt: 5, grantId: 'g' }));
        workspace.clock.advance(60);
        expect(await winners(50, () => artifacts.insertOnly('ReplayDetection', 'jti', artifact()))).toBe(1);
        expect(await artifacts.find('ReplayDetection', 'jti')).toStrictEqual(artifact());
      });

      test('an expired row hands on no use', async () => {
        const { artifacts } = await workspace.open();
        await artifacts.save('Session', 'id', artifact());
        await artifacts.consumeOnce('Session', 'id', 5);
        workspace.clock.advance(60);
        await artifacts.save('Session', 'id', artifact());
        expect(await artifacts.find('Session', 'id')).toStrictEqual(artifact());
      });

      test('it may be as far off as a number goes', async () => {
        const { artifacts } = await workspace.open();
        const saved = artifact({ expiresAt: Number.MAX_SAFE_INTEGER });
        await artifacts.save('Client', 'id', saved);
        expect(await artifacts.find('Client', 'id')).toEqual(saved);
      });
    });
  });
}
