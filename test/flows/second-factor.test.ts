import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { clientFile, Portal } from '../support/portal.ts';
import {
  codeOf,
  crowd,
  keyOn,
  MFA,
  nextCode,
  passPassword,
  RECOVERY_CODES,
  recoveryCodesOn,
  SECRET,
  SFA,
  sentenceOf,
  withApp,
  wrongCode,
} from '../support/second-factor.ts';
import { type Person, startVestibule, type Vestibule } from '../support/vestibule.ts';
import { Visitor } from '../support/visitor.ts';
import { errorAt } from './arrange.ts';

const OTHER_SECRET = 'KRSXG5CTMVRXEZLUKRSXG5CTMVRXEZLU';
const MINUTE = 60;

const mutuelle = clientFile('mutuelle');
const demanding = clientFile('demanding', { vestibule: { first_party: true, minimum_acr: MFA } });
const people = crowd({
  plain: {},
  app: withApp,
  codes: { totp: { secret: SECRET, recoveryCodes: RECOVERY_CODES } },
  other: { totp: { secret: OTHER_SECRET } },
  demanded: { minimumAcr: MFA },
});

let vestibule: Vestibule;
let portal: Portal;
let strict: Portal;
let visitor: Visitor;

beforeAll(async () => {
  vestibule = await startVestibule({ clients: [mutuelle, demanding], people: people.everybody });
  portal = await Portal.discover(vestibule, mutuelle);
  strict = await Portal.discover(vestibule, demanding);
});
afterAll(() => vestibule.stop());
beforeEach(async () => {
  visitor = new Visitor(vestibule);
  await nextCode(vestibule);
});

const claimsOf = async (from = portal) => (await from.exchange(visitor.left)).claims();
const now = () => Math.floor(vestibule.now() / 1000);

/** Signs in up to the second step. */
async function begin(person: Person, by = visitor, parameters: Readonly<Record<string, string>> = {}, at = portal) {
  await by.visit(await at.authorizationUrl(parameters));
  await passPassword(by, person);
}
const give = (code: string, by = visitor) => by.submit({ code });

describe('the six-digit code after the password', () => {
  test('signs in, and the tokens say what was performed', async () => {
    await begin(people.next('app'));
    expect(visitor.page.step).toBe('totp');
    const before = now();
    await give(await codeOf(vestibule));
    const claims = await claimsOf();
    expect(claims).toMatchObject({ amr: ['pwd', 'otp', 'mfa'], acr: MFA });
    expect(Number(claims?.auth_time)).toBeGreaterThanOrEqual(before);
  });

  test('is not reached with a wrong password, and nothing tells that there is one', async () => {
    await visitor.visit(await portal.authorizationUrl());
    await visitor.submit({ username: people.next('app').username });
    await visitor.submit({ password: 'something-else-altogether' });
    expect([visitor.page.status, visitor.page.step]).toEqual([400, 'password']);
    expect(visitor.page.text).not.toMatch(/six-digit/i);
  });

  test('comes before the portal gets anything, whatever address is visited instead', async () => {
    await begin(people.next('app'));
    const { pathname } = visitor.page.url;
    for (const step of ['password', 'consent', 'recovery-codes', 'enrol-totp']) {
      await visitor.visit(pathname.replace('totp', step));
      expect(visitor.page.step).toBe('totp');
    }
    // Going on without an answer begins anew.
    await visitor.visit(pathname.replace(/^\/interaction\/([^/]+).*/, '/auth/$1'));
    expect(visitor.page.step).toBe('identify');
  });

  const WRITTEN: readonly (readonly [string, (code: string) => string])[] = [
    ['in two groups', (code) => `${code.slice(0, 3)} ${code.slice(3)}`],
    ['with spaces around and between', (code) => ` ${[...code].join('\u00a0')}\t`],
    ['with a hyphen', (code) => `${code.slice(0, 3)}-${code.slice(3)}`],
    ['in full-width digits', (code) => code.replace(/\d/g, (digit) => String.fromCharCode(0xff10 + Number(digit)))],
  ];
  test.each(WRITTEN)('is accepted %s', async (_how, write) => {
    await begin(people.next('app'));
    await give(write(await codeOf(vestibule)));
    expect(errorAt(visitor.left)).toBeNull();
  });

  test.each([
    ['nothing', '', 'totp_required'],
    ['spaces', '   ', 'totp_required'],
    ['letters', 'abcdef', 'totp_malformed'],
    ['a letter among digits', '12345O', 'totp_malformed'],
    ['five digits', '12345', 'totp_malformed'],
    ['seven digits', '1234567', 'totp_malformed'],
    ['a sum', '1e1000', 'totp_malformed'],
    ['a very long text', '1'.repeat(4000), 'totp_malformed'],
  ])('is asked for again after %s', async (_what, typed, problem) => {
    await begin(people.next('app'));
    await give(typed);
    expect([visitor.page.status, visitor.page.step]).toEqual([400, 'totp']);
    expect(visitor.page.error).toMatch(sentenceOf(problem));
    await give(await codeOf(vestibule));
    expect(errorAt(visitor.left)).toBeNull();
  });

  test('what is no code at all is not counted as a wrong one', async () => {
    await begin(people.next('app'));
    for (let tries = 0; tries < 8; tries += 1) await give('no code');
    await give(await codeOf(vestibule));
    expect(errorAt(visitor.left)).toBeNull();
  });

  test.each([-1, 0, 1])('is good %i steps from now', async (steps) => {
    await begin(people.next('app'));
    await give(await codeOf(vestibule, SECRET, steps));
    expect(errorAt(visitor.left)).toBeNull();
  });

  test.each([-20, -2, 2, 20])('is wrong %i steps from now', async (steps) => {
    await begin(people.next('app'));
    await give(await codeOf(vestibule, SECRET, steps));
    expect([visitor.page.status, visitor.page.error]).toEqual([400, expect.stringMatching(sentenceOf('totp_wrong'))]);
  });

  test('of another account is wrong', async () => {
    await begin(people.next('app'));
    await give(await codeOf(vestibule, OTHER_SECRET));
    expect(visitor.page.error).toMatch(sentenceOf('totp_wrong'));
  });

  test('works once, and so do those before it; the next one signs in', async () => {
    const person = people.next('app');
    const code = await codeOf(vestibule, SECRET, 1);
    await begin(person);
    await give(code);
    const second = new Visitor(vestibule);
    await begin(person, second);
    for (const used of [code, await codeOf(vestibule)]) {
      await give(used, second);
      expect([second.page.status, second.page.step]).toEqual([400, 'totp']);
      expect(second.page.error).toMatch(sentenceOf('totp_used'));
    }
    await vestibule.restart();
    await give(code, second);
    expect(second.page.error).toMatch(sentenceOf('totp_used'));
    await nextCode(vestibule);
    await give(await codeOf(vestibule, SECRET, 1), second);
    expect(errorAt(second.left)).toBeNull();
  });

  test('used in many browsers at once lets one of them in', async () => {
    const person = people.next('app');
    const visitors = Array.from({ length: 5 }, () => new Visitor(vestibule));
    for (const each of visitors) await begin(person, each);
    const code = await codeOf(vestibule);
    await Promise.all(visitors.map((each) => give(code, each)));
    expect(visitors.filter(({ page }) => page.location !== undefined)).toHaveLength(1);
    for (const { page } of visitors.filter(({ page: { location } }) => location === undefined))
      expect(page.error).toMatch(sentenceOf('totp_used'));
  });
});

describe('six wrong codes', () => {
  const guess = async (times: number, by = visitor) => {
    for (let tries = 0; tries < times; tries += 1) {
      await give(await wrongCode(vestibule), by);
      expect(by.page.error).toMatch(sentenceOf('totp_wrong'));
    }
  };
  const expectBlocked = async (by: Visitor, wait: RegExp) => {
    await give(await codeOf(vestibule), by);
    expect([by.page.status, by.page.step]).toEqual([400, 'totp']);
    expect(by.page.error).toMatch(sentenceOf('factor_blocked'));
    expect(by.page.error).toMatch(wait);
  };

  test('block the factor, in any browser, also after a restart, for a pause that grows', async () => {
    const person = people.next('app');
    await begin(person);
    await guess(3);
    const second = new Visitor(vestibule);
    await begin(person, second);
    await guess(3, second);
    await expectBlocked(visitor, /1 minute|\d+ seconds/);
    await vestibule.restart();
    const third = new Visitor(vestibule);
    await begin(person, third);
    await expectBlocked(third, /1 minute|\d+ seconds/);
    await vestibule.advanceClock(MINUTE + 1);
    await guess(1, third);
    await expectBlocked(third, /2 minutes/);
    await vestibule.advanceClock(MINUTE + 1);
    await expectBlocked(third, /minute|seconds/);
    await vestibule.advanceClock(MINUTE);
    await give(await codeOf(vestibule), third);
    expect(errorAt(third.left)).toBeNull();
    // What was wrong before is forgotten.
    const fourth = new Visitor(vestibule);
    await begin(person, fourth);
    await guess(5, fourth);
    await nextCode(vestibule);
    await give(await codeOf(vestibule), fourth);
    expect(errorAt(fourth.left)).toBeNull();
  });

  test('at once are looked at six times and no more', async () => {
    const person = people.next('app');
    const visitors = Array.from({ length: 12 }, () => new Visitor(vestibule));
    for (const each of visitors) await begin(person, each);
    const wrong = await wrongCode(vestibule);
    await Promise.all(visitors.map((each) => give(wrong, each)));
    const blocked = visitors.filter(({ page }) => sentenceOf('factor_blocked').test(page.error ?? ''));
    expect(blocked).toHaveLength(6);
  });

  test('leave the recovery codes usable, and other people in peace', async () => {
    const person = people.next('codes');
    await begin(person);
    await guess(6);
    await expectBlocked(visitor, /minute|seconds/);
    await visitor.choose('recovery-code');
    await visitor.submit({ recovery_code: RECOVERY_CODES[0] ?? '' });
    await visitor.submit();
    expect(await claimsOf()).toMatchObject({ amr: ['pwd', 'otp', 'mfa'], acr: MFA });
    const other = new Visitor(vestibule);
    await begin(people.next('app'), other);
    await give(await codeOf(vestibule), other);
    expect(errorAt(other.left)).toBeNull();
  });
});

describe('an app is set up on the way in', () => {
  const DEMANDS: readonly (readonly [string, 'plain' | 'demanded', Record<string, string>, () => Portal])[] = [
    ['the account', 'demanded', {}, () => portal],
    ['the client', 'plain', {}, () => strict],
    ['the request', 'plain', { acr_values: MFA }, () => portal],
  ];
  test.each(DEMANDS)('where %s demands it', async (_who, kind, parameters, at) => {
    const person = people.next(kind);
    await begin(person, visitor, parameters, at());
    expect(visitor.page.step).toBe('enrol-totp');
    await give(await codeOf(vestibule, keyOn(visitor.page)));
    expect(visitor.page.step).toBe('recovery-codes');
    const codes = recoveryCodesOn(visitor.page);
    expect(new Set(codes).size).toBe(10);
    await visitor.submit();
    expect([visitor.page.status, visitor.page.error]).toEqual([
      400,
      expect.stringMatching(sentenceOf('recovery_codes_not_kept')),
    ]);
    await visitor.visit(visitor.page.url);
    expect(recoveryCodesOn(visitor.page)).toEqual(codes);
    await visitor.submit({ kept: 'yes' });
    expect(await claimsOf(at())).toMatchObject({ amr: ['pwd', 'otp', 'mfa'], acr: MFA });

    const second = new Visitor(vestibule);
    await begin(person, second);
    expect(second.page.step).toBe('totp');
  });

  test('with the app’s own code only; the key stays until then', async () => {
    await begin(people.next('demanded'));
    const key = keyOn(visitor.page);
    await give(await codeOf(vestibule));
    expect([visitor.page.status, visitor.page.step]).toEqual([400, 'enrol-totp']);
    expect(visitor.page.error).toMatch(sentenceOf('totp_wrong_app'));
    expect(keyOn(visitor.page)).toBe(key);
    await give(await codeOf(vestibule, key));
    expect(visitor.page.step).toBe('recovery-codes');
  });

  test('never where nobody demands it', async () => {
    await begin(people.next('plain'));
    expect(await claimsOf()).toMatchObject({ amr: ['pwd'], acr: SFA });
  });
});
