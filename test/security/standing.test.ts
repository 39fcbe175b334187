import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { linkIn, type MailSink, nothingOwed, startMailSink } from '../support/mail-sink.ts';
import type { PasskeyBrowser } from '../support/passkeys.ts';
import { Portal } from '../support/portal.ts';
import { crowd } from '../support/second-factor.ts';
import type { Person } from '../support/seed.ts';
import { startVestibule, type Vestibule } from '../support/vestibule.ts';
import { Visitor } from '../support/visitor.ts';
import { post as postForm, userinfo } from './support/http.ts';
import { endingOf, TOO_LONG, TRIES } from './support/lockout.ts';
import { asked, enrolled } from './support/passkeys.ts';
import { isSignedIn, mutuelle } from './support/people.ts';
import {
  ask,
  BETTER,
  choose,
  linkFor,
  mailOf,
  NEW,
  open,
  type Post,
  UNLIMITED,
  withMailbox,
} from './support/recovery.ts';
import { changeAccount } from './support/storage.ts';

/** The ways in, and what was handed out before. */
const USES = [
  'userinfo',
  'introspection',
  'session',
  'account area',
  'refresh',
  'password',
  'passkey',
  'mail asked for now',
  'link mailed before',
] as const;
type Use = (typeof USES)[number];

const everything = Object.fromEntries(USES.map((use) => [use, true])) as Readonly<Record<Use, boolean>>;
const nothing = Object.fromEntries(USES.map((use) => [use, false])) as typeof everything;
const noMail = { 'mail asked for now': false, 'link mailed before': false };

/** The same table as in `src/accounts/standing.ts`, as the outside meets it. */
const TABLE: readonly (readonly [standing: string, allowed: typeof everything])[] = [
  ['active', everything],
  ['unverified', { ...everything, ...noMail }],
  ['locked', { ...everything, password: false }],
  ['locked and unverified', { ...everything, ...noMail, password: false }],
  ['suspended', nothing],
  ['suspended and locked', nothing],
  ['deleted', nothing],
];

const { everybody, next } = crowd({ person: {} }, 20);
const someone = (): Person => withMailbox(next('person'));

let vestibule: Vestibule;
let sink: MailSink;
let post: Post;
let portal: Portal;

beforeAll(async () => {
  sink = await startMailSink();
  vestibule = await startVestibule({
    clients: [mutuelle],
    people: everybody.map(withMailbox),
    settings: { mail: sink.settings, limits: UNLIMITED },
  });
  post = { vestibule, sink };
  portal = await Portal.discover(vestibule, mutuelle);
});
afterAll(async () => {
  await vestibule?.stop();
  await sink?.close();
});

/** In front of the password, past the page of the passkey. */
async function atPassword(username: string): Promise<Visitor> {
  const { visitor } = await asked({ vestibule, portal }, username);
  if (visitor.page.step === 'passkey') await visitor.choose('password');
  return visitor;
}

async function become(standing: string, { username }: Person): Promise<void> {
  if (standing.includes('locked')) {
    const stranger = await atPassword(username);
    for (let n = 0; n < TRIES; n++) await stranger.submit({ password: TOO_LONG });
    expect(stranger.page.step).toBe('locked');
  }
  if (standing.includes('unverified')) await changeAccount(vestibule, username, { emailVerified: false });
  if (standing.includes('suspended')) await changeAccount(vestibule, username, { state: 'suspended' });
  if (standing === 'deleted') await changeAccount(vestibule, username, { state: 'deleted' });
}

/** Everything somebody holds from when all was well. */
async function belongingsOf(person: Person) {
  const browser: PasskeyBrowser = await enrolled({ vestibule, portal }, person.username);
  const tokens = await portal.exchange(browser.visitor.left);
  return { ...browser, visitor: browser.visitor, device: browser.device, tokens, link: await linkFor(post, person) };
}

const isIn = ({ page }: Visitor): boolean => page.location?.searchParams.has('code') === true;

/** How each use ends. */
function uses(person: Person, { visitor, device, tokens, link }: Awaited<ReturnType<typeof belongingsOf>>) {
  const tries: Readonly<Record<Use, () => Promise<boolean>>> = {
    userinfo: async () => (await userinfo(vestibule, tokens.access_token)).status === 200,
    introspection: async () =>
      (await postForm(vestibule, '/token/introspection', { token: tokens.access_token }, mutuelle)).json.active ===
      true,
    session: () => isSignedIn(visitor, portal),
    'account area': async () => (await visitor.visit('/account/passkeys')).step === 'account-passkeys',
    refresh: async () => {
      const form = { grant_type: 'refresh_token', refresh_token: String(tokens.refresh_token) };
      return (await postForm(vestibule, '/token', form, mutuelle)).status === 200;
    },
    password: async () => {
      const stranger = await atPassword(person.username);
      if (stranger.page.step === 'password') await stranger.submit({ password: person.password });
      expect(['in', 'wrong', 'locked']).toContain(endingOf(stranger.page));
      return isIn(stranger);
    },
    passkey: async () => {
      const browser = await asked({ vestibule, portal }, undefined, device);
      await browser.use();
      return isIn(browser.visitor);
    },
    'mail asked for now': async () => {
      const links = () => sink.to(mailOf(person)).filter(({ text }) => text.includes(NEW)).length;
      const before = links();
      expect((await ask(vestibule, person.username)).page.step).toBe('recovery-sent');
      await nothingOwed(vestibule);
      return links() > before;
    },
    'link mailed before': async () => {
      // Where another was mailed now, that one is the link.
      const newest = sink.to(mailOf(person)).findLast(({ text }) => text.includes(NEW));
      const owner = await open(vestibule, newest ? linkIn(newest, NEW) : link);
      if (owner.page.step === 'error') return false;
      return (await choose(owner, BETTER)).step === 'recovery-done';
    },
  };
  return tries;
}

describe('6 lockout ignored elsewhere', () => {
  test.each(TABLE)('%s: every way in and every token follow the one policy', async (standing, allowed) => {
    const person = someone();
    const belongings = await belongingsOf(person);
    await become(standing, person);
    const tries = uses(person, belongings);
    const seen: Partial<Record<Use, boolean>> = {};
    for (const use of USES) seen[use] = await tries[use]();
    expect(seen).toEqual(allowed);
  });

  test('a sign-in begun before follows it too: at the password, at the passkey, at the mailed link', async () => {
    for (const state of ['suspended', 'deleted'] as const) {
      const person = someone();
      const { device, link } = await belongingsOf(person);
      const typing = await atPassword(person.username);
      const touching = await asked({ vestibule, portal }, person.username, device);
      const choosing = await open(vestibule, link);
      await become(state, person);
      await typing.submit({ password: person.password });
      expect([isIn(typing), typing.page.status]).toEqual([false, 400]);
      expect((await touching.use()).status).toBe(400);
      await choose(choosing);
      expect([choosing.page.status, choosing.page.step]).toEqual([400, 'error']);
    }
  });

  test('a lock is no way round the second proof that account settings ask for', async () => {
    const person = someone();
    await become('locked', person);
    const visitor = new Visitor(vestibule);
    await visitor.visit('/account/password');
    await visitor.submit({ username: person.username });
    expect(visitor.page.step).toBe('locked');
    await visitor.visit('/account/password');
    expect(visitor.page.step).not.toBe('change-password');
  });
});
