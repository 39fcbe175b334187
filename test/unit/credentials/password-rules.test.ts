import { afterAll, describe, expect, test } from '@jest/globals';
import { dictionary } from '@zxcvbn-ts/language-common';
import { createPasswordRules } from '../../../src/credentials/password/rules.ts';
import { createLogger } from '../../../src/kernel/logger.ts';

const logger = createLogger('silent');
const settings = { min_length: 15, min_length_with_more: 8, hash: 'argon2id' as const };
const alice = { words: ['alice', 'a.liddell@wonder.example.org', 'Alice Liddell', 'Mutuelle Nord'] };
const nobody = { words: [] };

const rules = createPasswordRules({ settings, logger });
const withBcrypt = createPasswordRules({ settings: { ...settings, hash: 'bcrypt' }, logger });
afterAll(() => Promise.all([rules.close(), withBcrypt.close()]));

const codeOf = async (password: string, person = alice) => (await rules.check(password, person, true))?.code;

describe('length', () => {
  test.each([
    ['nothing', '', true, { code: 'new_password_required' }],
    ['too few characters', 'xk#7 w', true, { code: 'password_too_short', values: { count: 8 } }],
    ['too few where it stands alone', 'kv7#Lq2x', false, { code: 'password_too_short', values: { count: 15 } }],
    ['enough with a second factor', 'kv7#Lq2x', true, undefined],
    [
      'characters are counted, not their parts',
      '🐎🔋📎🦄🎷🌋🧭',
      true,
      { code: 'password_too_short', values: { count: 8 } },
    ],
    ['257 characters', 'xk#7 w'.repeat(43).slice(0, 257), true, { code: 'password_too_long' }],
    ['a megabyte', 'x'.repeat(1_000_000), true, { code: 'password_too_long' }],
  ])('%s', async (_what, password, protectedOtherwise, problem) => {
    expect(await rules.check(password, alice, protectedOtherwise)).toEqual(problem);
  });

  test('256 characters are allowed; bcrypt takes 72 bytes', async () => {
    const long = 'correct horse battery staple '.repeat(9).slice(0, 256);
    expect(await rules.check(long, alice, false)).toBeUndefined();
    expect(await withBcrypt.check(long.slice(0, 72), alice, false)).toBeUndefined();
    expect(await withBcrypt.check(long.slice(0, 73), alice, false)).toEqual({ code: 'password_too_long' });
    expect(await withBcrypt.check('é'.repeat(37), alice, false)).toEqual({ code: 'password_too_long' });
  });

  test('the minimum is for the page to say', () => {
    expect([rules.minimum(false), rules.minimum(true)]).toEqual([15, 8]);
  });
});

describe('no composition rules', () => {
  test.each([
    'correct horse battery staple',
    'orange tiger summer earth',
    'abacus abdomen abdominal abide',
    'a-brand-new-password-for-alice',
    'alice-demo-password',
    'mein schönes neues Fahrrad',
    'пароль длинный и хороший',
    '知らない言葉を四つ並べて書いた文',
    '🐎🔋📎🦄🎷🌋🧭🪗🥝🛶🪁🧊🪜🫖🪵',
    'two  spaces   and	a tab here',
    'combining e\u0301 and \ud800 alone',
    'constructor __proto__ toString',
  ])('%s', async (password) => {
    expect(await rules.check(password, alice, false)).toBeUndefined();
  });
});

describe('refused', () => {
  test.each([
    ['password123!', 'password_common'],
    ['Password1', 'password_common'],
    ['p4ssw0rd', 'password_common'],
    ['extraordinarily', 'password_common'],
    ['constructor', 'password_common'],
    ['passwordpassword', 'password_guessable'],
    ['123456789012345', 'password_guessable'],
    ['aaaaaaaaaaaaaaaa', 'password_guessable'],
    ['               ', 'password_guessable'],
    ['qwertyuiopasdfgh', 'password_guessable'],
    ['iloveyouiloveyou', 'password_guessable'],
    ['01.01.1990', 'password_guessable'],
    ['abcabcabc'.repeat(28), 'password_guessable'],
    ['alicealicealice1', 'password_personal'],
    ['4l1c3.L1dd3ll', 'password_personal'],
    ['lleddil-ecila', 'password_personal'],
    ['Àlicé2024!', 'password_personal'],
    ['a.liddell@wonder.example.org', 'password_personal'],
    ['wonder.example', 'password_personal'],
    ['MutuelleNord2024', 'password_personal'],
    ['Mutuelle Nord Alice', 'password_personal'],
  ])('%s: %s', async (password, code) => {
    expect(await codeOf(password)).toBe(code);
  });

  test('somebody else’s name is only a name', async () => {
    expect(await codeOf('alicealicealice1', nobody)).toBe('password_guessable');
    expect(await codeOf('MutuelleNord2024', nobody)).toBeUndefined();
  });

  test('a long password is as good as its best part', async () => {
    expect(await codeOf(`${'a'.repeat(70)}kv7#Lq2x`)).toBeUndefined();
    expect(await codeOf(`${'a'.repeat(70)}${'b'.repeat(70)}`)).toBe('password_guessable');
  });

  test('the 3000 most used passwords', async () => {
    const used = dictionary['passwords-common'].slice(0, 3000).filter(({ length }) => length >= 8);
    expect(used.length).toBeGreaterThan(500);
    const accepted: string[] = [];
    for (const password of used) if (!(await codeOf(password, nobody))) accepted.push(password);
    expect(accepted).toEqual([]);
  });
});
