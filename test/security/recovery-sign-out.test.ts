import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type MailSink, nothingOwed, startMailSink } from '../support/mail-sink.ts';
import { Portal } from '../support/portal.ts';
import { codeOf, crowd, keyOn, MFA, nextCode, passPassword, withApp } from '../support/second-factor.ts';
import type { Person } from '../support/seed.ts';
import { startVestibule, type Vestibule } from '../support/vestibule.ts';
import { Visitor } from '../support/visitor.ts';
import { post as postForm, userinfo } from './support/http.ts';
import { passwordForm } from './support/lockout.ts';
import { isSignedIn, mutuelle, redemption, signIn, stranger, tokensFor } from './support/people.ts';
import {
  BETTER,
  CHOOSE,
  choose,
  linkFor,
  mailOf,
  NEW,
  NOT_ME,
  notMeLinkFor,
  open,
  type Post,
  UNLIMITED,
  withMailbox,
} from './support/recovery.ts';
import { coded, factorsOf, passworded } from './support/second-factor.ts';
import { accountOf, withDurable } from './support/storage.ts';

const { everybody, next } = crowd({ plain: {}, app: withApp }, 24);
const someone = (kind: 'plain' | 'app' = 'plain'): Person => withMailbox(next(kind));

let vestibule: Vestibule;
let sink: MailSink;
let post: Post;
let portal: Portal;

beforeAll(async () => {
  sink = await startMailSink();
  vestibule = await startVestibule({
    clients: [mutuelle, stranger],
    people: everybody.map(withMailbox),
    settings: {
      mail: sink.settings,
      limits: { ...UNLIMITED, lockout: { tries: 1000 } },
      trusted_devices: { enabled: true },
    },
  });
  post = { vestibule, sink };
  portal = await Portal.discover(vestibule, mutuelle);
});
afterAll(async () => {
  await vestibule?.stop();
  await sink?.close();
});

const reset = async (person: Person): Promise<void> => {
  const owner = await open(vestibule, await linkFor(post, person));
  expect((await choose(owner)).step).toBe('recovery-done');
};
const wasNotMe = async (person: Person): Promise<void> => {
  const owner = await open(vestibule, await notMeLinkFor(post, person));
  expect(owner.page.step).toBe('not-me');
  expect((await owner.submit()).step).toBe('recovery-sent');
};
/** What an owner does to be alone again; each needs that somebody signed in before. */
const WAYS = [
  ['a new password by mail', reset],
  ['"This wasn’t me"', wasNotMe],
] as const;

const refresh = (token: unknown) =>
  postForm(vestibule, '/token', { grant_type: 'refresh_token', refresh_token: String(token) }, mutuelle);

/** What a form on show would send, for a request that is sent later. */
const sendLater = (visitor: Visitor, field: string, value: string) => {
  const form = passwordForm(visitor, value, field);
  return () => visitor.request(...form);
};

/** Nobody got in: neither a code, nor a session. */
async function expectOutside(visitor: Visitor): Promise<void> {
  expect(visitor.page.location?.searchParams.get('code') ?? null).toBeNull();
  expect(visitor.page.status).toBeLessThan(500);
  expect(await isSignedIn(visitor, portal)).toBe(false);
}

describe.each(WAYS)('27 incomplete revocation, by %s', (_name, alone) => {
  test('sessions, refresh and access tokens and unused codes of everywhere are dead', async () => {
    const person = someone();
    const { visitor: thief, tokens } = await tokensFor(vestibule, mutuelle, person);
    const elsewhere = await tokensFor(vestibule, mutuelle, person);
    await thief.visit(await portal.authorizationUrl());
    const unused = redemption(portal, thief.left);
    await alone(person);
    for (const { access_token, refresh_token } of [tokens, elsewhere.tokens]) {
      expect((await userinfo(vestibule, access_token)).status).toBe(401);
      expect(await refresh(refresh_token)).toMatchObject({ status: 400, json: { error: 'invalid_grant' } });
      const told = await postForm(vestibule, '/token/introspection', { token: access_token }, mutuelle);
      expect(told.json).toEqual({ active: false });
    }
    expect((await postForm(vestibule, '/token', unused, mutuelle)).status).toBe(400);
    for (const visitor of [thief, elsewhere.visitor]) {
      expect(await isSignedIn(visitor, portal)).toBe(false);
      await visitor.visit('/account/password');
      expect(visitor.page.step).toBe('identify');
    }
  });

  test('nobody else is signed out', async () => {
    const [person, other] = [someone(), someone()];
    const theirs = await tokensFor(vestibule, mutuelle, other);
    await signIn(new Visitor(vestibule), portal, person);
    await alone(person);
    expect((await userinfo(vestibule, theirs.tokens.access_token)).status).toBe(200);
    expect((await refresh(theirs.tokens.refresh_token)).status).toBe(200);
    expect(await isSignedIn(theirs.visitor, portal)).toBe(true);
  });

  test('a sign-in whose password was proven, not yet back at the portal, comes to nothing', async () => {
    const person = someone();
    await signIn(new Visitor(vestibule), portal, person);
    const thief = new Visitor(vestibule);
    await thief.visit(await portal.authorizationUrl());
    await thief.submit({ username: person.username });
    const { location } = await thief.request(...passwordForm(thief, person.password));
    expect(location?.pathname).toMatch(/^\/auth\//);
    await alone(person);
    await thief.visit(location ?? '');
    await expectOutside(thief);
  });

  test('one that waits for the code of the app, too, whatever the code', async () => {
    const person = someone('app');
    await coded(vestibule, portal, person);
    const thief = await passworded(vestibule, portal, person);
    expect(thief.page.step).toBe('totp');
    await alone(person);
    await nextCode(vestibule);
    await thief.submit({ code: await codeOf(vestibule) });
    await expectOutside(thief);
    await thief.visit(await portal.authorizationUrl());
    expect(thief.page.step).toBe('identify');
  });

  test('one that waits at the setting up of an app: nothing is set up', async () => {
    const person = someone();
    await signIn(new Visitor(vestibule), portal, person);
    const thief = await passworded(vestibule, portal, person, { acr_values: MFA });
    expect(thief.page.step).toBe('enrol-totp');
    const key = keyOn(thief.page);
    await alone(person);
    await thief.submit({ code: await codeOf(vestibule, key) });
    await expectOutside(thief);
    expect(await factorsOf(vestibule, person)).toEqual({ seeds: [], codes: [], passkeys: [] });
  });

  test('a step-up begun with a session that has ended since is none: nothing is set up', async () => {
    const person = someone();
    const thief = new Visitor(vestibule);
    await signIn(thief, portal, person);
    await thief.visit(await portal.authorizationUrl({ acr_values: MFA }));
    expect(thief.page.step).toBe('enrol-totp');
    const key = keyOn(thief.page);
    await alone(person);
    await thief.submit({ code: await codeOf(vestibule, key) });
    await expectOutside(thief);
    expect(await factorsOf(vestibule, person)).toEqual({ seeds: [], codes: [], passkeys: [] });
  });

  test('nor does a page of consent left open allow anything', async () => {
    const person = someone();
    await signIn(new Visitor(vestibule), portal, person);
    const third = await Portal.discover(vestibule, stranger);
    const thief = new Visitor(vestibule);
    await thief.visit(await third.authorizationUrl());
    await passPassword(thief, person);
    expect(thief.page.step).toBe('consent');
    await alone(person);
    await thief.submit();
    await expectOutside(thief);
    const sub = await accountOf(vestibule, person);
    const consents = await withDurable(vestibule, ({ consents: store }) => store.find(sub, stranger.client_id));
    expect(consents).toBeUndefined();
  });

  test('forms of the account area that were left open change nothing', async () => {
    const person = someone();
    const thief = new Visitor(vestibule);
    await signIn(thief, portal, person);
    await thief.visit('/account/password');
    expect(thief.page.step).toBe('change-password');
    const old = sendLater(thief, 'current_password', person.password);
    await thief.visit('/account/two-factor/app');
    const key = keyOn(thief.page);
    await alone(person);
    expect((await old()).location?.pathname).toBe('/auth');
    if (key !== '') {
      await thief.submit({ code: await codeOf(vestibule, key) });
      expect(thief.page.step).toBe('identify');
    }
    expect(await factorsOf(vestibule, person)).toMatchObject({ seeds: [] });
  });
});

describe('27 incomplete revocation', () => {
  test('a new password keeps the second factor and asks for it', async () => {
    const person = someone('app');
    const before = await factorsOf(vestibule, person);
    await reset(person);
    expect(await factorsOf(vestibule, person)).toEqual(before);
    const visitor = await passworded(vestibule, portal, { ...person, password: BETTER });
    expect(visitor.page.step).toBe('totp');
    await visitor.submit({ code: await codeOf(vestibule) });
    expect(visitor.left.searchParams.has('code')).toBe(true);
    await nextCode(vestibule);
  });

  test('in the browser of the sign-in as well: on to the second factor, not past it', async () => {
    const person = someone('app');
    const owner = new Visitor(vestibule);
    await owner.visit(await portal.authorizationUrl());
    const uid = owner.page.url.pathname.split('/')[2];
    const link = await linkFor(post, person, `?interaction=${uid}`);
    await open(vestibule, link, owner);
    expect((await choose(owner)).step).toBe('totp');
    expect(await isSignedIn(owner, portal)).toBe(false);
  });

  test('a device that was trusted is asked for the second factor again', async () => {
    const person = someone('app');
    const device = await passworded(vestibule, portal, person);
    await device.submit({ code: await codeOf(vestibule) }, { extra: { trust: 'yes' } });
    expect(device.left.searchParams.has('code')).toBe(true);
    await nextCode(vestibule);
    await device.visit('/session/end');
    await device.submit();
    const again = await passworded(vestibule, portal, person, {}, device);
    expect(again.page.location?.searchParams.has('code')).toBe(true);
    await reset(person);
    const after = await passworded(vestibule, portal, { ...person, password: BETTER }, {}, device);
    expect(after.page.step).toBe('totp');
  });

  test('who was not me asks for a link that sets the owner free, and it is mailed to nobody else', async () => {
    const person = someone();
    await signIn(new Visitor(vestibule), portal, person);
    await wasNotMe(person);
    const mail = await sink.next(mailOf(person), CHOOSE);
    expect([mail.recipients, mail.text]).toEqual([[mailOf(person)], expect.stringContaining(NEW)]);
    expect(mail.text).not.toContain(NOT_ME);
  });

  test('a link asked for before the owner changed the password in the account area is no use any more', async () => {
    const person = someone();
    const link = await linkFor(post, person);
    const owner = new Visitor(vestibule);
    await signIn(owner, portal, person);
    await owner.visit('/account/password');
    await owner.submit({ current_password: person.password, new_password: BETTER, new_password_again: BETTER });
    expect(owner.page.url.search).toBe('?done=changed');
    expect((await open(vestibule, link)).page.step).toBe('error');
  });

  test('signing out the others leaves this browser and nobody else’s', async () => {
    const person = someone();
    const thief = await tokensFor(vestibule, mutuelle, person);
    const owner = new Visitor(vestibule);
    await signIn(owner, portal, person);
    await owner.visit('/account/password');
    await owner.submit(
      { current_password: person.password, new_password: BETTER, new_password_again: BETTER },
      { extra: { sign_out_others: 'yes' } },
    );
    expect(await isSignedIn(owner, portal)).toBe(true);
    expect(await isSignedIn(thief.visitor, portal)).toBe(false);
    expect((await refresh(thief.tokens.refresh_token)).status).toBe(400);
    expect((await userinfo(vestibule, thief.tokens.access_token)).status).toBe(401);
    await nothingOwed(vestibule);
    expect(sink.to(mailOf(person)).some(({ subject }) => subject.includes('password'))).toBe(true);
  });
});
