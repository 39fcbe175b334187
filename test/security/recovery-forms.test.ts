import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type MailSink, nothingOwed, startMailSink } from '../support/mail-sink.ts';
import { Portal } from '../support/portal.ts';
import { crowd } from '../support/second-factor.ts';
import type { Person } from '../support/seed.ts';
import { startVestibule, type Vestibule } from '../support/vestibule.ts';
import { Visitor } from '../support/visitor.ts';
import { csrfOn } from './support/account-area.ts';
import { expectErrorPage } from './support/answers.ts';
import { lockOut, named } from './support/lockout.ts';
import { isSignedIn, mutuelle, signIn } from './support/people.ts';
import {
  ASK,
  ASK_USERNAME,
  BETTER,
  choose,
  linkFor,
  mailOf,
  notMeLinkFor,
  open,
  type Post,
  UNLIMITED,
  withMailbox,
} from './support/recovery.ts';

/** Costly enough that time tells whether one was computed. */
const HEAVY = { argon2id: { memory_kib: 19_456, iterations: 2 } };
const MEGABYTE = 1024 * 1024;

const { everybody, next } = crowd({ person: {} }, 40);
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
    settings: {
      mail: sink.settings,
      recovery: { mail_usernames: true },
      limits: UNLIMITED,
      passwords: HEAVY,
    },
  });
  post = { vestibule, sink };
  portal = await Portal.discover(vestibule, mutuelle);
});
afterAll(async () => {
  await vestibule?.stop();
  await sink?.close();
});

type Fields = Readonly<Record<string, string>>;
const newPassword = { new_password: BETTER, new_password_again: BETTER };

/** Somebody in front of a form of this change, with what it takes. */
interface Place {
  readonly visitor: Visitor;
  readonly fields: Fields;
  readonly person: Person;
  /** Nothing of it was done. */
  unchanged(): Promise<void>;
}

const account = async (person: Person): Promise<Visitor> => {
  const visitor = new Visitor(vestibule);
  await signIn(visitor, portal, person);
  return visitor;
};
/** The old password is still the password. */
const samePassword = (person: Person) => async (): Promise<void> => {
  const visitor = await named(portal, person.username, new Visitor(vestibule));
  await visitor.submit({ password: person.password });
  expect(visitor.page.location?.searchParams.has('code')).toBe(true);
};
/** Nobody was mailed a link. */
const nobodyMailed = (person: Person) => async (): Promise<void> => {
  await nothingOwed(vestibule);
  expect(sink.to(mailOf(person)).filter(({ text }) => /recovery\/password\/new|username/.test(text))).toEqual([]);
};

const FORMS: Readonly<Record<string, () => Promise<Place>>> = {
  async [ASK]() {
    const [visitor, person] = [new Visitor(vestibule), someone()];
    await visitor.visit(ASK);
    return { visitor, person, fields: { username: person.username }, unchanged: nobodyMailed(person) };
  },
  async [ASK_USERNAME]() {
    const [visitor, person] = [new Visitor(vestibule), someone()];
    await visitor.visit(ASK_USERNAME);
    return { visitor, person, fields: { email: mailOf(person) }, unchanged: nobodyMailed(person) };
  },
  async 'a link to a new password'() {
    const person = someone();
    const visitor = await open(vestibule, await linkFor(post, person));
    return { visitor, person, fields: newPassword, unchanged: samePassword(person) };
  },
  async 'a link "This wasn’t me"'() {
    const person = someone();
    const signedIn = await account(person);
    const visitor = await open(vestibule, await notMeLinkFor(post, person));
    return {
      visitor,
      person,
      fields: {},
      unchanged: async () => expect(await isSignedIn(signedIn, portal)).toBe(true),
    };
  },
  async 'the password of the account area'() {
    const person = someone();
    const visitor = await account(person);
    await visitor.visit('/account/password');
    return {
      visitor,
      person,
      fields: { current_password: person.password, ...newPassword },
      unchanged: samePassword(person),
    };
  },
  async 'the page of a lock'() {
    const person = someone();
    const visitor = await lockOut(vestibule, portal, person.username, new Visitor(vestibule));
    return { visitor, person, fields: {}, unchanged: nobodyMailed(person) };
  },
};
const names = Object.keys(FORMS);

const at = async (name: string): Promise<Place> => {
  const place = await FORMS[name]?.();
  if (!place) throw new Error(`no form ${name}`);
  return place;
};

/** As a browser of the form’s own page would, unless told otherwise. */
function sent(visitor: Visitor, fields: Fields, headers: Readonly<Record<string, string | undefined>> = {}) {
  const form = visitor.page.forms.find(({ names: each }) => each.includes('_csrf'));
  if (!form) throw new Error(`no form: ${visitor.page.describe()}`);
  const body = new URLSearchParams(fields).toString();
  return visitor.request('POST', form.action, body, { origin: vestibule.issuer, ...headers });
}

describe('23 mass assignment', () => {
  test.each(names)('%s takes its own fields and no others', async (name) => {
    const { visitor, fields, unchanged } = await at(name);
    const _csrf = csrfOn(visitor.page);
    for (const extra of [
      { email_verified: 'true' },
      { emailVerified: 'true' },
      { role: 'admin' },
      { userId: 'x' },
      { accountId: 'x' },
      { state: 'active' },
      { token: 'x' },
      { uid: 'x' },
      { to: 'x@evil.example' },
      { __proto__x: 'y' },
      { 'constructor[prototype]': 'y' },
      { 'new_password[]': 'y' },
      { amr: 'mfa' },
    ]) {
      const page = await sent(visitor, { _csrf, ...fields, ...(extra as Fields) });
      expect([extra, page.status]).toEqual([extra, 400]);
    }
    for (const doubled of Object.keys({ ...fields, _csrf })) {
      const body = new URLSearchParams({ _csrf, ...fields });
      body.append(doubled, 'x');
      const form = visitor.page.forms.find(({ names: each }) => each.includes('_csrf'));
      const page = await visitor.request('POST', form?.action ?? new URL('/', vestibule.issuer), String(body), {
        origin: vestibule.issuer,
      });
      expect([doubled, page.status]).toEqual([doubled, 400]);
    }
    await unchanged();
  });
});

describe('25 forms of other sites', () => {
  test.each(names)('%s: without its token, or with another’s, nothing is done', async (name) => {
    const { visitor, fields, unchanged } = await at(name);
    const other = await at(name);
    const own = csrfOn(visitor.page);
    const foreign = csrfOn(other.visitor.page);
    const { _csrf: _gone, ...without } = { _csrf: own, ...fields };
    const tokens: Fields[] = [without as Fields, { ...fields, _csrf: '' }, { ...fields, _csrf: `${own}x` }];
    // Nobody is signed in on the pages that ask for a mail: theirs is one for all, and `Origin` stands guard.
    if (foreign !== own) tokens.push({ ...fields, _csrf: foreign });
    for (const form of tokens) {
      const page = await sent(visitor, form);
      expect([form, page.status]).toEqual([form, 400]);
    }
    await unchanged();
    await other.unchanged();
  });

  test.each(names)('%s: from another origin it is refused, whatever token it has', async (name) => {
    const { visitor, fields, unchanged } = await at(name);
    const _csrf = csrfOn(visitor.page);
    const { host } = new URL(vestibule.issuer);
    for (const headers of [
      { origin: 'https://evil.example' },
      { origin: 'null' },
      { origin: `https://${host}` },
      { origin: `${vestibule.issuer}.evil.example` },
      { origin: `http://127.0.0.1:${vestibule.port}` },
      { origin: undefined, 'sec-fetch-site': 'cross-site' },
      { origin: undefined, 'sec-fetch-site': 'same-site' },
    ]) {
      const page = await sent(visitor, { _csrf, ...fields }, headers);
      expect([headers, page.status]).toEqual([headers, 403]);
    }
    await unchanged();
  });

  test.each(names)(
    '%s: in its own place it does what it is for, so the refusals are for their own reasons',
    async (name) => {
      const { visitor, fields } = await at(name);
      const page = await sent(visitor, { _csrf: csrfOn(visitor.page), ...fields });
      expect(page.status).toBe(303);
    },
  );
});

describe('53 hash flood', () => {
  test.each(names)('%s: a megabyte is refused before it is read to its end', async (name) => {
    const { visitor, fields, unchanged } = await at(name);
    const [field = '_csrf'] = Object.keys(fields);
    const huge = { _csrf: csrfOn(visitor.page), ...fields, [field]: 'x'.repeat(MEGABYTE) };
    await expectErrorPage(vestibule, await sent(visitor, huge), 413);
    await unchanged();
  });

  test('a password that is too long is refused before it is hashed or judged', async () => {
    const limit = ['a', 'b'].map((half) => createHash('sha512').update(half).digest('hex')).join('');
    const long = `${limit}y`;
    expect(long).toHaveLength(257);
    const link = await at('a link to a new password');
    const area = await at('the password of the account area');
    /** Milliseconds of the fastest, as a busy machine only ever adds. */
    const fastest = async (visitor: Visitor, fields: Fields, status: number): Promise<number> => {
      const times: number[] = [];
      const form = { _csrf: csrfOn(visitor.page), ...fields };
      for (let n = 0; n < 4; n++) {
        const started = performance.now();
        const page = await sent(visitor, form);
        times.push(performance.now() - started);
        expect(page.status).toBe(status);
      }
      return Math.min(...times);
    };
    const wrong = { current_password: 'wrong password', ...newPassword };
    const hashed = await fastest(area.visitor, wrong, 400);
    const both = { new_password: long, new_password_again: long };
    const times = {
      'the new one, by a link': await fastest(link.visitor, both, 400),
      // The current one is the fifth try: a lock, with nothing hashed for that reason; one of another person's.
      'the current one': await fastest(
        (await at('the password of the account area')).visitor,
        { current_password: long, ...newPassword },
        400,
      ),
    };
    for (const [what, time] of Object.entries(times)) expect([what, time < hashed / 2]).toEqual([what, true]);
    await link.unchanged();
    // It fits when it is one character shorter, of whatever kind.
    expect((await choose(link.visitor, limit)).step).toBe('recovery-done');
    await samePassword({ ...link.person, password: limit })();
  });
});
