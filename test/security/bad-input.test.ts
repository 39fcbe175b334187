import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { Portal } from '../support/portal.ts';
import { startVestibule, type Vestibule } from '../support/vestibule.ts';
import { Visitor } from '../support/visitor.ts';
import { expectDiscreet, expectGuarded, REFERENCE } from './support/answers.ts';
import { type Answer, basic, send, sendRaw } from './support/http.ts';
import { alice, mutuelle } from './support/people.ts';

const FORM = 'application/x-www-form-urlencoded';
const HTML = { accept: 'text/html' };
const MEGABYTE = 'x'.repeat(1024 * 1024);

let vestibule: Vestibule;
let portal: Portal;
let visitor: Visitor;

beforeAll(async () => {
  vestibule = await startVestibule({
    clients: [mutuelle],
    people: [alice],
    settings: { features: { registration: { enabled: true }, device_flow: { enabled: true } } },
  });
  portal = await Portal.discover(vestibule, mutuelle);
});
afterAll(() => vestibule?.stop());
beforeEach(() => {
  visitor = new Visitor(vestibule);
});

/** A page or an OAuth error that says what is wrong, tells nothing of the inside, and has a number for the log. */
async function expectClear({ status, headers, text }: Answer, expected: number): Promise<void> {
  expect(status).toBe(expected);
  expectDiscreet(headers, text);
  expect(headers.get('cache-control')).toContain('no-store');
  const reference = headers.get('x-request-id') ?? '';
  expect(reference).toMatch(REFERENCE);
  if (headers.get('content-type')?.startsWith('text/html')) {
    expectGuarded(headers);
    expect(text).toContain('<main data-step="error">');
    expect(text).toContain(reference);
    expect(text).toMatch(/<h1>[^<]{10,}<\/h1>/);
  } else {
    const answer = JSON.parse(text) as Readonly<Record<string, unknown>>;
    expect(answer.error ?? answer.title).toMatch(/^[a-z_.]+$/);
    if (answer.title !== undefined) expect(answer.instance).toBe(`urn:vestibule:request:${reference}`);
  }
  await vestibule.logged('request', (line) => line.request_id === reference && line.status === status);
}

const authorization = async (changes: Readonly<Record<string, string | undefined>>): Promise<Answer> => {
  const { searchParams } = await portal.authorizationUrl();
  for (const [name, value] of Object.entries(changes)) {
    if (value === undefined) searchParams.delete(name);
    else searchParams.set(name, value);
  }
  return send(vestibule, `/auth?${searchParams}`, { headers: HTML });
};
const token = (body: string, headers: Readonly<Record<string, string>> = {}): Promise<Answer> =>
  send(vestibule, '/token', {
    method: 'POST',
    headers: { authorization: basic('mutuelle', String(mutuelle.client_secret)), 'content-type': FORM, ...headers },
    body,
  });
const page = (path: string, init: RequestInit = {}): Promise<Answer> =>
  send(vestibule, path, { headers: HTML, ...init });

/** A form of the first page, as a browser that holds the cookie sends it. */
async function identify(
  body: (csrf: string) => string | ReadableStream,
  headers: Readonly<Record<string, string>> = {},
): Promise<Answer> {
  await visitor.visit(await portal.authorizationUrl());
  const form = visitor.page.forms[0];
  if (!form) throw new Error(visitor.page.describe());
  const csrf = form.fields.find(({ name }) => name === '_csrf')?.value ?? '';
  return send(vestibule, form.action.pathname, {
    method: 'POST',
    headers: {
      ...HTML,
      cookie: visitor.cookies.header(form.action),
      origin: vestibule.issuer,
      'content-type': FORM,
      ...headers,
    },
    body: body(csrf),
    duplex: 'half',
  });
}
const field =
  (name: string, value: string) =>
  (csrf: string): string =>
    `${new URLSearchParams({ _csrf: csrf, [name]: value })}`;

type Row = readonly [what: string, status: number, request: () => Promise<Answer>];

const ROWS: readonly Row[] = [
  ['an unknown client', 400, () => authorization({ client_id: 'unknown' })],
  ['no client', 400, () => authorization({ client_id: undefined })],
  ['a client with control characters', 400, () => authorization({ client_id: 'mutuelle\u0000\u0007' })],
  ['a wrong redirect URI', 400, () => authorization({ redirect_uri: 'https://evil.example' })],
  ['a redirect URI that is none', 400, () => authorization({ redirect_uri: '\u0000' })],
  ['malformed percent-encoding in a query', 400, () => page('/auth?client_id=%E0%A4%A&%zz=%')],
  ['malformed percent-encoding in a path', 404, () => page('/%E0%A4%A')],
  ['malformed percent-encoding in an interaction', 400, () => page('/interaction/%E0%A4%A/identify')],
  ['an encoded slash and NUL in an interaction', 400, () => page('/interaction/..%2f..%2f%00')],
  ['an interaction nobody began', 400, () => page('/interaction/AAAAAAAAAAAAAAAAAAAAA')],
  ['the end of an interaction nobody began', 400, () => page('/auth/AAAAAAAAAAAAAAAAAAAAA')],
  ['the confirmation of a sign-out nobody asked for', 400, () => page('/session/end/confirm', { method: 'POST' })],
  ['an address that is not there', 404, () => page('/nothing')],
  [
    'an address that is not there, for a program',
    404,
    () => send(vestibule, '/nothing', { headers: { accept: 'application/json' } }),
  ],
  ['an answer nobody can give', 404, () => send(vestibule, '/nothing', { headers: { accept: 'image/png;q=x, ;;,' } })],
  ['an asset of long ago', 404, () => page('/assets/0000000000000000/style.css')],
  ['an asset outside', 404, () => page('/assets/..%2f..%2fpackage.json')],
  ['a wrong method for a page', 405, () => page('/interaction/x/password', { method: 'DELETE' })],
  ['a wrong method for tokens', 405, () => page('/token')],
  ['a wrong method for authorization', 405, () => page('/auth', { method: 'PUT' })],
  ['a method nobody knows', 405, () => page('/auth', { method: 'PROPFIND' })],
  ['a form without a type', 415, () => identify(() => 'x', { 'content-type': '' })],
  ['a form as JSON', 415, () => identify(() => '{}', { 'content-type': 'application/json' })],
  ['a form of several parts', 415, () => identify(() => 'x', { 'content-type': 'multipart/form-data; boundary=x' })],
  ['a form without its token', 400, () => identify(() => 'username=alice')],
  ['a form with doubled fields', 400, () => identify((csrf) => `_csrf=${csrf}&username=a&username=b`)],
  ['a form with its token doubled', 400, () => identify((csrf) => `_csrf=${csrf}&_csrf=${csrf}&username=a`)],
  ['a form with a field nobody asked for', 400, () => identify(field('role', 'admin'))],
  ['a form that is noise', 400, () => identify(() => '\u0000\u0001%%%===&&&\ufffd')],
  ['a form of a megabyte', 413, () => identify(field('username', MEGABYTE))],
  ['a form of a megabyte without a length', 413, () => identify(() => new Blob([MEGABYTE]).stream())],
  ['a form from another site', 403, () => identify(field('username', 'alice'), { origin: 'https://evil.example' })],
  ['a token request of a megabyte', 400, () => token(`grant_type=authorization_code&code=${MEGABYTE}`)],
  ['a token request without a body', 400, () => token('')],
  ['a token request as JSON', 400, () => token('{}', { 'content-type': 'application/json' })],
  [
    'a token request in no character set',
    400,
    () => token('grant_type=authorization_code&code=x', { 'content-type': `${FORM}; charset=x` }),
  ],
  [
    'a token request with doubled parameters',
    400,
    () => token('grant_type=authorization_code&code=a&code=b&redirect_uri=x'),
  ],
  ['a token request with doubled grants', 400, () => token('grant_type=authorization_code&grant_type=refresh_token')],
  [
    'a token request with NUL',
    400,
    () => token('grant_type=authorization_code&code=%00&redirect_uri=%00&code_verifier=%00'),
  ],
  [
    'a token request with malformed encoding',
    400,
    () => token('grant_type=authorization_code&code=%E0%A4%A&redirect_uri=%'),
  ],
  [
    'a wrong client secret',
    401,
    () => token('grant_type=authorization_code', { authorization: basic('mutuelle', 'wrong') }),
  ],
  [
    'an unknown client at the token endpoint',
    401,
    () => token('grant_type=authorization_code', { authorization: basic('unknown', 'x') }),
  ],
  ['credentials that are none', 400, () => token('grant_type=authorization_code', { authorization: 'Basic %%%' })],
  [
    'credentials in malformed encoding',
    400,
    () => token('grant_type=authorization_code', { authorization: basic('%E0%A4%A', '%') }),
  ],
  ['an access token that is none', 401, () => send(vestibule, '/me', { headers: { authorization: 'Bearer x' } })],
  ['an access token in the address', 400, () => send(vestibule, '/me?access_token=x')],
  ['no access token', 401, () => send(vestibule, '/me')],
  [
    'a registration that is no JSON',
    400,
    () => send(vestibule, '/reg', { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{' }),
  ],
  [
    'a registration of a megabyte',
    400,
    () =>
      send(vestibule, '/reg', {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: `"${MEGABYTE}"`,
      }),
  ],
  ['an ID token that is none', 400, () => page('/session/end?id_token_hint=x.y.z')],
  ['a sign-out for an unknown client', 400, () => page('/session/end?client_id=unknown')],
  [
    'cookies that are noise',
    400,
    () =>
      page('/interaction/x', {
        headers: {
          ...HTML,
          cookie: '=;;;vestibule_session="; vestibule_interaction=%00%; \u00ff=\u00fe; vestibule_session.sig=',
        },
      }),
  ],
  [
    'headers that are absurd',
    404,
    () =>
      page('/nothing', {
        headers: {
          accept: '*/*;q=9999999999, text/html;;;',
          'accept-language': '*;q=-1,,x-y-z;q=q',
          range: 'bytes=9-1',
          'if-none-match': '"',
          te: 'x',
        },
      }),
  ],
];

describe('bad input gets a clear answer with a number that is in the log', () => {
  test.each(ROWS)('%s: %d', async (_what, status, request) => {
    await expectClear(await request(), status);
  });

  test('a code that expired, and one that never was', async () => {
    await visitor.visit(await portal.authorizationUrl());
    await visitor.submit({ username: 'alice' });
    await visitor.submit({ password: alice.password });
    await vestibule.advanceClock(120);
    for (const code of [visitor.left.searchParams.get('code'), 'x']) {
      const { redirectUri, codeVerifier } = portal.pending(visitor.left) ?? { redirectUri: '', codeVerifier: '' };
      const body = new URLSearchParams({
        grant_type: 'authorization_code',
        code: code ?? '',
        redirect_uri: redirectUri,
        code_verifier: codeVerifier,
      });
      const answer = await token(body.toString());
      await expectClear(answer, 400);
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
    const answer = await authorization(changes);
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
