import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { runInNewContext } from 'node:vm';
import { expect, test } from '@jest/globals';

const script = readFileSync(join(import.meta.dirname, '../../../views/assets/password-strength.js'), 'utf8');
const dataset = {
  min: '15',
  short: 'missing: {count}',
  enough: 'long enough',
  repeats: 'repeats itself',
  personal: 'is about you',
  words: 'alice,alice.liddell@example.org,Mutuelle Nord',
};

/** The script on a page of which it sees no more than this. */
function page() {
  const hint = { hidden: true, textContent: '', dataset };
  const timers = new Map<number, () => void>();
  let typed: () => void = () => undefined;
  const field = {
    value: '',
    addEventListener: (_event: string, listener: () => void) => {
      typed = listener;
    },
  };
  runInNewContext(script, {
    document: { getElementById: (id: string) => (id === 'strength' ? hint : field) },
    setTimeout: (work: () => void) => {
      timers.set(timers.size + 1, work);
      return timers.size;
    },
    clearTimeout: (timer: number) => timers.set(timer, () => undefined),
  });
  return {
    hint,
    type: (value: string) => {
      field.value = value;
      typed();
    },
    pause: () => {
      for (const work of timers.values()) work();
    },
  };
}

test.each([
  ['', ''],
  ['short', 'missing: 10'],
  ['🐎🔋📎', 'missing: 12'],
  ['aaaaaaaaaaaaaaaa', 'repeats itself'],
  ['passwordpassword', 'repeats itself'],
  ['abcdefghijklmnop', 'repeats itself'],
  ['123454321234543', 'repeats itself'],
  ['Alice-Liddell-2024', 'is about you'],
  ['mutuelle nord 24', 'is about you'],
  ['a-brand-new-password-for-alice', 'long enough'],
  ['correct horse battery staple', 'long enough'],
])('%j: %j', (password, sentence) => {
  const { hint, type, pause } = page();
  expect(hint.hidden).toBe(false);
  type(password);
  expect(hint.textContent).toBe('');
  pause();
  expect(hint.textContent).toBe(sentence);
});

test('nothing is said until the person pauses, then once', () => {
  const { hint, type, pause } = page();
  for (const value of ['c', 'co', 'cor']) type(value);
  expect(hint.textContent).toBe('');
  pause();
  expect(hint.textContent).toBe('missing: 12');
});
