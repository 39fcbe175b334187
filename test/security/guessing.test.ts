import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import bcrypt from 'bcryptjs';
import type { Page } from '../support/page.ts';
import { Portal } from '../support/portal.ts';
import { startVestibule, type Vestibule } from '../support/vestibule.ts';
import { Visitor } from '../support/visitor.ts';
import { expectErrorPage } from './support/answers.ts';
import { alice, bruno, mutuelle } from './support/people.ts';
import { changeAccount, withDurable } from './support/storage.ts';

const LIMIT = 10;
const ADDRESS_LIMIT = 12;
const WINDOW = 300;
/** Costly enough that time tells whether one was computed. */
const HEAVY = { argon2id: { memory_kib: 19_456, iterations: 2 } };
/** Counted like any other, and never hashed. */
const TOO_LONG = 'x'.repeat(300);

let vestibule: Vestibule;
let portal: Portal;
let network = 0;

const imported = { username: 'imported', password: 'imported-demo-password' };
const suspended = { username: 'suspended', password: 'suspended-demo-password' };

beforeAll(async () => {
  vestibule = await startVestibule({
    clients: [mutuelle],
    people: [alice, bruno, imported, suspended],
    // The tests are the trusted proxy: each visitor comes from where the test says.
    settings: {
      proxy: { trusted: ['127.0.0.1'] },
      passwords: HEAVY,
      limits: { account: { count: LIMIT }, address: { count: ADDRESS_LIMIT } },
    },
  });
  await changeAccount(vestibule, 'suspended', { state: 'suspended' });
  portal = await Portal.discover(vestibule, mutuelle);
});
afterAll(() => vestibule?.stop());
// The windows of earlier tests are over.
beforeEach(() => vestibule.advanceClock(WINDOW + 1));

const elsewhere = (): string => `198.51.${Math.floor(++network / 250)}.${(network % 250) + 1}`;

/** Somebody in front of the password page. */
async function asked(username: string, address = elsewhere()): Promise<Visitor> {
  const visitor = new Visitor(vestibule);
  visitor.headers = { 'x-forwarded-for': address };
  await visitor.visit(await portal.authorizationUrl());
  await visitor.submit({ username });
  return visitor;
}

const guess = async (username: string, password: string, address?: string): Promise<Page> =>
  (await asked(username, address)).submit({ password });

/** The form in front of the visitor, to be sent without looking at the answer first. */
function passwordForm(visitor: Visitor, password: string): Parameters<Visitor['request']> {
  const form = visitor.page.forms.find(({ names }) => names.includes('password'));
  if (!form) throw new Error(`no password is asked for: ${visitor.page.describe()}`);
  const fields = new URLSearchParams();
  for (const { name, value } of form.fields) fields.set(name, name === 'password' ? password : value);
  return ['POST', form.action, fields.toString(), { origin: vestibule.issuer }];
}

const statuses = (pages: readonly Page[]): Record<number, number> => {
  const counts: Record<number, number> = {};
  for (const { status } of pages) counts[status] = (counts[status] ?? 0) + 1;
  return counts;
};

describe('12 counter race', () => {
  test('of 100 simultaneous guesses at one account, each from elsewhere, the limit is evaluated', async () => {
    const guessers = await Promise.all(Array.from({ length: 100 }, () => asked('bruno')));
    const pages = await Promise.all(guessers.map((guesser, n) => guesser.submit({ password: `guess number ${n}` })));
    expect(statuses(pages)).toEqual({ 400: LIMIT, 429: 100 - LIMIT });
    // The right one comes too late, after a restart as well; when the window is over it counts.
    expect((await guess('bruno', bruno.password)).status).toBe(429);
    await vestibule.restart();
    expect((await guess('bruno', bruno.password)).status).toBe(429);
    await vestibule.advanceClock(WINDOW + 1);
    expect((await guess('bruno', bruno.password)).status).toBe(303);
  });

  test('with the right one among them no more are evaluated', async () => {
    const guessers = await Promise.all(Array.from({ length: 100 }, () => asked('alice')));
    // Several, so that one is among those that are evaluated.
    const passwords = guessers.map((_, n) => (n < 4 ? alice.password : `guess number ${n}`));
    const pages = await Promise.all(guessers.map((guesser, n) => guesser.submit({ password: passwords[n] ?? '' })));
    const { 303: right = 0, 400: wrong = 0 } = statuses(pages);
    expect(right + wrong).toBeLessThanOrEqual(LIMIT);
  });

  test('within one interaction it is the same, and the answer is a page with a date', async () => {
    const guesser = await asked('alice');
    const pages = await Promise.all(
      Array.from({ length: 30 }, (_, n) => guesser.request(...passwordForm(guesser, `guess number ${n}`))),
    );
    expect(statuses(pages)).toEqual({ 400: LIMIT, 429: 30 - LIMIT });
    const refused = pages.find(({ status }) => status === 429) as Page;
    await expectErrorPage(vestibule, refused, 429);
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0);
    expect(Number(refused.headers['retry-after'])).toBeLessThanOrEqual(WINDOW);
  });

  test('tries refused for being too many do not lengthen the wait', async () => {
    for (let n = 0; n < LIMIT + 5; n++) await guess('bruno', TOO_LONG);
    await vestibule.advanceClock(WINDOW - 30);
    expect((await guess('bruno', bruno.password)).status).toBe(429);
    await vestibule.advanceClock(60);
    expect((await guess('bruno', bruno.password)).status).toBe(303);
  });
});

describe('14 identifier aliases', () => {
  test('every spelling of an account shares one counter', async () => {
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
    for (let n = 0; n < LIMIT; n++) {
      expect((await guess(spellings[n % spellings.length] ?? '', TOO_LONG)).status).toBe(400);
    }
    for (const spelling of [...spellings, 'ali\u200bce', 'alice@example.org ']) {
      expect([spelling, (await guess(spelling, alice.password)).status]).toEqual([spelling, 429]);
    }
  });

  test('so does every spelling of a name nobody has', async () => {
    const spellings = ['nobody', 'NOBODY', ' nobody ', 'ｎｏｂｏｄｙ'];
    for (let n = 0; n < LIMIT; n++) await guess(spellings[n % spellings.length] ?? '', TOO_LONG);
    for (const spelling of spellings) expect((await guess(spelling, TOO_LONG)).status).toBe(429);
  });
});

describe('15 limiter-key bypass', () => {
  const others = (n: number): string => `somebody-${n}`;

  test('another address of the same /64, however it is written, is the same address', async () => {
    const spelling = (n: number): string =>
      [`2001:db8:1:1::${n.toString(16)}`, `2001:0DB8:0001:0001:ABCD:0:0:${n}`, `2001:db8:1:1:${n}::`][n % 3] ?? '';
    for (let n = 1; n <= ADDRESS_LIMIT; n++) expect((await guess(others(n), TOO_LONG, spelling(n))).status).toBe(400);
    for (let n = 1; n <= 4; n++) expect((await guess(others(n), TOO_LONG, spelling(n + 100))).status).toBe(429);
    expect((await guess(others(1), TOO_LONG, '2001:db8:1:2::1')).status).toBe(400);
  });

  test('what a visitor puts in front of the proxy’s own entry, or a port behind it, changes nothing', async () => {
    const spelling = (n: number): string =>
      [`203.0.113.${n}, 192.0.2.7`, `192.0.2.7:${1024 + n}`, `::ffff:192.0.2.7`, `unknown, 192.0.2.7`][n % 4] ?? '';
    for (let n = 1; n <= ADDRESS_LIMIT; n++) expect((await guess(others(n), TOO_LONG, spelling(n))).status).toBe(400);
    for (let n = 1; n <= 4; n++) expect((await guess(others(n), TOO_LONG, spelling(n + 50))).status).toBe(429);
  });
});

describe('17 enumeration', () => {
  /** The page without what differs for everybody: numbers, names typed, tokens. */
  const shape = (page: Page, username: string): string =>
    page.body
      .replaceAll(username, '<username>')
      .replaceAll(/interaction\/[\w-]+/g, 'interaction/<uid>')
      .replaceAll(/value="[\w-]{43}"/g, 'value="<token>"')
      .replaceAll(/[0-9A-Z]{4}-[0-9A-Z]{4}/g, '<reference>');
  const headerNames = (page: Page): string[] => Object.keys(page.headers).toSorted();

  test('known, unknown and suspended names get the same pages, up to the limit and beyond it', async () => {
    const seen = await Promise.all(
      ['alice', 'nobody-at-all', 'suspended'].map(async (username) => {
        const visitor = await asked(username);
        const pages = [visitor.page];
        for (let n = 0; n <= LIMIT; n++) pages.push(await visitor.request(...passwordForm(visitor, 'wrong password')));
        return pages.map((page) => [page.status, headerNames(page), shape(page, username)]);
      }),
    );
    expect(seen[1]).toEqual(seen[0]);
    expect(seen[2]).toEqual(seen[0]);
    expect(seen[0]?.map(([status]) => status)).toEqual([200, ...Array(LIMIT).fill(400), 429]);
  });

  test('a suspended person’s right password is as wrong as any', async () => {
    expect((await guess('suspended', suspended.password)).status).toBe(400);
  });

  test('an unknown name costs the same time; what cannot be a password (53) costs none', async () => {
    const fastest = new Map<string, number>();
    const time = async (what: string, username: string, password: string): Promise<void> => {
      const visitor = await asked(username);
      const started = performance.now();
      await visitor.submit({ password });
      fastest.set(what, Math.min(fastest.get(what) ?? Number.POSITIVE_INFINITY, performance.now() - started));
    };
    for (let n = 0; n < LIMIT; n++) {
      await time('known', 'alice', 'wrong password');
      await time('unknown', 'nobody-at-all', 'wrong password');
      await time('suspended', 'suspended', 'wrong password');
      await time('too long', 'bruno', 'x'.repeat(10_000));
    }
    // The difference to find is tenfold; a busy machine blurs what is less than fourfold.
    const known = fastest.get('known') ?? 0;
    for (const what of ['unknown', 'suspended']) {
      expect([what, (fastest.get(what) ?? 0) > known / 4, (fastest.get(what) ?? 0) < known * 4]).toEqual([
        what,
        true,
        true,
      ]);
    }
    expect(fastest.get('too long')).toBeLessThan(known / 2);
  });
});

describe('53 hash flood', () => {
  test('a password of a megabyte is refused before it is read to its end', async () => {
    const visitor = await asked('alice');
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
      settings: { passwords: { hash: 'bcrypt', bcrypt: { cost: 10 } }, limits: { address: { count: 20 } } },
    });
    at = await Portal.discover(another, mutuelle);
  });
  afterAll(() => another?.stop());
  beforeEach(() => another.advanceClock(WINDOW + 1));

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
