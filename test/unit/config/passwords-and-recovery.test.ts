import { describe, expect, test } from '@jest/globals';
import { check, markedLine, server } from './folder.ts';

const MINUTE = 60;
const HOUR = 60 * MINUTE;

test('without a word about them, passwords, locks and mails are as the documentation says', () => {
  const { config, problems } = check(server(''));
  expect(problems).toEqual([]);
  expect(config?.passwords).toMatchObject({ min_length: 15, min_length_with_more: 8 });
  expect(config?.passwords.breach_lookup).toBeUndefined();
  expect(config?.recovery).toEqual({ mail_usernames: false });
  expect(config?.limits).toMatchObject({
    lockout: { tries: 5, first: 15 * MINUTE, longest: 24 * HOUR, memory: 24 * HOUR },
    recovery_address: { count: 20, window: 15 * MINUTE },
    recovery_account: { count: 3, window: 15 * MINUTE },
  });
});

test('a breach look-up needs no more than its section; what it does is fail-open, and said', () => {
  const { config } = check(server('passwords:\n  breach_lookup: {}'));
  expect(config?.passwords.breach_lookup).toEqual({
    url: 'https://api.pwnedpasswords.com/range',
    timeout: 2,
    on_failure: 'accept',
  });
});

test('mails are sent one after the other unless more connections are wanted', () => {
  const mail = 'mail:\n  host: localhost\n  port: 25\n  tls: none\n  from: a@portal.test\n';
  expect(check(server(mail)).config?.mail?.connections).toBe(1);
  expect(check(server(`${mail}  connections: 4\n`)).config?.mail?.connections).toBe(4);
});

describe('refused with line, setting and what is allowed', () => {
  test.each([
    ['fewer tries than three', 'limits:\n  lockout:\n    tries: 2 # !', 'limits.lockout.tries', /whole number/],
    ['a lock of no length', 'limits:\n  lockout:\n    first: 0 # !', 'limits.lockout.first', /length of time/],
    ['a memory of no length', 'limits:\n  lockout:\n    memory: 0s # !', 'limits.lockout.memory', /length of time/],
    ['the limit of earlier versions', 'limits:\n  account: {} # !', 'limits.account', /unknown key `account`/],
    [
      'a minimum below eight',
      'passwords:\n  min_length_with_more: 7 # !',
      'passwords.min_length_with_more',
      /from 8 to 64/,
    ],
    [
      'a range API that is no address',
      'passwords:\n  breach_lookup:\n    url: pwned # !',
      'passwords.breach_lookup.url',
      /address/,
    ],
    [
      'another way to fail',
      'passwords:\n  breach_lookup:\n    on_failure: maybe # !',
      'passwords.breach_lookup.on_failure',
      /one of "accept", "refuse"/,
    ],
    ['yes for true', 'recovery:\n  mail_usernames: yes # !', 'recovery.mail_usernames', /must be true or false/],
  ])('%s', (_behaviour, yaml, path, message) => {
    const files = server(yaml);
    const { problems, config } = check(files);
    const line = markedLine(files, 'vestibule.yaml');
    expect(problems).toMatchObject([{ line, path, message: expect.stringMatching(message) }]);
    expect(config).toBeUndefined();
  });
});
