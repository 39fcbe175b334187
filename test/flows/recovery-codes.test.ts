import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { clientFile, Portal } from '../support/portal.ts';
import {
  codeOf,
  crowd,
  MFA,
  nextCode,
  passPassword,
  RECOVERY_CODES,
  recoveryCodesOn,
  SECRET,
  sentenceOf,
  withApp,
} from '../support/second-factor.ts';
import { type Person, startVestibule, type Vestibule } from '../support/vestibule.ts';
import { Visitor } from '../support/visitor.ts';
import { errorAt } from './arrange.ts';

const mutuelle = clientFile('mutuelle');
const list = (count: number) => ({ totp: { secret: SECRET, recoveryCodes: RECOVERY_CODES.slice(0, count) } });
const people = crowd({ ten: list(10), five: list(5), four: list(4), one: list(1), app: withApp });
const [FIRST = '', SECOND = ''] = RECOVERY_CODES;

let vestibule: Vestibule;
let portal: Portal;
let visitor: Visitor;

beforeAll(async () => {
  vestibule = await startVestibule({ clients: [mutuelle], people: people.everybody });
  portal = await Portal.discover(vestibule, mutuelle);
});
afterAll(() => vestibule.stop());
beforeEach(async () => {
  visitor = new Visitor(vestibule);
  await nextCode(vestibule);
});

/** Signs in up to the page for a recovery code. */
async function begin(person: Person, by = visitor): Promise<void> {
  await by.visit(await portal.authorizationUrl());
  await passPassword(by, person);
  expect(by.page.step).toBe('totp');
  await by.choose('recovery-code');
  expect(by.page.step).toBe('recovery-code');
}
const give = (recovery_code: string, by = visitor) => by.submit({ recovery_code });
const expectRefused = (problem: string, by = visitor) => {
  expect([by.page.status, by.page.step]).toEqual([400, 'recovery-code']);
  expect(by.page.error).toMatch(sentenceOf(problem));
};

test('a recovery code signs in; how many are left is said before going on', async () => {
  await begin(people.next('ten'));
  await give(FIRST);
  expect(visitor.page.step).toBe('recovery-codes');
  expect(visitor.page.text).toMatch(/\b9\b/);
  // Only the count: the codes themselves are never shown again, and none is needed yet.
  expect(recoveryCodesOn(visitor.page)).toEqual([]);
  expect(visitor.page.body).not.toContain(SECOND);
  expect(visitor.page.alternatives.has('renew')).toBe(false);
  await visitor.submit();
  expect((await portal.exchange(visitor.left)).claims()).toMatchObject({ amr: ['pwd', 'otp', 'mfa'], acr: MFA });
});

test('works once, also after a restart; another one still does', async () => {
  const person = people.next('ten');
  await begin(person);
  await give(FIRST);
  await vestibule.restart();
  const second = new Visitor(vestibule);
  await begin(person, second);
  await give(FIRST, second);
  expectRefused('recovery_code_wrong', second);
  await give(SECOND, second);
  expect(second.page.text).toMatch(/\b8\b/);
});

test('in many browsers at once lets one of them in', async () => {
  const person = people.next('ten');
  const visitors = Array.from({ length: 5 }, () => new Visitor(vestibule));
  for (const each of visitors) await begin(person, each);
  await Promise.all(visitors.map((each) => give(FIRST, each)));
  expect(visitors.filter(({ page }) => page.step === 'recovery-codes')).toHaveLength(1);
});

test('of somebody else is wrong', async () => {
  // The same words stand on another person's list, too, where they were used: lists are each person's own.
  const other = people.next('one');
  await begin(other, visitor);
  await give(SECOND);
  expectRefused('recovery_code_wrong');
});

const WRITTEN: readonly (readonly [string, (code: string) => string])[] = [
  ['in lower case', (code) => code.toLowerCase()],
  ['without separators', (code) => code.replaceAll('-', '')],
  ['with spaces', (code) => ` ${code.replaceAll('-', ' ')} `],
  ['with dashes and dots', (code) => code.replace('-', ' – ').replace('-', '.')],
  ['with letters for the digits that look like them', (code) => code.replaceAll('0', 'o')],
  [
    'in full-width letters',
    (code) => code.replace(/\w/g, (c) => String.fromCodePoint((c.codePointAt(0) ?? 0) + 0xfee0)),
  ],
];
test.each(WRITTEN)('is accepted %s', async (_how, write) => {
  await begin(people.next('ten'));
  await give(write(FIRST));
  expect(visitor.page.step).toBe('recovery-codes');
});

test.each([
  ['nothing', '', 'recovery_code_required'],
  ['spaces', '  ', 'recovery_code_required'],
  ['half of one', '7K3Q0-0XW2M', 'recovery_code_malformed'],
  ['one and a half', `${RECOVERY_CODES[0]}-7K3Q0`, 'recovery_code_malformed'],
  ['a very long text', 'A'.repeat(4000), 'recovery_code_malformed'],
  ['a code that was never given', 'AAAAA-BBBBB-CCCCC', 'recovery_code_wrong'],
  ['six digits', '123456', 'recovery_code_malformed'],
])('is asked for again after %s', async (_what, typed, problem) => {
  await begin(people.next('ten'));
  await give(typed);
  expectRefused(problem);
});

test('six wrong ones block them for a while; the app still works', async () => {
  const person = people.next('ten');
  await begin(person);
  for (let tries = 0; tries < 6; tries += 1) await give('AAAAA-BBBBB-CCCCC');
  await give(FIRST);
  expectRefused('factor_blocked');
  expect(visitor.page.error).toMatch(/minute|seconds/);
  await vestibule.restart();
  await give(FIRST);
  expectRefused('factor_blocked');
  await visitor.choose('totp');
  await visitor.submit({ code: await codeOf(vestibule) });
  expect(errorAt(visitor.left)).toBeNull();
});

test('is offered to those only who have one', async () => {
  await visitor.visit(await portal.authorizationUrl());
  await passPassword(visitor, people.next('app'));
  expect(visitor.page.alternatives.has('recovery-code')).toBe(false);
  await visitor.post(visitor.page.url, {
    _csrf: visitor.page.forms[0]?.fields.find(({ name }) => name === '_csrf')?.value ?? '',
    alternative: 'recovery-code',
  });
  expect(visitor.page.step).toBe('totp');
});

describe('with three left', () => {
  test('new ones are offered, and may be left for later', async () => {
    await begin(people.next('four'));
    await give(FIRST);
    expect(visitor.page.text).toMatch(/\b(3|three)\b/);
    expect(visitor.page.alternatives.has('renew')).toBe(true);
    await visitor.submit();
    expect(errorAt(visitor.left)).toBeNull();
  });

  test('and not before', async () => {
    await begin(people.next('five'));
    await give(FIRST);
    expect(visitor.page.alternatives.has('renew')).toBe(false);
  });

  test('a new list replaces the old one, and is shown until it is kept', async () => {
    const person = people.next('four');
    await begin(person);
    await give(FIRST);
    await visitor.choose('renew');
    const codes = recoveryCodesOn(visitor.page);
    expect(new Set(codes).size).toBe(10);
    await visitor.submit();
    expect([visitor.page.status, recoveryCodesOn(visitor.page)]).toEqual([400, codes]);
    await visitor.submit({ kept: 'yes' });
    expect((await portal.exchange(visitor.left)).claims()).toMatchObject({ amr: ['pwd', 'otp', 'mfa'] });

    const second = new Visitor(vestibule);
    await begin(person, second);
    await give(SECOND, second);
    expectRefused('recovery_code_wrong', second);
    await give(codes[0] ?? '', second);
    expect(second.page.text).toMatch(/\b9\b/);
  });

  test('the last one leaves none: the app goes on, and new ones are offered', async () => {
    const person = people.next('one');
    await begin(person);
    await give(FIRST);
    expect(visitor.page.text).toContain('no recovery codes left');
    expect(visitor.page.alternatives.has('renew')).toBe(true);
    await visitor.submit();
    expect(errorAt(visitor.left)).toBeNull();
    const second = new Visitor(vestibule);
    await second.visit(await portal.authorizationUrl());
    await passPassword(second, person);
    expect(second.page.alternatives.has('recovery-code')).toBe(false);
    await second.submit({ code: await codeOf(vestibule) });
    expect(errorAt(second.left)).toBeNull();
  });
});

test('its use is told and recorded', async () => {
  await begin(people.next('ten'));
  await give(FIRST);
  await vestibule.logged('recovery_code.used');
  // Neither the code nor any part of it.
  expect(JSON.stringify(vestibule.logs)).not.toContain(FIRST.slice(0, 5));
});
