import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { createBreachLookup } from '../../../src/credentials/password/breaches.ts';
import { createPasswordRules } from '../../../src/credentials/password/rules.ts';
import { createLogger } from '../../../src/kernel/logger.ts';

const PASSWORD = 'correct horse battery staple';
const HASH = createHash('sha1').update(PASSWORD).digest('hex').toUpperCase();
const SUFFIX = HASH.slice(5);
const OTHER = '0018A45C4D1DEF81644B54AB7F969B88D65';

let server: Server;
let url: string;
let answer: RequestListener;
const asked: IncomingMessage[] = [];
const lines: string[] = [];
const logger = createLogger('info', { write: (line) => lines.push(line) });

beforeEach(async () => {
  asked.length = 0;
  lines.length = 0;
  server = createServer((request, response) => {
    asked.push(request);
    answer(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/range/`;
});

afterEach(() => {
  server.closeAllConnections();
  server.close();
});

const lookUp = (onFailure: 'accept' | 'refuse' = 'refuse', timeout = 2) =>
  createBreachLookup({ url, timeout, on_failure: onFailure }, logger)(PASSWORD);
const says =
  (body: string, status = 200): RequestListener =>
  (_request, response) =>
    response.writeHead(status).end(body);

describe('an answer', () => {
  test.each([
    ['with the password in it', `${OTHER}:3\r\n${SUFFIX}:37\r\n`, 'password_breached'],
    ['in small letters, from a mirror', `${SUFFIX.toLowerCase()}:1`, 'password_breached'],
    ['with others only', `${OTHER}:3\r\n`, undefined],
    ['with it as padding', `${OTHER}:3\r\n${SUFFIX}:0\r\n`, undefined],
    ['that is empty', '', undefined],
  ])('%s', async (_what, body, found) => {
    answer = says(body);
    expect(await lookUp()).toBe(found);
    expect(lines).toEqual([]);
  });

  test('only five characters of the hash leave', async () => {
    answer = says('');
    await lookUp();
    const [request] = asked;
    expect(request?.url).toBe(`/range/${HASH.slice(0, 5)}`);
    expect(request?.headers['add-padding']).toBe('true');
    expect(JSON.stringify(request?.rawHeaders)).not.toContain(SUFFIX.slice(0, 5));
    expect(request?.headers['content-length']).toBeUndefined();
  });
});

describe('no answer', () => {
  const FAILURES: readonly (readonly [string, RequestListener, string])[] = [
    ['an error', says('', 500), 'answered 500'],
    ['a page instead', says('<!doctype html><title>Sign in to the network</title>'), 'answered something else'],
    ['more than a megabyte', says(`${OTHER}:1\r\n`.repeat(40_000)), 'answered too much'],
    ['a redirect', (_request, response) => response.writeHead(302, { location: '/else' }).end(), 'TypeError'],
    ['silence', () => undefined, 'timed out'],
    ['an answer that never ends', (_request, response) => response.write(`${OTHER}:1\r\n`), 'timed out'],
    ['a connection cut off', (request) => request.socket.destroy(), 'UND_ERR_SOCKET'],
  ];

  test.each(FAILURES)('%s', async (_what, listener, reason) => {
    answer = listener;
    expect(await lookUp('refuse', 0.3)).toBe('breach_lookup_failed');
    expect(await lookUp('accept', 0.3)).toBeUndefined();
    expect(asked).toHaveLength(2);
    expect(lines.map((line) => JSON.parse(line))).toMatchObject([
      { level: 'warn', event: 'password.breach_lookup.failed', reason },
      { level: 'warn', event: 'password.breach_lookup.failed', reason },
    ]);
    expect(lines.join('')).not.toMatch(new RegExp(`${PASSWORD}|${HASH.slice(0, 5)}`, 'i'));
  });

  test('nobody there', async () => {
    server.close();
    expect(await lookUp()).toBe('breach_lookup_failed');
    expect(JSON.parse(lines[0] ?? '{}')).toMatchObject({ reason: 'ECONNREFUSED' });
  });
});

test('the rules ask it last, and about nothing they refuse anyway', async () => {
  answer = says(`${SUFFIX}:37`);
  const rules = createPasswordRules({
    settings: {
      min_length: 15,
      min_length_with_more: 8,
      hash: 'argon2id',
      breach_lookup: { url, timeout: 2, on_failure: 'accept' },
    },
    logger,
  });
  expect(await rules.check('aaaaaaaaaaaaaaaa', { words: [] }, false)).toEqual({ code: 'password_guessable' });
  expect(asked).toHaveLength(0);
  expect(await rules.check(PASSWORD, { words: [] }, false)).toEqual({ code: 'password_breached' });
  expect(await rules.check(`${PASSWORD}, mended`, { words: [] }, false)).toBeUndefined();
  expect(asked).toHaveLength(2);
  await rules.close();
});
