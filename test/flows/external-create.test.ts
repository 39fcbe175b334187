import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { EvilUpstream } from '../support/evil-upstream.ts';
import {
  appoint,
  arrive,
  type Citizen,
  CLIENT_ID,
  claimsAt,
  leaveFor,
  type Place,
  passBy,
  providerFile,
  SUBSTANTIAL,
} from '../support/external.ts';
import { clientFile, Portal } from '../support/portal.ts';
import { crowd, nextCode, passPassword, sentenceOf, withApp } from '../support/second-factor.ts';
import { startVestibule, type Vestibule } from '../support/vestibule.ts';
import { Visitor } from '../support/visitor.ts';
import { reachable } from './mails.ts';

const mutuelle = clientFile('mutuelle');
const people = crowd({ plain: {}, app: withApp, unverified: {} }, 10);

let evil: EvilUpstream;
let vestibule: Vestibule;
let place: Place;
let visitor: Visitor;
let citizens = 0;

beforeAll(async () => {
  evil = await EvilUpstream.start(CLIENT_ID, () => vestibule?.now() ?? Date.now());
  const link = (link: object) => providerFile(evil, { link });
  vestibule = await startVestibule({
    clients: [mutuelle],
    providers: {
      evil: link({}),
      making: link({ create_accounts: true }),
      trusting: link({ automatic_by_email: true }),
    },
    people: reachable(people.everybody).map((person) =>
      person.username.startsWith('unverified') ? { ...person, emailVerified: false } : person,
    ),
  });
  place = { vestibule, evil, portal: await Portal.discover(vestibule, mutuelle) };
});
afterAll(async () => {
  await vestibule?.stop();
  await evil?.stop();
});
beforeEach(async () => {
  evil.reset();
  visitor = new Visitor(vestibule);
  await nextCode(vestibule);
});

function newcomer(): string {
  citizens += 1;
  return `citizen-${citizens}`;
}

async function comeBy(provider: string, citizen: Citizen, parameters = {}): Promise<Visitor> {
  const at = await arrive(place, parameters);
  appoint(evil, citizen);
  await passBy(at, evil, { provider });
  return at;
}

describe('somebody whom nobody knows here, at a provider whose people may make an account', () => {
  test('makes one with what the provider has confirmed, and is signed in; from then on without a page', async () => {
    const sub = newcomer();
    const email = `${sub}@new.example`;
    const citizen = { sub, acr: 'substantial', claims: { email, email_verified: true, family_name: 'Lovelace' } };
    visitor = await comeBy('making', citizen, { scope: 'openid profile email' });
    expect(visitor.page.step).toBe('external');
    await visitor.choose('create');
    const tokens = await place.portal.exchange(visitor.left);
    expect(tokens.claims()).toMatchObject({ acr: SUBSTANTIAL });
    expect(tokens.claims()?.amr ?? []).toEqual([]);
    expect(await place.portal.userinfo(tokens.access_token)).toMatchObject({
      email,
      email_verified: true,
      given_name: 'Ada',
    });
    const again = await claimsAt(place, await comeBy('making', citizen));
    expect(again?.sub).toBe(tokens.claims()?.sub);
  });

  test.each([false, 'false', undefined])(
    'an address that it has not confirmed (%s) becomes nobody’s',
    async (verified) => {
      const sub = newcomer();
      const email = `${sub}@new.example`;
      visitor = await comeBy(
        'making',
        { sub, claims: { email, email_verified: verified } },
        { scope: 'openid profile email' },
      );
      await visitor.choose('create');
      const tokens = await place.portal.exchange(visitor.left);
      expect(JSON.stringify(await place.portal.userinfo(tokens.access_token))).not.toContain(email);
    },
  );

  test('whose address is somebody’s already links that account instead, by proving it', async () => {
    const person = people.next('plain');
    const email = `${person.username}@mail.example`;
    visitor = await comeBy('making', { sub: newcomer(), claims: { email, email_verified: true } });
    await visitor.choose('create');
    expect(visitor.page.step).toBe('external');
    expect(visitor.page.error).toMatch(sentenceOf('external_exists'));
    await visitor.submit();
    await passPassword(visitor, person);
    expect((await claimsAt(place, visitor))?.amr).toEqual(['pwd']);
  });

  test('who presses twice, in two windows, has one account', async () => {
    const sub = newcomer();
    const citizen = { sub, claims: { email: `${sub}@new.example`, email_verified: true } };
    const pair = [await comeBy('making', citizen), await comeBy('making', citizen)];
    await Promise.all(pair.map((one) => one.choose('create')));
    const done = pair.filter(({ page }) => page.location);
    expect(done.length).toBeGreaterThanOrEqual(1);
    const subjects = await Promise.all(done.map(async (one) => (await claimsAt(place, one))?.sub));
    subjects.push((await claimsAt(place, await comeBy('making', citizen)))?.sub);
    expect(new Set(subjects).size).toBe(1);
  });

  test('without the operator’s word, makes none whatever the form says', async () => {
    visitor = await comeBy('evil', { sub: newcomer() });
    await visitor.submit({}, { extra: { alternative: 'create' } });
    expect(visitor.page.location).toBeUndefined();
    expect(visitor.page.step).toBe('identify');
  });
});

test('whoever is signed in is made no other account: they may link it to theirs, or do without', async () => {
  const person = people.next('plain');
  await arrive(place, {}, visitor);
  await passPassword(visitor, person);
  const first = await claimsAt(place, visitor);
  await arrive(place, { prompt: 'login' }, visitor);
  appoint(evil, { sub: newcomer() });
  await passBy(visitor, evil, { provider: 'making' });
  expect(visitor.page.step).toBe('external');
  expect([...visitor.page.alternatives.keys()]).not.toContain('create');
  await visitor.submit({}, { extra: { alternative: 'create' } });
  expect(visitor.page.location).toBeUndefined();
  await arrive(place, { prompt: 'none' }, visitor);
  expect((await claimsAt(place, visitor))?.sub).toBe(first?.sub);
});

describe('somebody who has nothing but a provider', () => {
  test('is asked to go there again where a portal wants a fresh sign-in, and nobody else will do', async () => {
    const sub = newcomer();
    visitor = await comeBy('making', { sub });
    await visitor.choose('create');
    const first = await claimsAt(place, visitor);
    await vestibule.advanceClock(100);
    await arrive(place, { prompt: 'login' }, visitor);
    expect(visitor.page.step).toBe('external');
    // An identity that nobody has linked is no proof, and no page is shown for ever.
    appoint(evil, { sub: newcomer() });
    await leaveFor(visitor, 'making');
    await visitor.visit(`/external/making/callback?${evil.approve(visitor.left.href)}`);
    expect(visitor.page.error).toMatch(sentenceOf('external_other_person'));
    expect([...visitor.page.alternatives.keys()]).toContain('external:making');
    appoint(evil, { sub });
    await passBy(visitor, evil, { provider: 'making' });
    expect((await claimsAt(place, visitor))?.sub).toBe(first?.sub);
  });
});

describe('where the operator takes the provider’s word for an address', () => {
  const isLinkedAtOnce = async (kind: 'plain' | 'app' | 'unverified', verified: unknown): Promise<boolean> => {
    const { username } = people.next(kind);
    const claims = { email: `${username}@mail.example`, email_verified: verified };
    visitor = await comeBy('trusting', { sub: newcomer(), acr: 'high', claims });
    return visitor.page.step !== 'external';
  };

  test('both sides have confirmed it: that account', async () => {
    expect(await isLinkedAtOnce('plain', true)).toBe(true);
    expect((await claimsAt(place, visitor))?.acr).toContain('high');
  });

  test.each([
    ['the provider has not', 'plain', false],
    ['the provider says nothing of it', 'plain', undefined],
    ['this server has not', 'unverified', true],
    ['the account has a second factor', 'app', true],
  ] as const)('%s: asked, as ever', async (_what, kind, verified) => {
    expect(await isLinkedAtOnce(kind, verified)).toBe(false);
  });
});
