import { describe, expect, test } from '@jest/globals';
import type { Artifact, ArtifactStore } from '../../src/storage/ports.ts';
import type { Open } from './engines.ts';
import { expectStringsOnly, expectWholeNumbersOnly, useWorkspace } from './workspace.ts';

export interface WithArtifacts {
  readonly artifacts: ArtifactStore;
  close(): Promise<void>;
}

/** What is kept, found and removed. Both halves keep artifacts: run it for each. */
export function artifactStoreContract(half: string, open: Open<WithArtifacts>): void {
  describe(`artifacts (${half})`, () => {
    const workspace = useWorkspace(open);
    const inSeconds = (seconds: number): number => workspace.clock.seconds + seconds;
    const artifact = (more: Partial<Artifact> = {}): Artifact => ({
      payload: { jti: 'a' },
      expiresAt: inSeconds(60),
      ...more,
    });

    describe('keeping', () => {
      test('everything comes back as it was, unknown members of the payload too', async () => {
        const { artifacts } = await workspace.open();
        const payload = {
          kind: 'AuthorizationCode',
          unknownToUs: { deep: [1, 2.5, null, true, { x: '…😀\u0000"\\' }] },
          empty: '',
          zero: 0,
          __proto__: undefined,
          constructor: 'own member',
        };
        const keys = { grantId: 'g', uid: 'u', userCode: 'WDJB-MJHT', accountId: 'acc-anna' };
        const saved = artifact({ payload, ...keys, consumedAt: inSeconds(-5) });
        await artifacts.save('AuthorizationCode', 'id', saved);
        expect(await artifacts.find('AuthorizationCode', 'id')).toEqual(saved);
      });

      test('a member called __proto__ is data, not a prototype', async () => {
        const { artifacts } = await workspace.open();
        const payload: Record<string, unknown> = JSON.parse('{"__proto__":{"admin":true}}');
        await artifacts.save('Session', 'id', artifact({ payload }));
        const found = await artifacts.find('Session', 'id');
        expect(Object.keys(found?.payload ?? {})).toEqual(['__proto__']);
        expect(found?.payload.admin).toBeUndefined();
      });

      test('absent members stay absent', async () => {
        const { artifacts } = await workspace.open();
        const saved = artifact();
        await artifacts.save('Session', 'id', saved);
        expect(await artifacts.find('Session', 'id')).toStrictEqual(saved);
      });

      test('a payload of 100 kB is kept', async () => {
        const { artifacts } = await workspace.open();
        const saved = artifact({ payload: { long: 'x'.repeat(100_000) } });
        await artifacts.save('Session', 'id', saved);
        expect(await artifacts.find('Session', 'id')).toEqual(saved);
      });

      test('save overwrites all but the use', async () => {
        const { artifacts } = await workspace.open();
        const keys = { grantId: 'g', uid: 'u', userCode: 'c', accountId: 'acc-anna' };
        await artifacts.save('RefreshToken', 'id', artifact(keys));
        await artifacts.consumeOnce('RefreshToken', 'id', inSeconds(1));
        await artifacts.save('RefreshToken', 'id', artifact({ payload: { jti: 'b' }, expiresAt: inSeconds(90) }));
        expect(await artifacts.find('RefreshToken', 'id')).toStrictEqual({
          payload: { jti: 'b' },
          expiresAt: inSeconds(90),
          consumedAt: inSeconds(1),
        });
        expect(await artifacts.findByUid('RefreshToken', 'u')).toBeUndefined();
        expect(await artifacts.findByUserCode('RefreshToken', 'c')).toBeUndefined();
      });

      test('artifacts survive a restart', async () => {
        const before = await workspace.open();
        const saved = artifact({ grantId: 'g', uid: 'u', accountId: 'acc-anna' });
        await before.artifacts.save('Session', 'id', saved);
        await before.artifacts.consumeOnce('Session', 'id', 7);
        await before.close();
        const { artifacts } = await workspace.open();
        expect(await artifacts.find('Session', 'id')).toEqual({ ...saved, consumedAt: 7 });
        expect(await artifacts.consumeOnce('Session', 'id', 8)).toBe(false);
      });

      test('another process sees a write at once', async () => {
        const [one, two] = [await workspace.open(), await workspace.open()];
        await one.artifacts.save('Session', 'id', artifact());
        expect(await two.artifacts.find('Session', 'id')).toEqual(artifact());
        await two.artifacts.remove('Session', 'id');
        expect(await one.artifacts.find('Session', 'id')).toBeUndefined();
      });
    });

    describe('telling apart', () => {
      test('an id of one kind finds, uses and removes nothing of another', async () => {
        const { artifacts } = await workspace.open();
        const code = artifact({ grantId: 'g', uid: 'u', userCode: 'c' });
        await artifacts.save('AuthorizationCode', 'same', code);
        for (const kind of ['RefreshToken', 'authorizationcode', 'AuthorizationCod', '', 'AuthorizationCode ']) {
          expect(await artifacts.find(kind, 'same')).toBeUndefined();
          expect(await artifacts.findByUid(kind, 'u')).toBeUndefined();
          expect(await artifacts.findByUserCode(kind, 'c')).toBeUndefined();
          expect(await artifacts.consumeOnce(kind, 'same', 1)).toBe(false);
          await artifacts.remove(kind, 'same');
          await artifacts.removeByGrant(kind, 'g');
        }
        expect(await artifacts.find('AuthorizationCode', 'same')).toStrictEqual(code);
      });

      test('one id may stand in two kinds', async () => {
        const { artifacts } = await workspace.open();
        await artifacts.save('AccessToken', 'same', artifact({ payload: { is: 'access' } }));
        expect(await artifacts.insertOnly('RefreshToken', 'same', artifact({ payload: { is: 'refresh' } }))).toBe(true);
        expect((await artifacts.find('AccessToken', 'same'))?.payload).toEqual({ is: 'access' });
        expect((await artifacts.find('RefreshToken', 'same'))?.payload).toEqual({ is: 'refresh' });
      });

      test('kind and id are not run together', async () => {
        const { artifacts } = await workspace.open();
        await artifacts.save('a:b', 'c', artifact());
        await artifacts.save('d', '', artifact());
        expect(await artifacts.find('a', 'b:c')).toBeUndefined();
        expect(await artifacts.find('', 'd')).toBeUndefined();
      });

      test('ids differ in every character', async () => {
        const { artifacts } = await workspace.open();
        await artifacts.save('Session', 'Id', artifact({ uid: 'Uid', userCode: 'Code' }));
        for (const id of ['id', 'ID', 'Id ', 'Id\0', 'I_', '%', "Id' --", '1']) {
          expect(await artifacts.find('Session', id)).toBeUndefined();
        }
        expect(await artifacts.findByUid('Session', 'uid')).toBeUndefined();
        expect(await artifacts.findByUserCode('Session', 'code')).toBeUndefined();
      });

      test('uid and user code lead to the id', async () => {
        const { artifacts } = await workspace.open();
        const saved = artifact({ uid: 'u', userCode: 'c' });
        await artifacts.save('DeviceCode', 'id', saved);
        await artifacts.save('DeviceCode', 'other', artifact({ uid: 'v', userCode: 'd' }));
        expect(await artifacts.findByUid('DeviceCode', 'u')).toEqual({ id: 'id', artifact: saved });
        expect(await artifacts.findByUserCode('DeviceCode', 'c')).toEqual({ id: 'id', artifact: saved });
        expect(await artifacts.findByUid('DeviceCode', 'c')).toBeUndefined();
        expect(await artifacts.findByUserCode('DeviceCode', 'u')).toBeUndefined();
      });
    });

    describe('removing', () => {
      test('remove takes one, and does not mind when there is none', async () => {
        const { artifacts } = await workspace.open();
        await artifacts.save('Session', 'a', artifact());
        await artifacts.save('Session', 'b', artifact());
        await artifacts.remove('Session', 'a');
        await artifacts.remove('Session', 'a');
        expect(await artifacts.find('Session', 'a')).toBeUndefined();
        expect(await artifacts.find('Session', 'b')).toBeDefined();
      });

      test('removeByGrant takes that kind of that grant, and nothing else', async () => {
        const { artifacts } = await workspace.open();
        for (const id of ['a', 'b', 'c']) await artifacts.save('AccessToken', id, artifact({ grantId: 'g' }));
        await artifacts.save('AccessToken', 'd', artifact({ grantId: 'h' }));
        await artifacts.save('AccessToken', 'e', artifact());
        await artifacts.save('RefreshToken', 'f', artifact({ grantId: 'g' }));
        await artifacts.removeByGrant('AccessToken', 'g');
        const left = await Promise.all(['a', 'b', 'c', 'd', 'e'].map((id) => artifacts.find('AccessToken', id)));
        expect(left.map((found) => found !== undefined)).toEqual([false, false, false, true, true]);
        expect(await artifacts.find('RefreshToken', 'f')).toBeDefined();
      });
    });

    test('only strings, objects and whole numbers get in', async () => {
      const { artifacts } = await workspace.open();
      const saved = artifact({ grantId: 'g', uid: 'u', userCode: 'c', accountId: 'acc-anna' });
      await artifacts.save('Session', 'id', saved);
      await expectStringsOnly(
        (value) => artifacts.find(value, 'id'),
        (value) => artifacts.find('Session', value),
        (value) => artifacts.findByUid(value, 'u'),
        (value) => artifacts.findByUid('Session', value),
        (value) => artifacts.findByUserCode(value, 'c'),
        (value) => artifacts.findByUserCode('Session', value),
        (value) => artifacts.consumeOnce(value, 'id', 1),
        (value) => artifacts.consumeOnce('Session', value, 1),
        (value) => artifacts.save(value, 'id', artifact()),
        (value) => artifacts.save('Session', value, artifact()),
        (value) => artifacts.insertOnly(value, 'id', artifact()),
        (value) => artifacts.insertOnly('Session', value, artifact()),
        (value) => artifacts.remove(value, 'id'),
        (value) => artifacts.remove('Session', value),
        (value) => artifacts.removeByGrant(value, 'g'),
        (value) => artifacts.removeByGrant('Session', value),
        (value) => artifacts.endByAccount(value, 'acc-anna', { at: 1, until: 2 }),
        (value) => artifacts.endByAccount('Session', value, { at: 1, until: 2 }),
      );
      for (const wrong of [null, 7, { $ne: '' }, ['u']] as unknown as string[]) {
        const end = { at: 1, until: 2, exceptUid: wrong };
        await expect(artifacts.endByAccount('Session', 'acc-anna', end)).rejects.toThrow(TypeError);
        for (const member of ['grantId', 'uid', 'userCode', 'accountId']) {
          await expect(artifacts.save('Session', 'new', artifact({ [member]: wrong }))).rejects.toThrow(TypeError);
        }
      }
      for (const payload of [undefined, null, 'text', 7, ['x']] as unknown as Artifact['payload'][]) {
        await expect(artifacts.save('Session', 'new', artifact({ payload }))).rejects.toThrow(TypeError);
      }
      await expectWholeNumbersOnly(
        (value) => artifacts.consumeOnce('Session', 'id', value),
        (value) => artifacts.save('Session', 'new', artifact({ expiresAt: value })),
        (value) => artifacts.endByAccount('Session', 'acc-anna', { at: value, until: 2 }),
        (value) => artifacts.endByAccount('Session', 'acc-anna', { at: 1, until: value }),
      );
      expect(await artifacts.find('Session', 'new')).toBeUndefined();
      expect(await artifacts.find('Session', 'id')).toEqual(saved);
    });
  });
}
