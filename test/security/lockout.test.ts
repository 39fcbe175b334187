import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { linkIn, type MailSink, startMailSink } from '../support/mail-sink.ts';
import { Portal } from '../support/portal.ts';
import { crowd } from '../support/second-factor.ts';
import type { Person } from '../support/seed.ts';
import type { Vestibule } from '../support/vestibule.ts';
import type { Visitor } from '../support/visitor.ts';
import { expectErrorPage } from './support/answers.ts';
import { forgetSession, KNOWN_COOKIE, tokenOn } from './support/browsers.ts';
import {
  endingOf,
  endings,
  FIRST,
  lockOut,
  MEMORY,
  mostEvaluated,
  named,
  passwordForm,
  TOO_LONG,
  TRIES,
  visitorFrom,
} from './support/lockout.ts';
import { asked, enrolled } from './support/passkeys.ts';
import { mutuelle } from './support/people.ts';
import { BETTER, CHOOSE, choose, mailOf, NEW, open, UNLIMITED, withMailbox } from './support/recovery.ts';
import { startTwins } from './support/twin.ts';

const { everybody, next } = crowd({ person: {} }, 30);
const someone = (): Person => withMailbox(next('person'));
const nobody = (() => {
  let count = 0;
  return () => `nobody-${++count}`;
})();

let one: Vestibule;
let other: Vestibule;
let sink: MailSink;
let portal: Portal;

beforeAll(async () => {
  sink = await startMailSink();
  ({ one, other } = await startTwins({
    clients: [mutuelle],
    people: everybody.map(withMailbox),
    settings: { proxy: { trusted: ['127.0.0.1'] }, mail: sink.settings, limits: UNLIMITED },
  }));
  portal = await Portal.discover(one, mutuelle);
});
afterAll(async () => {
  await other?.stop();
  await one?.stop();
  await sink?.close();
});

const later = (seconds: number) => Promise.all([one.advanceClock(seconds), other.advanceClock(seconds)]);
const logged = (event: string): number =>
  [one, other].flatMap(({ logs }) => logs).filter((line) => line.event === event).length;
/** Log lines of earlier requests have arrived. */
const settled = async (): Promise<void> => {
  for (const each of [one, other]) await expectErrorPage(each, await visitorFrom(each).visit('/nothing'), 404);
};

/** A try from a browser that nobody knows. */
async function guess(username: string, password: string, visitor = visitorFrom(one)): Promise<string> {
  await named(portal, username, visitor);
  return endingOf(visitor.page.step === 'password' ? await visitor.submit({ password }) : visitor.page);
}

/** Signed in, in a browser that the account is known in from now on. */
async function signedIn(person: Person): Promise<Visitor> {
  const visitor = visitorFrom(one);
  expect(await guess(person.username, person.password, visitor)).toBe('in');
  expect(visitor.cookies.all.some(({ name }) => name === KNOWN_COOKIE)).toBe(true);
  return visitor;
}

describe('12 counter race', () => {
  test('of 100 simultaneous guesses at two processes, the right one among them, at most five are evaluated', async () => {
    const { username, password } = someone();
    const guessers = await Promise.all(
      Array.from({ length: 100 }, (_, n) => named(portal, username, visitorFrom(n % 2 ? one : other))),
    );
    const before = logged('login.failed');
    const pages = await Promise.all(
      guessers.map((guesser, n) => guesser.submit({ password: n === 50 ? password : `guess number ${n}` })),
    );
    const { in: right = 0, wrong = 0, locked = 0 } = endings(pages);
    expect(right + wrong + locked).toBe(100);
    await settled();
    expect(logged('login.failed') - before + right).toBeLessThanOrEqual(mostEvaluated(right));
  });

  test('all of them wrong: exactly five, at whichever process, and both know of the lock', async () => {
    const { username, password } = someone();
    const guessers = await Promise.all(
      Array.from({ length: 60 }, (_, n) => named(portal, username, visitorFrom(n % 2 ? one : other))),
    );
    const before = logged('login.failed');
    const pages = await Promise.all(guessers.map((guesser, n) => guesser.submit({ password: `guess number ${n}` })));
    expect(endings(pages)).toEqual({ wrong: TRIES - 1, locked: 60 - TRIES + 1 });
    await settled();
    expect(logged('login.failed') - before).toBe(TRIES);
    for (const each of [one, other]) expect(await guess(username, password, visitorFrom(each))).toBe('locked');
  });

  test('in the account area it is the same: a session left open guesses no more than anybody', async () => {
    const person = someone();
    const visitor = await signedIn(person);
    await visitor.visit('/account/password');
    await settled();
    const before = logged('password.change_refused');
    const guesses = Array.from({ length: 100 }, (_, n) => (n === 50 ? person.password : `guess number ${n}`));
    const pages = await Promise.all(
      guesses.map((given, n) => {
        const [method, url, body, headers] = passwordForm(visitor, given, 'current_password');
        const form = new URLSearchParams(body);
        form.set('new_password', `${BETTER} ${n}`);
        form.set('new_password_again', `${BETTER} ${n}`);
        return visitor.request(method, url, form.toString(), headers);
      }),
    );
    await settled();
    const count = (says: RegExp) => pages.filter(({ status, text }) => status === 400 && says.test(text)).length;
    const [wrong, locked] = [count(/isn’t your current/), count(/Too many wrong passwords/)];
    const right = pages.length - wrong - locked;
    expect(logged('password.change_refused') - before + right).toBeLessThanOrEqual(mostEvaluated(right));
    expect(pages.filter(({ status }) => status === 303)).toHaveLength(right);
    expect(right).toBeLessThanOrEqual(1);
  });

  test('guesses there and at the sign-in count together, where the browser is not known', async () => {
    const person = someone();
    const visitor = await signedIn(person);
    visitor.cookies.clear(KNOWN_COOKIE);
    await visitor.visit('/account/password');
    for (let n = 0; n < 3; n++) {
      await visitor.submit({ current_password: 'wrong', new_password: BETTER, new_password_again: BETTER });
      expect(visitor.page.status).toBe(400);
    }
    expect(await guess(person.username, TOO_LONG)).toBe('wrong');
    expect(await guess(person.username, TOO_LONG)).toBe('locked');
    await visitor.submit({ current_password: person.password, new_password: BETTER, new_password_again: BETTER });
    expect(visitor.page.status).toBe(400);
  });
});

describe('16 lockout as DoS', () => {
  test('a stranger’s lock leaves the owner’s passkey as it is', async () => {
    const { username } = someone();
    const { device } = await enrolled({ vestibule: one, portal }, username);
    await lockOutAt('password', username);
    for (const name of [username, undefined]) {
      const browser = await asked({ vestibule: one, portal }, name, device);
      expect((await browser.use()).status).toBe(200);
      expect(browser.visitor.left.searchParams.has('code')).toBe(true);
    }
  });

  /** With a passkey, its page comes first. */
  async function lockOutAt(way: string, username: string): Promise<void> {
    const attacker = await asked({ vestibule: one, portal }, username);
    await attacker.visitor.choose(way);
    for (let n = 0; n < TRIES; n++) await attacker.visitor.submit({ password: TOO_LONG });
    expect(attacker.visitor.page.step).toBe('locked');
  }

  test('a browser that the owner signed in with has tries of its own', async () => {
    const person = someone();
    const owner = await signedIn(person);
    await lockOut(one, portal, person.username);
    expect(await guess(person.username, person.password)).toBe('locked');
    forgetSession(owner);
    expect(await guess(person.username, person.password, owner)).toBe('in');
    // Five of its own, which leave everybody else's as they are.
    const another = someone();
    const careless = await signedIn(another);
    forgetSession(careless);
    await lockOut(one, portal, another.username, careless);
    expect(await guess(another.username, another.password, careless)).toBe('locked');
    expect(await guess(another.username, another.password)).toBe('in');
  });

  test('an account area that is open in it changes its password during a stranger’s lock', async () => {
    const person = someone();
    const owner = await signedIn(person);
    await lockOut(one, portal, person.username);
    await owner.visit('/account/password');
    await owner.submit({ current_password: person.password, new_password: BETTER, new_password_again: BETTER });
    expect(owner.page.url.search).toBe('?done=changed');
  });

  test('who holds a known browser of another account, or makes one up, is a stranger', async () => {
    const [person, attacker] = [someone(), someone()];
    const theirs = await signedIn(attacker);
    forgetSession(theirs);
    const cookie = theirs.cookies.all.find(({ name }) => name === KNOWN_COOKIE)?.value ?? '';
    const [id = '', signature = ''] = cookie.split('.');
    await lockOut(one, portal, person.username);
    for (const value of [
      cookie,
      `${id}.`,
      `${signature}.${id}`,
      `${id}.${'A'.repeat(signature.length)}`,
      '.',
      '..........',
      'x'.repeat(5000),
      `${cookie}.${cookie}.${cookie}.${cookie}.${cookie}`,
      '%00.%00',
    ]) {
      const visitor = visitorFrom(one);
      visitor.cookies.store(new URL(one.issuer), [`${KNOWN_COOKIE}=${value}; Path=/`]);
      expect([value, await guess(person.username, person.password, visitor)]).toEqual([value, 'locked']);
    }
  });

  test('the cookie of a known browser says nothing of who it is, and opens nothing by itself', async () => {
    const person = someone();
    const owner = await signedIn(person);
    const cookie = owner.cookies.all.find(({ name }) => name === KNOWN_COOKIE);
    expect(cookie).toMatchObject({ httpOnly: true, sameSite: 'lax', path: '/' });
    expect(decodeURIComponent(cookie?.value ?? '')).not.toContain(person.username);
    const visitor = visitorFrom(one);
    visitor.cookies.store(new URL(one.issuer), [`${KNOWN_COOKIE}=${cookie?.value}; Path=/`]);
    await named(portal, person.username, visitor);
    expect(visitor.page.step).toBe('password');
    expect(await guess(person.username, 'wrong', visitor)).toBe('wrong');
  });

  test('the link that the page offers lets the owner in, there and then; strangers stay locked out of the old password', async () => {
    const person = someone();
    const owner = await lockOut(one, portal, person.username);
    expect((await owner.submit()).step).toBe('locked');
    const link = linkIn(await sink.next(mailOf(person), CHOOSE), NEW);
    await open(one, link, owner);
    await choose(owner);
    expect(owner.left.searchParams.has('code')).toBe(true);
    // With a new password, what was tried at the old one is forgotten.
    expect(await guess(person.username, BETTER)).toBe('in');
  });

  test('a new password by mail ends the lock of the owner’s own browser as well', async () => {
    const person = someone();
    const owner = await signedIn(person);
    forgetSession(owner);
    await lockOut(one, portal, person.username, owner);
    await owner.submit();
    await open(one, linkIn(await sink.next(mailOf(person), CHOOSE), NEW), owner);
    await choose(owner);
    expect(owner.left.searchParams.has('code')).toBe(true);
    forgetSession(owner);
    expect(await guess(person.username, BETTER, owner)).toBe('in');
  });

  test('a lock ends by itself, each is twice as long as the one before, and a day later all is forgotten', async () => {
    const { username, password } = someone();
    for (const length of [FIRST, 2 * FIRST, 4 * FIRST]) {
      await lockOut(one, portal, username);
      await later(length - 10);
      expect([length, await guess(username, password)]).toEqual([length, 'locked']);
      await later(15);
    }
    // Still counted together: another five make the fourth lock.
    await lockOut(other, portal, username);
    await later(8 * FIRST + 5);
    await later(MEMORY);
    await lockOut(one, portal, username);
    await later(FIRST + 5);
    expect(await guess(username, password)).toBe('in');
  });

  test('no lock is longer than the longest there is', async () => {
    const username = nobody();
    for (let n = 0; n < 9; n++) {
      await lockOut(one, portal, username);
      await later(MEMORY + 5);
      // Never forgotten, as somebody guesses all the time: the memory begins with the end of the lock.
    }
    expect(await guess(username, TOO_LONG)).toBe('wrong');
  });

  test('a stranger who tries all through the lock neither prolongs it nor begins the next', async () => {
    const { username, password } = someone();
    // In front of the password page from before: only there a try can be sent during the lock.
    const waiting = await Promise.all(Array.from({ length: 40 }, () => named(portal, username, visitorFrom(one))));
    await lockOut(one, portal, username);
    for (let n = 0; n < 4; n++) {
      const some = waiting.slice(n * 10, n * 10 + 10);
      const pages = await Promise.all(some.map((each) => each.submit({ password: TOO_LONG })));
      expect(endings(pages)).toEqual({ locked: 10 });
      await later(FIRST / 4 + 1);
    }
    expect(await guess(username, password)).toBe('in');
  });

  test('a restart forgets no lock', async () => {
    const { username, password } = someone();
    await lockOut(one, portal, username);
    await one.kill();
    await one.restart();
    expect(await guess(username, password)).toBe('locked');
    expect(await guess(username, password, visitorFrom(other))).toBe('locked');
  });

  test('the page of a lock does not evaluate a password that is sent to it, or past it', async () => {
    const { username, password } = someone();
    const visitor = await named(portal, username, visitorFrom(one));
    const form = passwordForm(visitor, password);
    const stranger = await lockOut(one, portal, username);
    expect(endingOf(await visitor.request(...form))).toBe('locked');
    const csrf = tokenOn(stranger);
    const base = stranger.page.url.pathname.replace(/\/locked$/, '');
    for (const step of ['password', 'totp', 'identify', 'offer-passkey']) {
      const answer = await stranger.post(`${base}/${step}`, step === 'password' ? { ...csrf, password } : csrf);
      expect([step, answer.step]).toEqual([step, 'locked']);
    }
    expect((await stranger.post(`${base}/locked`, { ...csrf, password })).status).toBe(400);
  });
});
