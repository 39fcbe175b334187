import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { clientFile, Portal } from '../support/portal.ts';
import {
  codeOf,
  crowd,
  MFA,
  nextCode,
  RECOVERY_CODES,
  SECRET,
  sentenceOf,
  wrongCode,
} from '../support/second-factor.ts';
import type { Person, Vestibule } from '../support/vestibule.ts';
import type { Visitor } from '../support/visitor.ts';
import { passworded } from './support/second-factor.ts';
import { startTwins } from './support/twin.ts';

/** Wrong codes that are looked at before the first pause. */
const LIMIT = 6;
const [RIGHT = ''] = RECOVERY_CODES;
const NOBODYS = 'AAAAA-BBBBB-CCCCC';

const mutuelle = clientFile('mutuelle');
const people = crowd({ app: { totp: { secret: SECRET, recoveryCodes: RECOVERY_CODES } } });

let one: Vestibule;
let other: Vestibule;
let portal: Portal;

beforeAll(async () => {
  ({ one, other } = await startTwins({
    clients: [mutuelle],
    people: people.everybody,
    settings: { limits: { lockout: { tries: 10_000 }, address: { count: 100_000 } } },
  }));
  portal = await Portal.discover(one, mutuelle);
});
afterAll(async () => {
  await other?.stop();
  await one?.stop();
});
const advance = async (seconds: number) => Promise.all([one, other].map((each) => each.advanceClock(seconds)));
beforeEach(async () => {
  await nextCode(one);
  await other.advanceClock((one.now() - other.now()) / 1000);
});

/** A browser whose requests go to the first or the second process, at the page for the code. */
async function asked(person: Person, n = 0, way = 'totp', parameters = {}): Promise<Visitor> {
  const { port } = n % 2 === 0 ? one : other;
  const visitor = await passworded({ issuer: one.issuer, port, now: () => one.now() }, portal, person, parameters);
  if (way !== 'totp') await visitor.choose(way);
  expect(visitor.page.step).toBe(way);
  return visitor;
}
/** So many of them, at a few at a time. */
async function flood(person: Person, count: number, way = 'totp'): Promise<Visitor[]> {
  const visitors: Visitor[] = [];
  while (visitors.length < count)
    visitors.push(...(await Promise.all(Array.from({ length: 10 }, (_, n) => asked(person, n, way)))));
  return visitors;
}
const give = (by: Visitor, way: string, code: string) => by.submit(way === 'totp' ? { code } : { recovery_code: code });
const isIn = ({ page }: Visitor) => page.location?.searchParams.has('code') === true || page.step === 'recovery-codes';
const isBlocked = ({ page }: Visitor) =>
  ['factor_blocked', 'factor_blocked_ways'].some((code) => sentenceOf(code).test(page.error ?? ''));
const WAYS = [
  ['totp', () => wrongCode(one), () => codeOf(one)],
  ['recovery-code', async () => NOBODYS, async () => RIGHT],
] as const;

describe('10 TOTP replay', () => {
  test('the same code again, in the same browser, another one, another process: used', async () => {
    const person = people.next('app');
    const code = await codeOf(one);
    const first = await asked(person);
    await give(first, 'totp', code);
    expect(isIn(first)).toBe(true);
    first.cookies.clear('vestibule_session');
    await passworded(one, portal, person, {}, first);
    for (const by of [first, await asked(person), await asked(person, 1)]) {
      await give(by, 'totp', code);
      expect([by.page.status, isIn(by)]).toEqual([400, false]);
      expect(by.page.error).toMatch(sentenceOf('totp_used'));
    }
    // Nor does it step a session up, nor prove anything anew.
    for (const parameters of [{ prompt: 'login' }, { max_age: '0' }]) {
      const again = await asked(person, 0, 'totp', parameters);
      await give(again, 'totp', code);
      expect(isIn(again)).toBe(false);
    }
  });

  test.each(WAYS)('%s: 50 browsers at once, over two processes: exactly one success', async (way, _wrong, right) => {
    const visitors = await flood(people.next('app'), 50, way);
    await nextCode(one);
    await other.advanceClock((one.now() - other.now()) / 1000);
    const code = await right();
    await Promise.all(visitors.map((each) => give(each, way, code)));
    expect(visitors.filter(isIn)).toHaveLength(1);
    expect(visitors.every((each) => isIn(each) || each.page.status === 400)).toBe(true);
  });

  test('the same form ten times at once: one sign-in, and no error', async () => {
    const by = await asked(people.next('app'));
    const code = await codeOf(one);
    const { url, forms } = by.page;
    const _csrf = forms[0]?.fields.find(({ name }) => name === '_csrf')?.value ?? '';
    const body = new URLSearchParams({ _csrf, code }).toString();
    const answers = await Promise.all(
      Array.from({ length: 10 }, () => by.request('POST', url, body, { origin: url.origin })),
    );
    expect(answers.every(({ status }) => [303, 400].includes(status))).toBe(true);
    expect(new Set(answers.flatMap(({ location }) => location?.href ?? [])).size).toBe(1);
  });
});

describe('11 TOTP overlong', () => {
  test.each([-2880, -120, -3, -2, 2, 3, 120, 2880])('a code %i steps away is rejected', async (steps) => {
    const by = await asked(people.next('app'));
    await give(by, 'totp', await codeOf(one, SECRET, steps));
    expect([by.page.status, isIn(by)]).toEqual([400, false]);
  });

  test('a code that was right when the page was shown is not, later', async () => {
    const by = await asked(people.next('app'));
    const code = await codeOf(one);
    await advance(61);
    await give(by, 'totp', code);
    expect([by.page.status, isIn(by)]).toEqual([400, false]);
  });
});

describe('12 counter race', () => {
  test.each(WAYS)(
    '%s: of 100 simultaneous guesses with the right one last, six are evaluated',
    async (way, wrong, right) => {
      const visitors = await flood(people.next('app'), 100, way);
      await nextCode(one);
      await other.advanceClock((one.now() - other.now()) / 1000);
      const [bad, good] = [await wrong(), await right()];
      await Promise.all(visitors.map((each, n) => give(each, way, n === 99 ? good : bad)));
      const evaluated = visitors.filter((each) => !isBlocked(each));
      expect(visitors.every((each) => isIn(each) || each.page.status === 400)).toBe(true);
      expect([evaluated.length, visitors.filter(isIn).length]).toEqual([LIMIT, 0]);
    },
  );

  test('with the right one among them it is taken once at most', async () => {
    const visitors = await flood(people.next('app'), 60);
    await nextCode(one);
    await other.advanceClock((one.now() - other.now()) / 1000);
    const [bad, good] = [await wrongCode(one), await codeOf(one)];
    await Promise.all(visitors.map((each, n) => give(each, 'totp', n % 4 === 1 ? good : bad)));
    const wins = visitors.filter(isIn).length;
    expect(wins).toBeLessThanOrEqual(1);
    // A success begins the count anew; nothing else does.
    expect(visitors.filter((each) => !isBlocked(each)).length).toBeLessThanOrEqual(LIMIT * (1 + wins));
  });
});

describe('13 factor guessing', () => {
  test.each(WAYS)(
    '%s: six wrong ones, each in a session of its own, block; so they do after a restart',
    async (way, wrong, right) => {
      const person = people.next('app');
      for (let n = 0; n < LIMIT; n += 1) {
        const by = await asked(person, n, way);
        await give(by, way, await wrong());
        expect([by.page.status, isBlocked(by)]).toEqual([400, false]);
      }
      const expectBlocked = async (by: Visitor) => {
        await give(by, way, await right());
        expect([by.page.status, isBlocked(by), isIn(by)]).toEqual([400, true, false]);
      };
      for (const n of [0, 1]) await expectBlocked(await asked(person, n, way));
      await expectBlocked(await asked(person, 0, way, { prompt: 'login', acr_values: MFA }));
      await one.restart();
      await expectBlocked(await asked(person, 0, way));
      // The other factor lets its owner in, and does not open this one again.
      const back = await asked(person, 0, way === 'totp' ? 'recovery-code' : 'totp');
      await give(back, back.page.step ?? '', way === 'totp' ? RIGHT : await codeOf(one));
      expect(isIn(back)).toBe(true);
      await expectBlocked(await asked(person, 1, way));
      // The pause over, there is one try before the next and longer one.
      await advance(61);
      const late = await asked(person, 1, way);
      await give(late, way, await wrong());
      expect(isBlocked(late)).toBe(false);
      await advance(61);
      await expectBlocked(await asked(person, 0, way));
      await advance(61);
      const owner = await asked(person, 0, way);
      await give(owner, way, way === 'totp' ? await codeOf(one) : (RECOVERY_CODES[1] ?? ''));
      expect(isIn(owner)).toBe(true);
    },
  );

  test('tries while it is blocked do not make the pause longer', async () => {
    const person = people.next('app');
    const by = await asked(person);
    for (let n = 0; n < LIMIT + 20; n += 1) await give(by, 'totp', await wrongCode(one));
    await advance(61);
    await give(by, 'totp', await codeOf(one));
    expect(isIn(by)).toBe(true);
  });
});
