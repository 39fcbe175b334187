import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import bcrypt from 'bcryptjs';
import type { Page } from '../support/page.ts';
import { Portal } from '../support/portal.ts';
import { crowd } from '../support/second-factor.ts';
import { startVestibule, type Vestibule } from '../support/vestibule.ts';
import { Visitor } from '../support/visitor.ts';
import { expectErrorPage } from './support/answers.ts';
import {
  endingOf,
  endings,
  FIRST,
  MEMORY,
  mostEvaluated,
  named,
  passwordForm,
  TOO_LONG,
  TRIES,
  visitorFrom,
} from './support/lockout.ts';
import { alice, bruno, mutuelle } from './support/people.ts';
import { changeAccount, withDurable } from './support/storage.ts';

const ADDRESS_LIMIT = 12;
/** Seconds; longer than that limit's window. */
const LATER = 301;
/** Costly enough that time tells whether one was computed. */
const HEAVY = { argon2id: { memory_kib: 19_456, iterations: 2 } };

let vestibule: Vestibule;
let portal: Portal;

const imported = { username: 'imported', password: 'imported-demo-password' };
/** One for each test that locks somebody. */
const { everybody, next } = crowd({ person: {}, suspended: {} }, 8);
const someone = () => next('person');
const suspended = next('suspended');

beforeAll(async () => {
  vestibule = await startVestibule({
    clients: [mutuelle],
    people: [alice, bruno, imported, ...everybody],
    // The tests are the trusted proxy: each visitor comes from where the test says.
    settings: {
      proxy: { trusted: ['127.0.0.1'] },
      passwords: HEAVY,
      limits: { address: { count: ADDRESS_LIMIT } },
    },
  });
  for (let n = 0; n < 8; n++) await changeAccount(vestibule, `suspended-${n}`, { state: 'suspended' });
  portal = await Portal.discover(vestibule, mutuelle);
});
afterAll(() => vestibule?.stop());
// The windows of earlier tests are over.
beforeEach(() => vestibule.advanceClock(LATER));

/** Somebody in front of the password page. */
const asked = (username: string, address?: string): Promise<Visitor> =>
  named(portal, username, visitorFrom(vestibule, address));

const guess = async (username: string, password: string, address?: string): Promise<Page> => {
  const visitor = await asked(username, address);
  return visitor.page.step === 'password' ? visitor.submit({ password }) : visitor.page;
};

const failuresLogged = (): number => vestibule.logs.filter(({ event }) => event === 'login.failed').length;

describe('12 counter race', () => {
  test('of 100 simultaneous guesses at one account, each from elsewhere, five are evaluated', async () => {
    const { username, password } = someone();
    const guessers = await Promise.all(Array.from({ length: 100 }, () => asked(username)));
    const before = failuresLogged();
    const pages = await Promise.all(guessers.map((guesser, n) => guesser.submit({ password: `guess number ${n}` })));
    // The last of the five says that it was the last.
    expect(endings(pages)).toEqual({ wrong: TRIES - 1, locked: 100 - TRIES + 1 });
    await expectErrorPage(vestibule, (await guessers[0]?.visit('/nothing')) as Page, 404);
    expect(failuresLogged() - before).toBe(TRIES);
    // The right one comes too late, after a restart as well; when the lock is over it counts.
    expect(endingOf(await guess(username, password))).toBe('locked');
    await vestibule.restart();
    expect(endingOf(await guess(username, password))).toBe('locked');
    await vestibule.advanceClock(FIRST + 1);
    expect(endingOf(await guess(username, password))).toBe('in');
  });

  test('with the right one among them no more are evaluated', async () => {
    const { username, password } = someone();
    const guessers = await Promise.all(Array.from({ length: 100 }, () => asked(username)));
    const passwords = guessers.map((_, n) => (n === 50 ? password : `guess number ${n}`));
    const before = failuresLogged();
    const pages = await Promise.all(guessers.map((guesser, n) => guesser.submit({ password: passwords[n] ?? '' })));
    const { in: right = 0, wrong = 0, locked = 0 } = endings(pages);
    expect(right + wrong + locked).toBe(100);
    await expectErrorPage(vestibule, (await guessers[99]?.visit('/nothing')) as Page, 404);
    expect(failuresLogged() - before + right).toBeLessThanOrEqual(mostEvaluated(right));
  });

  test('within one interaction it is the same', async () => {
    const guesser = await asked(someone().username);
    const pages = await Promise.all(
      Array.from({ length: 30 }, (_, n) => guesser.request(...passwordForm(guesser, `guess number ${n}`))),
    );
    // Some are too many for the address as well.
    expect(endings(pages)).toMatchObject({ wrong: TRIES - 1, locked: expect.any(Number) });
  });

  test('tries during the lock neither lengthen it nor count', async () => {
    const { username, password } = someone();
    // In front of the password page from before.
    const waiting = await Promise.all(Array.from({ length: 20 }, () => asked(username)));
    for (let n = 0; n < TRIES; n++) await guess(username, TOO_LONG);
    await vestibule.advanceClock(FIRST - 30);
    for (const each of waiting.slice(0, 18)) expect(endingOf(await each.submit({ password: TOO_LONG }))).toBe('locked');
    await vestibule.advanceClock(60);
    for (const each of waiting.slice(18)) expect(endingOf(await each.submit({ password: TOO_LONG }))).toBe('wrong');
    expect(endingOf(await guess(username, password))).toBe('in');
  });
});

describe('14 identifier aliases', () => {
  const spellings = [
    'alice',
    'ALICE',
    ' alice',
    'alice\t',
    'alice@example.org',
    'Alice@EXAMPLE.org',
    'ａｌｉｃｅ',
    'a\u00adlice',
  ];

  test('every spelling of an account shares one counter', async () => {
    for (let n = 0; n < TRIES; n++) {
      expect(endingOf(await guess(spellings[n] ?? '', TOO_LONG))).toBe(n < TRIES - 1 ? 'wrong' : 'locked');
    }
    for (const spelling of [...spellings, 'ali\u200bce', 'alice@example.org ']) {
      expect([spelling, endingOf(await guess(spelling, alice.password))]).toEqual([spelling, 'locked']);
    }
  });

  test('so does every spelling of a name nobody has', async () => {
    const nobodys = ['nobody', 'NOBODY', ' nobody ', 'ｎｏｂｏｄｙ', 'no\u200bbody'];
    for (const spelling of nobodys) await guess(spelling, TOO_LONG);
    for (const spelling of nobodys) expect(endingOf(await guess(spelling, TOO_LONG))).toBe('locked');
  });
});

describe('15 limiter-key bypass', () => {
  const others = (n: number): string => `somebody-${n}`;
  const answer = async (...of: Parameters<typeof guess>): Promise<number> => (await guess(...of)).status;

  test('another address of the same /64, however it is written, is the same address', async () => {
    const spelling = (n: number): string =>
      [`2001:db8:1:1::${n.toString(16)}`, `2001:0DB8:0001:0001:ABCD:0:0:${n}`, `2001:db8:1:1:${n}::`][n % 3] ?? '';
    for (let n = 1; n <= ADDRESS_LIMIT; n++) expect(await answer(others(n), TOO_LONG, spelling(n))).toBe(400);
    for (let n = 1; n <= 4; n++) expect(await answer(others(n), TOO_LONG, spelling(n + 100))).toBe(429);
    expect(await answer(others(1), TOO_LONG, '2001:db8:1:2::1')).toBe(400);
  });

  test('what a visitor puts in front of the proxy’s own entry, or a port behind it, changes nothing', async () => {
    const spelling = (n: number): string =>
      [`203.0.113.${n}, 192.0.2.7`, `192.0.2.7:${1024 + n}`, `::ffff:192.0.2.7`, `unknown, 192.0.2.7`][n % 4] ?? '';
    for (let n = 1; n <= ADDRESS_LIMIT; n++) expect(await answer(others(n), TOO_LONG, spelling(n))).toBe(400);
    for (let n = 1; n <= 4; n++) expect(await answer(others(n), TOO_LONG, spelling(n + 50))).toBe(429);
  });
});

describe('17 enumeration', () => {
  /** The page without what differs for everybody: numbers, names typed, tokens. */
  const shape = (page: Page, username: string): string =>
    page.body
      .replaceAll(username, '<username>')
      .replaceAll(/interaction[/=][\w-]+/g, 'interaction/<uid>')
      .replaceAll(/value="[\w-]{43}"/g, 'value="<token>"')
      .replaceAll(/[0-9A-Z]{4}-[0-9A-Z]{4}/g, '<reference>');
  const headerNames = (page: Page): string[] => Object.keys(page.headers).toSorted();

  test('known, unknown and suspended names get the same pages, up to the lock and beyond it', async () => {
    const { username: known } = someone();
    const seen = await Promise.all(
      [known, 'nobody-at-all', next('suspended').username].map(async (username) => {
        const visitor = await asked(username);
        const pages = [visitor.page];
        for (let n = 0; n < TRIES; n++) pages.push(await visitor.request(...passwordForm(visitor, 'wrong password')));
        pages.push(await visitor.visit(pages.at(-1)?.location ?? ''));
        return pages.map((page) => [page.status, headerNames(page), shape(page, username)]);
      }),
    );
    expect(seen[1]).toEqual(seen[0]);
    expect(seen[2]).toEqual(seen[0]);
    expect(seen[0]?.map(([status]) => status)).toEqual([200, ...Array(TRIES - 1).fill(400), 303, 200]);
  });

  test('a suspended person’s right password is as wrong as any', async () => {
    expect((await guess(suspended.username, suspended.password)).status).toBe(400);
  });

  test('an unknown name costs the same time; what cannot be a password (53) costs none', async () => {
    const fastest = new Map<string, number>();
    const [{ username: known }, { username: gone }] = [someone(), next('suspended')];
    const time = async (what: string, username: string, password: string): Promise<void> => {
      const visitor = await asked(username);
      const started = performance.now();
      await visitor.submit({ password });
      fastest.set(what, Math.min(fastest.get(what) ?? Number.POSITIVE_INFINITY, performance.now() - started));
    };
    for (let n = 0; n < 2 * (TRIES - 1); n++) {
      // A lock costs nothing, and is somebody else's test.
      if (n === TRIES - 1) await vestibule.advanceClock(MEMORY + 1);
      await time('known', known, 'wrong password');
      await time('unknown', 'nobody-anywhere', 'wrong password');
      await time('suspended', gone, 'wrong password');
      await time('too long', 'bruno', 'x'.repeat(10_000));
    }
    // The difference to find is tenfold; a busy machine blurs what is less than fourfold.
    const least = fastest.get('known') ?? 0;
    for (const what of ['unknown', 'suspended']) {
      expect([what, (fastest.get(what) ?? 0) > least / 4, (fastest.get(what) ?? 0) < least * 4]).toEqual([
        what,
        true,
        true,
      ]);
    }
    expect(fastest.get('too long')).toBeLessThan(least / 2);
  });
});

describe('53 hash flood', () => {
  test('a password of a megabyte is refused before it is read to its end', async () => {
    const visitor = await asked('bruno');
    await visitor.submit({ password: 'x'.repeat(1024 * 1024) });
    await expectErrorPage(vestibule, visitor.page, 413);
  });
});

describe('9 bcrypt truncation', () => {
  const ascii = { username: 'ascii', password: 'a'.repeat(72) };
  const accents = { username: 'accents', password: 'é'.repeat(36) };
  let another: Vestibule;
  let at: Portal;

  beforeAll(async () => {
    another = await startVestibule({
      clients: [mutuelle],
      people: [ascii, accents, alice],
      settings: {
        passwords: { hash: 'bcrypt', bcrypt: { cost: 10 } },
        limits: { lockout: { tries: 1000 }, address: { count: 20 } },
      },
    });
    at = await Portal.discover(another, mutuelle);
  });
  afterAll(() => another?.stop());
  beforeEach(() => another.advanceClock(LATER));

  const tryAt = async (username: string, password: string, headers = {}): Promise<number> => {
    const visitor = new Visitor(another);
    visitor.headers = headers;
    await visitor.visit(await at.authorizationUrl());
    await visitor.submit({ username });
    return (await visitor.submit({ password })).status;
  };

  test.each([ascii, accents])('$username: bytes behind the 72nd are not ignored', async ({ username, password }) => {
    expect(await tryAt(username, password)).toBe(303);
    for (const tail of ['b', 'bbbbbbbb', 'é', '\u0000']) expect(await tryAt(username, password + tail)).toBe(400);
    expect(await tryAt(username, password.slice(0, -1))).toBe(400);
  });

  test.each(['a'.repeat(73), 'é'.repeat(37), '😀'.repeat(19)])(
    'a new password beyond 72 bytes is refused, not cut',
    async (password) => {
      const { code, stderr } = await another.command(
        ['people', 'add', 'too-long', '--password-stdin'],
        `${password}\n`,
      );
      expect([code, stderr]).toEqual([1, expect.stringContaining('72 bytes')]);
    },
  );

  test('nor does an imported bcrypt hash ignore them, beside Argon2id', async () => {
    const data = bcrypt.hashSync(ascii.password, 10);
    await withDurable(vestibule, async ({ accounts, credentials }) => {
      const { id = '' } = (await accounts.findByIdentifier('imported')) ?? {};
      const [stored] = await credentials.list(id, 'password');
      if (stored) await credentials.replace({ ...stored, data }, stored.version);
    });
    expect((await guess('imported', `${ascii.password}b`)).status).toBe(400);
    expect((await guess('imported', ascii.password)).status).toBe(303);
  });

  test('15 without a trusted proxy, an address claimed in a header changes nothing', async () => {
    const answers: number[] = [];
    for (let n = 0; n < 22; n++) {
      answers.push(await tryAt(`somebody-${n}`, TOO_LONG, { 'x-forwarded-for': `203.0.113.${n}` }));
    }
    expect(answers.at(-1)).toBe(429);
  });
});
