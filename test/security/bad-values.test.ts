import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { Portal } from '../support/portal.ts';
import { startVestibule, type Vestibule } from '../support/vestibule.ts';
import { Visitor } from '../support/visitor.ts';
import { expectClear, expectDiscreet } from './support/answers.ts';
import { post, send, sendRaw } from './support/http.ts';
import { alice, mutuelle, redemption, signIn } from './support/people.ts';

let vestibule: Vestibule;
let portal: Portal;
let visitor: Visitor;

beforeAll(async () => {
  vestibule = await startVestibule({ clients: [mutuelle], people: [alice] });
  portal = await Portal.discover(vestibule, mutuelle);
});
afterAll(() => vestibule?.stop());
beforeEach(() => {
  visitor = new Visitor(vestibule);
});

describe('bad input in the middle of things', () => {
  test('a code that expired, and one that never was: invalid_grant', async () => {
    const form = redemption(portal, await signIn(visitor, portal, alice));
    await vestibule.advanceClock(120);
    for (const code of [String(form.code), 'x']) {
      const answer = await post(vestibule, '/token', { ...form, code }, mutuelle);
      await expectClear(vestibule, answer, 400);
      expect(answer.json.error).toBe('invalid_grant');
    }
  });

  test.each([
    ['missing PKCE', { code_challenge: undefined, code_challenge_method: undefined }],
    ['no response type', { response_type: undefined }],
    ['an unknown prompt', { prompt: 'dance' }],
    ['an impossible age', { max_age: '-1' }],
    ['claims that are no JSON', { claims: '{' }],
    [
      'an assurance nobody can give',
      { acr_values: 'urn:example:gold', claims: '{"id_token":{"acr":{"essential":true,"value":"urn:example:gold"}}}' },
    ],
    ['an unknown response mode', { response_mode: 'carrier-pigeon' }],
    ['a resource nobody knows', { resource: 'https://api.example' }],
    ['a broken hint', { id_token_hint: 'x' }],
  ])('%s: the portal is told, the log knows', async (_what, changes) => {
    const { searchParams } = await portal.authorizationUrl();
    for (const [name, value] of Object.entries(changes)) {
      if (value === undefined) searchParams.delete(name);
      else searchParams.set(name, value);
    }
    const answer = await send(vestibule, `/auth?${searchParams}`, { headers: { accept: 'text/html' } });
    const location = new URL(answer.headers.get('location') ?? '');
    expect([answer.status, location.origin]).toEqual([303, 'http://localhost:9']);
    expect(location.searchParams.get('error')).toMatch(/^[a-z_]+$/);
    expect(location.searchParams.get('error')).not.toBe('server_error');
    expectDiscreet(answer.headers, location.search + answer.text);
    const reference = answer.headers.get('x-request-id');
    await vestibule.logged('authorization.refused', (line) => line.request_id === reference);
  });

  test.each([
    ['a name of 10,000 characters', { username: 'x'.repeat(10_000) }],
    ['no name', { username: '' }],
    ['a name of spaces', { username: ' \t\u00a0\u200b' }],
    ['NUL in a name', { username: 'ali\u0000ce' }],
    ['control characters in a name', { username: '\u0007\u001balice\r\nx' }],
    ['half a character in a name', { username: '\ud800' }],
  ])('%s: the page says so and can be corrected', async (_what, fields) => {
    await visitor.visit(await portal.authorizationUrl());
    await visitor.submit(fields);
    // Half a character never leaves a browser whole: it arrives as U+FFFD, a name like any other.
    if (fields.username === '\ud800') return expect(visitor.page.step).toBe('password');
    expect([visitor.page.status, visitor.page.step]).toEqual([400, 'identify']);
    expect(visitor.page.textOf((element) => element.attribs.id === 'problem')).toBeTruthy();
    await visitor.submit({ username: 'alice' });
    expect(visitor.page.step).toBe('password');
  });

  test.each([
    ['10,000 characters', 'x'.repeat(10_000)],
    ['nothing', ''],
    ['NUL and control characters', '\u0000\u0007\u001b'],
    ['line breaks', `${alice.password}\r\n`],
  ])('a password of %s: wrong, and nothing more', async (_what, password) => {
    await visitor.visit(await portal.authorizationUrl());
    await visitor.submit({ username: 'alice' });
    await visitor.submit({ password });
    expect([visitor.page.status, visitor.page.step]).toEqual([400, 'password']);
  });

  test.each([
    ['no host', 'GET / HTTP/1.1\r\n\r\n'],
    ['control characters in the path', 'GET /\u0001 HTTP/1.1\r\nHost: x\r\n\r\n'],
    ['a header without a name', 'GET / HTTP/1.1\r\nHost: x\r\n: y\r\n\r\n'],
    ['a header that goes on', 'GET / HTTP/1.1\r\nHost: x\r\nA: b\r\n c\r\n\r\n'],
    ['NUL in a header', 'GET / HTTP/1.1\r\nHost: x\r\nA: \u0000\r\n\r\n'],
    ['two lengths', 'POST /token HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab'],
    [
      'a length and chunks',
      'POST /token HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    ],
    ['a length that is none', 'POST /token HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n'],
    ['headers without end', `GET / HTTP/1.1\r\nHost: x\r\nA: ${'x'.repeat(20_000)}\r\n\r\n`],
    [
      'headers without number',
      `GET / HTTP/1.1\r\nHost: x\r\n${Array.from({ length: 3000 }, (_, n) => `a${n}: b\r\n`).join('')}\r\n`,
    ],
    ['another protocol', '\u0016\u0003\u0001\u0002\u0000\r\n\r\n'],
    ['HTTP/2 without a word', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
  ])('%s: refused by the parser, without a word about the inside', async (_what, bytes) => {
    const { status, head, body } = await sendRaw(vestibule, bytes);
    expect([400, 431]).toContain(status);
    expect(head + body).not.toMatch(/node|stack|at /i);
    expect((await send(vestibule, '/jwks')).status).toBe(200);
  });
});
