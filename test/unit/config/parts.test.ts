import { describe, expect, test } from '@jest/globals';
import {
  DEVELOPMENT_MASTER_KEYS,
  isLoopbackAddress,
  isLoopbackHost,
  nearest,
  networks,
  problemText,
} from '../../../src/config/index.ts';

describe('nearest name', () => {
  test.each([
    ['redirect_uri', 'redirect_uris'],
    ['Redirect-URIs', 'redirect_uris'],
    ['clientname', 'client_name'],
    ['scop', 'scope'],
    ['zzz', undefined],
    ['', undefined],
    ['colour_of_the_background', undefined],
  ])('of %j is %j', (name, expected) => {
    expect(nearest(name, ['client_id', 'client_name', 'redirect_uris', 'scope', 'x'])).toBe(expected);
  });

  test('of several equally far is the first', () => {
    expect(nearest('scope', ['scopes', 'scoped'])).toBe('scopes');
  });

  test('takes no time even for a name of a megabyte', () => {
    expect(nearest('x'.repeat(1_000_000), ['redirect_uris'])).toBeUndefined();
  });
});

test.each([
  ['localhost', true],
  ['127.0.0.1', true],
  ['127.255.0.9', true],
  ['[::1]', true],
  ['localhost.test', false],
  ['127.0.0.1.test', false],
  ['128.0.0.1', false],
  ['0.0.0.0', false],
  ['[::2]', false],
  ['', false],
])('host %j is loopback: %j', (host, expected) => {
  expect(isLoopbackHost(host)).toBe(expected);
});

test.each([
  ['http://localhost:3000/x', true],
  ['https://127.1/', true],
  ['http://localhost@login.test/', false],
  ['ftp://localhost/', false],
  ['localhost', false],
])('address %j is loopback: %j', (address, expected) => {
  expect(isLoopbackAddress(address)).toBe(expected);
});

test('networks hold addresses and ranges of both families', () => {
  const list = networks(['10.0.0.0/8', '192.0.2.1', '2001:db8::/32', '::1']);
  expect(list.check('10.200.3.4')).toBe(true);
  expect(list.check('192.0.2.2')).toBe(false);
  expect(list.check('2001:db8:1::1', 'ipv6')).toBe(true);
  expect(() => networks(['10.0.0.0/'])).toThrow();
});

test('a problem reads file, line, column, setting, sentence, and what was found', () => {
  const problem = {
    file: 'config/a.yaml',
    line: 3,
    column: 5,
    path: 'listen.port',
    message: 'must be a number',
    found: '"x"',
  };
  expect(problemText(problem)).toBe('config/a.yaml:3:5  listen.port  must be a number (found "x")');
  expect(problemText({ file: 'environment PORT', path: 'listen.port', message: 'is odd' })).toBe(
    'environment PORT  listen.port  is odd',
  );
});

test('the demo’s master key has the form of any other', () => {
  expect(DEVELOPMENT_MASTER_KEYS.map((key) => Buffer.from(key, 'base64').length)).toEqual([32]);
});
