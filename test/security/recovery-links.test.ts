import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type MailSink, nothingOwed, startMailSink } from '../support/mail-sink.ts';
import { Portal } from '../support/portal.ts';
import { crowd } from '../support/second-factor.ts';
import type { Person } from '../support/seed.ts';
import { startVestibule, type Vestibule } from '../support/vestibule.ts';
import { Visitor } from '../support/visitor.ts';
import { expectErrorPage } from './support/answers.ts';
import { send } from './support/http.ts';
import { isSignedIn, mutuelle, signIn } from './support/people.ts';
import {
  ask,
  BETTER,
  choose,
  holding,
  LINK_COOKIE,
  linkFor,
  NEW,
  NOT_ME,
  notMeLinkFor,
  open,
  type Post,
  RESUME_COOKIE,
  sendNew,
  tokenIn,
  UNLIMITED,
  withMailbox,
} from './support/recovery.ts';
import { changeAccount } from './support/storage.ts';

/** Seconds for which a link to a new password works, and after which it isn't known any more. */
const [LIFETIME, FORGOTTEN] = [1800, 1800 + 86_400];
const DAY = 86_400;

const { everybody, next } = crowd({ person: {} }, 30);
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

/** Whether somebody gets in with a password. */
async function getsIn(person: Person, password: string): Promise<boolean> {
  const visitor = new Visitor(vestibule);
  await visitor.visit(await portal.authorizationUrl());
  await visitor.submit({ username: person.username });
  await visitor.submit({ password });
  return visitor.page.location?.searchParams.has('code') === true;
}

/** @param says what the page tells, in English */
async function expectDead(visitor: Visitor, says: RegExp): Promise<void> {
  await expectErrorPage(vestibule, visitor.page, 400);
  expect(visitor.page.text).toMatch(says);
  const again = visitor.page.links.find(({ url }) => url.pathname === '/recovery/password');
  expect(again).toBeDefined();
}

const INVALID = /This link does not work/;
const USED = /used already/;
const EXPIRED = /has run out/;
const SUPERSEDED = /There is a newer link/;

describe('19 reset without proof', () => {
  test('a link sets a new password, once, and the old one is no use', async () => {
    const person = someone();
    const link = await linkFor(post, person);
    expect(tokenIn(link)).toMatch(/^[\w-]{43}$/);
    const visitor = await open(vestibule, link);
    expect([visitor.page.step, visitor.page.status]).toEqual(['change-password', 200]);
    expect((await choose(visitor)).step).toBe('recovery-done');
    expect([await getsIn(person, person.password), await getsIn(person, BETTER)]).toEqual([false, true]);
    expect(await isSignedIn(visitor, portal)).toBe(false);

    const again = await open(vestibule, link);
    await expectDead(again, USED);
  });

  test.each(['', 'x', 'a'.repeat(42), 'a'.repeat(43), 'a'.repeat(44), 'a'.repeat(5000), '../../etc/passwd', '%00'])(
    'a made-up token (%#) opens nothing, by either address',
    async (token) => {
      for (const path of [NEW, NOT_ME]) {
        const visitor = new Visitor(vestibule);
        await visitor.visit(`${path}?token=${token}`);
        await expectDead(visitor, INVALID);
      }
    },
  );

  test.each([
    ['a semicolon', 'a%3B%20Path%3D/%3B%20Domain%3Devil.example'],
    ['line breaks', 'a%0D%0ASet-Cookie%3A%20x%3Dy'],
    ['letters beyond Latin-1', '%F0%9F%94%91%D7%90'],
    ['broken UTF-8', '%FF%FE'],
    ['a control character', 'a%01b'],
  ])('%s in a token is a dead link like any other, and no cookie of the sender’s', async (_what, token) => {
    for (const path of [NEW, NOT_ME]) {
      const visitor = new Visitor(vestibule);
      await visitor.visit(`${path}?token=${token}`);
      await expectDead(visitor, INVALID);
      expect(visitor.cookies.all.filter(({ name }) => name !== LINK_COOKIE)).toEqual([]);
    }
  });

  test('two tokens in one address are none; a truncated one neither', async () => {
    const person = someone();
    const link = await linkFor(post, person);
    for (const query of [
      `token=${tokenIn(link)}&token=${tokenIn(link)}`,
      `token[]=${tokenIn(link)}`,
      `token=${tokenIn(link).slice(0, -1)}`,
      `token=${tokenIn(link)}.`,
      `token=${tokenIn(link).toLowerCase()}`,
    ]) {
      const visitor = new Visitor(vestibule);
      await visitor.visit(`${NEW}?${query}`);
      await expectDead(visitor, INVALID);
    }
    expect((await open(vestibule, link)).page.step).toBe('change-password');
  });

  test('no form is taken without the cookie of the link, nor with the token in a field', async () => {
    const person = someone();
    const link = await linkFor(post, person);
    const owner = await open(vestibule, link);
    const stranger = new Visitor(vestibule);
    await stranger.visit('/recovery');
    const form = { new_password: BETTER, new_password_again: BETTER };
    for (const fields of [form, { ...form, token: tokenIn(link) }])
      expect((await stranger.post(NEW, fields)).status).toBe(400);
    expect((await stranger.post(`${NEW}?token=${tokenIn(link)}`, form)).status).toBe(400);
    expect(await getsIn(person, person.password)).toBe(true);
    expect((await choose(owner)).step).toBe('recovery-done');
  });

  test('a newer link takes the place of the one before, at the page and at the form', async () => {
    const person = someone();
    const first = await linkFor(post, person);
    const waiting = await open(vestibule, first);
    const second = await linkFor(post, person);
    await expectDead(await open(vestibule, first), SUPERSEDED);
    await choose(waiting);
    await expectDead(waiting, SUPERSEDED);
    expect(await getsIn(person, person.password)).toBe(true);
    expect((await choose(await open(vestibule, second))).step).toBe('recovery-done');
  });

  test('another person’s request takes nobody’s link away', async () => {
    const [one, other] = [someone(), someone()];
    const link = await linkFor(post, one);
    await linkFor(post, other);
    expect((await choose(await open(vestibule, link))).step).toBe('recovery-done');
    expect(await getsIn(other, other.password)).toBe(true);
  });

  test('it works for half an hour, told as expired for a day, and is unknown then', async () => {
    const person = someone();
    const link = await linkFor(post, person);
    const waiting = await open(vestibule, link);
    await vestibule.advanceClock(LIFETIME - 60);
    expect((await open(vestibule, link)).page.step).toBe('change-password');
    await vestibule.advanceClock(61);
    await expectDead(await open(vestibule, link), EXPIRED);
    await choose(waiting);
    await expectDead(waiting, EXPIRED);
    await vestibule.advanceClock(FORGOTTEN);
    await expectDead(await open(vestibule, link), INVALID);
    expect(await getsIn(person, person.password)).toBe(true);
  });

  test('of twenty simultaneous forms with one link, one is taken', async () => {
    const person = someone();
    const link = await linkFor(post, person);
    const browsers = await Promise.all(Array.from({ length: 20 }, () => open(vestibule, link)));
    const answers = await Promise.all(browsers.map((each, n) => sendNew(each, `${BETTER} number ${n}`)));
    const taken = answers.flatMap(({ status }, n) => (status === 303 ? [n] : []));
    expect(taken).toHaveLength(1);
    for (const page of answers.filter(({ status }) => status !== 303)) await expectErrorPage(vestibule, page, 400);
    expect(await getsIn(person, `${BETTER} number ${taken[0]}`)).toBe(true);
    const loser = (taken[0] ?? 0) === 0 ? 1 : 0;
    expect(await getsIn(person, `${BETTER} number ${loser}`)).toBe(false);
  });

  test('a password that is refused uses nothing up', async () => {
    const person = someone();
    const visitor = await open(vestibule, await linkFor(post, person));
    for (const bad of ['short', 'passwordpassword', `${person.username}@example.org`]) {
      await choose(visitor, bad);
      expect([bad, visitor.page.status, visitor.page.step]).toEqual([bad, 400, 'change-password']);
    }
    await visitor.submit({ new_password: BETTER, new_password_again: `${BETTER}!` });
    expect(visitor.page.status).toBe(400);
    expect((await choose(visitor)).step).toBe('recovery-done');
  });

  test('suspended since the mail was sent, or the page opened: the link opens nothing', async () => {
    const person = someone();
    const link = await linkFor(post, person);
    const waiting = await open(vestibule, link);
    await changeAccount(vestibule, person.username, { state: 'suspended' });
    await expectDead(await open(vestibule, link), INVALID);
    await choose(waiting);
    await expectDead(waiting, INVALID);
    // And none is mailed.
    const before = sink.mails.length;
    await ask(vestibule, person.username);
    await nothingOwed(vestibule);
    expect(sink.mails.length).toBe(before);
    await changeAccount(vestibule, person.username, { state: 'active' });
    expect(await getsIn(person, person.password)).toBe(true);
  });

  test('GET and HEAD of a link, however often, as scanners of mails do, change nothing', async () => {
    const person = someone();
    const signedIn = new Visitor(vestibule);
    await signIn(signedIn, portal, person);
    const notMe = await notMeLinkFor(post, person);
    const link = await linkFor(post, person);
    for (const each of [link, notMe]) {
      for (const method of ['GET', 'HEAD', 'HEAD', 'GET']) {
        const scanner = new Visitor(vestibule);
        const first = await scanner.request(method, each, undefined, { 'user-agent': 'scanner' });
        expect([first.status, first.location?.search]).toEqual([303, '']);
        const second = await scanner.request(method, first.location ?? each, undefined);
        expect(second.status).toBe(200);
      }
    }
    expect(await isSignedIn(signedIn, portal)).toBe(true);
    expect(await getsIn(person, person.password)).toBe(true);
    expect((await choose(await open(vestibule, link))).step).toBe('recovery-done');
  });

  test.each(['PUT', 'DELETE', 'PATCH'])('%s of a link is no way to use it', async (method) => {
    const person = someone();
    const link = await linkFor(post, person);
    expect((await send(vestibule, link.pathname + link.search, { method })).status).toBe(405);
    expect((await open(vestibule, link)).page.step).toBe('change-password');
  });
});

describe('34 store confusion', () => {
  test('a token for one purpose is none for another', async () => {
    const person = someone();
    await signIn(new Visitor(vestibule), portal, person);
    const notMe = tokenIn(await notMeLinkFor(post, person));
    const choosing = tokenIn(await linkFor(post, person));
    for (const [path, token] of [
      [NEW, notMe],
      [NOT_ME, choosing],
    ] as const) {
      const visitor = new Visitor(vestibule);
      await visitor.visit(`${path}?token=${token}`);
      await expectDead(visitor, INVALID);
      const planted = holding(vestibule, token);
      await planted.visit(path);
      await expectDead(planted, INVALID);
    }
  });

  test('nor is an interaction, a session or a proof to resume with', async () => {
    const person = someone();
    const visitor = new Visitor(vestibule);
    await visitor.visit(await portal.authorizationUrl());
    const uid = visitor.page.url.pathname.split('/')[2] ?? '';
    const link = await linkFor(post, person, `?interaction=${uid}`);
    await open(vestibule, link, visitor);
    const taken = await sendNew(visitor);
    const resume = visitor.cookies.all.find(({ name }) => name === RESUME_COOKIE)?.value ?? '';
    expect([taken.status, resume]).toEqual([303, expect.stringMatching(/^[\w-]{43}$/)]);
    const others = visitor.cookies.all.filter(({ name }) => name !== RESUME_COOKIE).map(({ value }) => value);
    for (const token of [resume, uid, ...others]) {
      for (const path of [NEW, NOT_ME]) {
        const stranger = holding(vestibule, token);
        await stranger.visit(path);
        await expectDead(stranger, /./);
      }
    }
  });

  test('"This wasn’t me" works for days, once, each link for itself', async () => {
    const person = someone();
    await signIn(new Visitor(vestibule), portal, person);
    const first = await notMeLinkFor(post, person);
    const here = new Visitor(vestibule);
    await signIn(here, portal, person);
    const second = await notMeLinkFor(post, person);
    expect(tokenIn(second)).not.toBe(tokenIn(first));
    await vestibule.advanceClock(6 * DAY);
    const visitor = await open(vestibule, first);
    expect(visitor.page.step).toBe('not-me');
    await visitor.submit();
    expect(visitor.page.step).toBe('recovery-sent');
    await expectDead(await open(vestibule, first), USED);
    await vestibule.advanceClock(DAY + 1);
    await expectDead(await open(vestibule, second), EXPIRED);
  });
});
