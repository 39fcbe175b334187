import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { createUpstreamSignOuts, type UpstreamSignOuts } from '../../../src/federation/end-session.ts';
import { UpstreamError } from '../../../src/federation/errors.ts';
import { takeOnce, type UpstreamLogout } from '../../../src/federation/logout-token.ts';
import { createLogger } from '../../../src/kernel/logger.ts';
import { systemRandom } from '../../../src/kernel/random.ts';
import { clock, secretBox } from './arrange.ts';
import { openStorage } from './storage.ts';

const NEXT = 'https://portal.example/?state=the-portals-own';

let storage: Awaited<ReturnType<typeof openStorage>>;
let signOuts: UpstreamSignOuts;
/** What a provider answers. */
let answers: Record<string, () => Promise<string | undefined>>;
let asked: (readonly [provider: string, hint: string])[];

beforeAll(async () => {
  storage = await openStorage();
  signOuts = createUpstreamSignOuts({
    federation: {
      endSession: async (provider, hint, state) => {
        asked.push([provider, hint]);
        const address = await answers[provider]?.();
        return address && `${address}?state=${state}`;
      },
    },
    store: storage.artifacts,
    secretBox,
    clock,
    random: systemRandom,
    logger: createLogger('silent'),
  });
});
afterAll(() => storage.close());
beforeEach(() => {
  asked = [];
  answers = { eid: async () => 'https://eid.example/end', other: async () => 'https://other.example/end' };
});

const at = (provider: string) => ({ provider, idToken: `hint-for-${provider}` });

describe('signing out at providers', () => {
  test('leads there with the hint, and back to where it was to lead', async () => {
    const { address, state = '' } = await signOuts.begin([at('eid')], NEXT);
    expect(address).toBe(`https://eid.example/end?state=${state}`);
    expect(state).toMatch(/^[0-9a-f]{64}$/);
    expect(asked).toEqual([['eid', 'hint-for-eid']]);
    expect(await signOuts.returned('eid', state)).toEqual({ address: NEXT });
    expect(await signOuts.returned('eid', state)).toBeUndefined();
  });

  test('leads from one to the next, past those that have no such place', async () => {
    const signIns = [at('nowhere'), at('eid'), { provider: 'eid' }, at('nowhere'), at('other')];
    const { state = '' } = await signOuts.begin(signIns, NEXT);
    const next = await signOuts.returned('eid', state);
    expect(next?.address).toBe(`https://other.example/end?state=${next?.state}`);
    expect(await signOuts.returned('other', next?.state ?? '')).toEqual({ address: NEXT });
  });

  test('leads on at once where there is none, or none that answers', async () => {
    expect(await signOuts.begin([], NEXT)).toEqual({ address: NEXT });
    answers.eid = () => Promise.reject(new UpstreamError('unreachable', 'the upstream does not answer'));
    answers.other = () => Promise.reject(Object.assign(new Error('terminated'), { name: 'AbortError' }));
    expect(await signOuts.begin([at('nowhere'), at('eid'), at('other')], NEXT)).toEqual({ address: NEXT });
  });

  test('does not wait for one that is slow', async () => {
    answers.eid = () => new Promise(() => {});
    expect((await signOuts.begin([at('eid'), at('other')], NEXT)).address).toMatch(/^https:\/\/other\.example\//);
  });

  test('a state is good at the provider it was made for, for ten minutes', async () => {
    const { state = '' } = await signOuts.begin([at('eid')], NEXT);
    expect(await signOuts.returned('other', state)).toBeUndefined();
    expect(await signOuts.returned('eid', 'made-up')).toBeUndefined();
    clock.advance(601);
    expect(await signOuts.returned('eid', state)).toBeUndefined();
  });

  test('of any number that come back with it, one is led on', async () => {
    const { state = '' } = await signOuts.begin([at('eid')], NEXT);
    const back = await Promise.all(Array.from({ length: 5 }, () => signOuts.returned('eid', state)));
    expect(back.filter(Boolean)).toEqual([{ address: NEXT }]);
  });

  test('nothing of it is written in clear', async () => {
    const { state = '' } = await signOuts.begin([at('eid'), at('other')], NEXT);
    const bytes = await storage.bytes();
    expect(bytes.includes('UpstreamSignOut')).toBe(true);
    expect([state, 'hint-for-other', 'the-portals-own'].filter((secret) => bytes.includes(secret))).toEqual([]);
  });
});

describe('a logout token', () => {
  const logout = (jti: string): UpstreamLogout => ({
    jti,
    subject: 'person-1',
    rememberUntil: Math.floor(clock.now() / 1000) + 600,
  });
  const nothing = async () => {};

  test('does what it says once, at each provider', async () => {
    let times = 0;
    const count = async () => {
      times += 1;
    };
    await takeOnce('eid', logout('one'), storage.artifacts, count);
    await expect(takeOnce('eid', logout('one'), storage.artifacts, count)).rejects.toMatchObject({
      reason: 'logout_token',
    });
    expect(times).toBe(1);
    await takeOnce('other', logout('one'), storage.artifacts, count);
    expect(times).toBe(2);
  });

  test('of which nothing came can be delivered again', async () => {
    const failing = () => Promise.reject(new Error('the store does not answer'));
    await expect(takeOnce('eid', logout('two'), storage.artifacts, failing)).rejects.toThrow('does not answer');
    await takeOnce('eid', logout('two'), storage.artifacts, nothing);
  });

  test('of any number at the same moment, one is taken', async () => {
    const all = Array.from({ length: 5 }, () => takeOnce('eid', logout('three'), storage.artifacts, nothing));
    const taken = (await Promise.allSettled(all)).filter(({ status }) => status === 'fulfilled');
    expect(taken).toHaveLength(1);
  });
});
