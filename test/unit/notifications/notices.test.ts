import { expect, test } from '@jest/globals';
import { systemRandom as random } from '../../../src/kernel/random.ts';
import { createNotices, readNotice } from '../../../src/notifications/index.ts';
import { MovableClock } from '../../contracts/workspace.ts';
import { configOf, mailSettings } from './fixtures.ts';

const clock = new MovableClock();
const { mail } = configOf(mailSettings(25));
const notices = createNotices({ mail, clock, random });

test('what is owed says whom it is about, what happened and when, and nothing secret', () => {
  const [entry, ...more] = notices.about('account-1', { event: 'passkey_added', values: { name: 'Bitwarden' } });
  expect(more).toEqual([]);
  expect(entry).toEqual({
    id: expect.stringMatching(/^[\w-]{27}$/),
    kind: 'notice',
    payload: { accountId: 'account-1', event: 'passkey_added', values: { name: 'Bitwarden' }, at: clock.now() },
    urgent: false,
    createdAt: clock.seconds,
  });
  expect(readNotice(entry?.payload ?? {})).toEqual(entry?.payload);
});

test('it may go to the address the account had before', () => {
  const [entry] = notices.about('account-1', { event: 'email_changed', values: {} }, 'old@example.org');
  expect(readNotice(entry?.payload ?? {}).to).toBe('old@example.org');
});

test('each is one of its own', () => {
  const ids = Array.from({ length: 10 }, () => notices.about('a', { event: 'totp_added', values: {} })[0]?.id);
  expect(new Set(ids).size).toBe(10);
});

test('without a mail server nothing is owed', () => {
  const nowhere = createNotices({ mail: undefined, clock, random });
  expect(nowhere.about('account-1', { event: 'totp_added', values: {} })).toEqual([]);
});

test.each([
  {},
  { accountId: 1, event: 'totp_added', values: {}, at: 1 },
  { accountId: 'a', event: 'constructor', values: {}, at: 1 },
  { accountId: 'a', event: 'totp_added', values: { name: {} }, at: 1 },
  { accountId: 'a', event: 'totp_added', values: null, at: 1 },
  { accountId: 'a', event: 'totp_added', values: {}, at: '1' },
  { accountId: 'a', event: 'totp_added', values: {}, at: 1, to: ['b@example.org'] },
])('%j is no notice', (payload) => {
  expect(() => readNotice(payload)).toThrow(TypeError);
});
