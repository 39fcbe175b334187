import { expect, test } from '@jest/globals';
import { isPlainAddress } from '../../../src/notifications/index.ts';

test.each([
  'anna@example.org',
  'a.b+c@mail.example.org',
  "o'brien@example.org",
  'anna@localhost',
  'A_1-2@xn--mnchen-3ya.example',
  `${'a'.repeat(64)}@example.org`,
])('%s is one plain address', (address) => {
  expect(isPlainAddress(address)).toBe(true);
});

test.each([
  ['two, by a comma', 'anna@example.org,eve@evil.example'],
  ['two, by a semicolon', 'anna@example.org;eve@evil.example'],
  ['two, by a space', 'anna@example.org eve@evil.example'],
  ['a line end and a header', 'anna@example.org\r\nBcc: eve@evil.example'],
  ['a line end at the end', 'anna@example.org\n'],
  ['a command', 'anna@example.org>\r\nRCPT TO:<eve@evil.example'],
  ['a NUL', 'anna@example.org\0'],
  ['a name', 'Anna <anna@example.org>'],
  ['angle brackets', '<anna@example.org>'],
  ['a quoted local part', '"anna"@example.org'],
  ['a quoted local part with an address in it', '"eve@evil.example"@example.org'],
  ['a comment', 'anna(eve)@example.org'],
  ['a route', '@evil.example:anna@example.org'],
  ['two at signs', 'anna@evil.example@example.org'],
  ['a group', 'all:anna@example.org;'],
  ['an address literal', 'anna@[127.0.0.1]'],
  ['a letter that folds to another', 'mıke@example.org'],
  ['a letter that looks like another', 'аnna@example.org'],
  ['a wide at sign', 'anna＠example.org'],
  ['no domain', 'anna@'],
  ['no local part', '@example.org'],
  ['no at sign', 'anna'],
  ['two dots', 'anna..b@example.org'],
  ['a dot at the end', 'anna@example.org.'],
  ['a dash at the edge of a label', 'anna@-example.org'],
  ['a long local part', `${'a'.repeat(65)}@example.org`],
  ['a long address', `anna@${'example.'.repeat(40)}org`],
  ['nothing', ''],
])('%s is not', (_what, address) => {
  expect(isPlainAddress(address)).toBe(false);
});

test.each([[['anna@example.org']], [{ address: 'anna@example.org' }], [undefined], [null], [7]])(
  'nor is %j',
  (value) => {
    expect(isPlainAddress(value)).toBe(false);
  },
);

test('a long line is looked at once, not in every way there is', () => {
  const from = performance.now();
  expect(isPlainAddress(`${'a.'.repeat(100_000)}@`)).toBe(false);
  expect(isPlainAddress(`${'a.'.repeat(120)}@`)).toBe(false);
  expect(isPlainAddress(`a@${'a-'.repeat(120)}`)).toBe(false);
  expect(performance.now() - from).toBeLessThan(100);
});
