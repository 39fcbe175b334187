import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { Identity } from '../../../src/federation/identity.ts';
import {
  createUpstreamSessions,
  type EndedUpstream,
  UPSTREAM_SESSION,
  type UpstreamSessions,
} from '../../../src/federation/sessions.ts';
import { systemRandom } from '../../../src/kernel/random.ts';
import { SecretBox } from '../../../src/kernel/secret-box.ts';
import { clock, secretBox } from './arrange.ts';
import { openStorage } from './storage.ts';

const LIFETIME = 1800;
const LOGOUT: Readonly<Record<string, { rpInitiated: boolean; backChannel: boolean }>> = {
  both: { rpInitiated: true, backChannel: true },
  other: { rpInitiated: true, backChannel: true },
  rp: { rpInitiated: true, backChannel: false },
  back: { rpInitiated: false, backChannel: true },
  neither: { rpInitiated: false, backChannel: false },
};

let storage: Awaited<ReturnType<typeof openStorage>>;
let sessions: UpstreamSessions;
let sub: string;
let sid: string;
let number = 0;
let interactions = 0;

const sessionsWith = (box: SecretBox) =>
  createUpstreamSessions({
    store: storage.artifacts,
    secretBox: box,
    clock,
    logoutOf: (provider) => LOGOUT[provider],
    signInLifetime: LIFETIME,
  });

beforeAll(async () => {
  storage = await openStorage();
});
afterAll(() => storage.close());
beforeEach(() => {
  sessions = sessionsWith(secretBox);
  number += 1;
  sub = `citizen-${number}-nobody-may-read`;
  sid = `session-${number}-nobody-may-read`;
});

const identity = (over: Partial<Identity> = {}): Identity => ({
  provider: 'both',
  issuer: 'https://eid.example',
  subject: sub,
  upstreamSubject: sub,
  confidential: false,
  claims: {},
  idToken: `an-id-token-nobody-may-read-${number}`,
  sid,
  ...over,
});
const here = (uid = `session-here-${number}`, accountId = 'alice') => ({
  uid,
  accountId,
  expiresAt: Math.floor(clock.now() / 1000) + 3600,
});
/** Signs in and ends up in a session. */
async function signIn(what = identity(), session = here()): Promise<string> {
  interactions += 1;
  const interaction = `interaction-${interactions}`;
  await sessions.remember(interaction, session.accountId, what);
  expect(await sessions.adopt(interaction, session)).toBe(true);
  return session.uid;
}
async function endedBy(provider: string, logout: { subject?: string; sid?: string }): Promise<readonly string[]> {
  const ended: EndedUpstream[] = [];
  for await (const one of sessions.endedBy(provider, logout)) ended.push(one);
  return ended.filter(({ kind }) => kind === 'session').map(({ uid }) => uid);
}

describe('a session', () => {
  test('rests on what was remembered of its sign-in, once', async () => {
    const uid = await signIn();
    expect(await sessions.take(uid)).toEqual([
      { provider: 'both', idToken: identity().idToken, subject: expect.any(String), sid: expect.any(String) },
    ]);
    expect(await sessions.take(uid)).toEqual([]);
    expect(await endedBy('both', { sid })).toEqual([]);
  });

  test('of a sign-in without a provider, or of one with it for another account, rests on nothing', async () => {
    expect(await sessions.adopt('no-such-interaction', here())).toBe(true);
    await sessions.remember('for-bruno', 'bruno', identity());
    expect(await sessions.adopt('for-bruno', here())).toBe(true);
    expect(await sessions.take(here().uid)).toEqual([]);
  });

  test('is that of the last account: whoever signed in before them is forgotten', async () => {
    await sessions.remember('changed', 'alice', identity());
    await sessions.remember('changed', 'bruno', identity({ provider: 'other' }));
    await sessions.adopt('changed', here('of-bruno', 'bruno'));
    expect((await sessions.take('of-bruno')).map(({ provider }) => provider)).toEqual(['other']);
    await sessions.remember('changed-more', 'alice', identity());
    await sessions.remember('changed-more', 'bruno', identity({ provider: 'neither' }));
    await sessions.adopt('changed-more', here('of-bruno', 'bruno'));
    expect(await sessions.take('of-bruno')).toEqual([]);
  });

  test('rests on two providers, and on the newest sign-in at each', async () => {
    await signIn();
    await signIn(identity({ provider: 'other' }));
    await signIn(identity({ sid: `${sid}-2`, idToken: 'newer' }));
    expect(await endedBy('both', { sid })).toEqual([]);
    const kept = await sessions.take(here().uid);
    expect(kept.map(({ provider, idToken }) => [provider, idToken])).toEqual([
      ['other', identity().idToken],
      ['both', 'newer'],
    ]);
  });

  test.each([
    ['rp', ['idToken']],
    ['back', ['subject', 'sid']],
  ])('keeps only what is of use: %s', async (provider, names) => {
    const [kept] = await sessions.take(await signIn(identity({ provider })));
    expect(Object.keys(kept ?? {})).toEqual(['provider', ...names]);
  });

  test.each(['neither', 'gone'])('keeps nothing of a provider that signs nobody out: %s', async (provider) => {
    expect(await sessions.take(await signIn(identity({ provider })))).toEqual([]);
  });

  test('is forgotten when it is over, and a sign-in when it took too long', async () => {
    const uid = await signIn();
    clock.advance(3601);
    expect(await endedBy('both', { subject: sub })).toEqual([]);
    expect(await sessions.take(uid)).toEqual([]);
    await sessions.remember('slow', 'alice', identity());
    clock.advance(LIFETIME + 1);
    expect(await sessions.adopt('slow', here())).toBe(true);
    expect(await sessions.take(here().uid)).toEqual([]);
  });

  test('is forgotten with everything of its account, except one', async () => {
    const [one, other] = [await signIn(identity(), here('one', 'eve')), await signIn(identity(), here('two', 'eve'))];
    const at = Math.floor(clock.now() / 1000);
    await storage.artifacts.endByAccount(UPSTREAM_SESSION, 'eve', { at, until: at + 600, exceptUid: other });
    expect(await sessions.take(one)).toEqual([]);
    expect(await sessions.take(other)).toHaveLength(1);
  });
});

describe('the end of a session at the provider', () => {
  test('named by its sid ends what rests on that one', async () => {
    const uid = await signIn();
    const other = await signIn(identity({ sid: `${sid}-2` }), here('another-browser'));
    expect(await endedBy('both', { sid })).toEqual([uid]);
    expect(await endedBy('both', { sid, subject: sub })).toEqual([]);
    expect(await endedBy('both', { sid: `${sid}-2`, subject: sub })).toEqual([other]);
  });

  test('of a person ends all that they have from there, and nothing from elsewhere', async () => {
    const uids = [await signIn(), await signIn(identity({ sid: `${sid}-2` }), here('another-browser'))];
    const elsewhere = await signIn(identity({ provider: 'other' }), here('elsewhere'));
    const anothers = await signIn(identity({ upstreamSubject: 'another' }), here('anothers', 'bruno'));
    expect((await endedBy('both', { subject: sub })).toSorted()).toEqual(uids.toSorted());
    expect(await sessions.take(elsewhere)).toHaveLength(1);
    expect(await sessions.take(anothers)).toHaveLength(1);
  });

  test('ends nothing when it names the session of one person and the sub of another', async () => {
    const uid = await signIn();
    await expect(endedBy('both', { sid, subject: 'another' })).rejects.toMatchObject({ reason: 'logout_token' });
    expect(await sessions.take(uid)).toHaveLength(1);
  });

  test('a sub is no sid', async () => {
    await signIn(identity({ upstreamSubject: sid, sid: sub }));
    expect(await endedBy('both', { sid })).toEqual([]);
    expect(await endedBy('both', { subject: sub })).toEqual([]);
  });

  test('what could not be ended is found once more', async () => {
    const uid = await signIn();
    const failing = async () => {
      for await (const _one of sessions.endedBy('both', { sid })) throw new Error('the store does not answer');
    };
    await expect(failing()).rejects.toThrow('does not answer');
    expect(await endedBy('both', { sid })).toEqual([uid]);
  });

  test('ends a sign-in that is under way, whenever it comes', async () => {
    await sessions.remember('before', 'alice', identity());
    const found: EndedUpstream[] = [];
    for await (const one of sessions.endedBy('both', { subject: sub })) found.push(one);
    expect(found).toEqual([{ kind: 'sign-in', uid: 'before', accountId: 'alice' }]);
    // The browser was on its way already.
    expect(await sessions.adopt('before', here())).toBe(false);
    expect(await sessions.take(here().uid)).toEqual([]);
  });

  test.each(Array.from({ length: 8 }, (_, turn) => turn))(
    'of sign-in and sign-out at the same moment one finds the other (%i)',
    async (turns) => {
      await sessions.remember(`racing-${turns}`, 'alice', identity());
      const adopting = sessions.adopt(`racing-${turns}`, here());
      for (let turn = 0; turn < turns; turn += 1) await Promise.resolve();
      const [lives, ended] = await Promise.all([adopting, endedBy('both', { sid })]);
      // Ended by the one, or not brought to life by the other.
      expect(lives ? ended : [here().uid]).toEqual([here().uid]);
      expect(await sessions.take(here().uid)).toEqual([]);
    },
  );

  test('is found under a master key of earlier, too', async () => {
    const oldKey = systemRandom.bytes(32).toString('base64');
    sessions = sessionsWith(new SecretBox([oldKey]));
    const uid = await signIn();
    sessions = sessionsWith(new SecretBox([systemRandom.bytes(32).toString('base64'), oldKey]));
    expect(await endedBy('both', { sid, subject: sub })).toEqual([uid]);
  });
});

test('nothing of it is written in clear', async () => {
  await signIn();
  const bytes = await storage.bytes();
  expect([bytes.includes('UpstreamName'), bytes.includes('nobody-may-read')]).toEqual([true, false]);
});
