import { afterAll, beforeAll, beforeEach, describe, test } from '@jest/globals';
import { Portal } from '../support/portal.ts';
import { startVestibule, type Vestibule } from '../support/vestibule.ts';
import { Visitor } from '../support/visitor.ts';
import { expectClear } from './support/answers.ts';
import { type Answer, basic, send } from './support/http.ts';
import { mutuelle } from './support/people.ts';

const FORM = 'application/x-www-form-urlencoded';
const HTML = { accept: 'text/html' };
const MEGABYTE = 'x'.repeat(1024 * 1024);
/** More than a form may have, and then silence: what is sent after the answer would break the connection under the test. */
const endless = (): ReadableStream =>
  new ReadableStream({ start: (body) => body.enqueue(new TextEncoder().encode(MEGABYTE.slice(0, 65_536))) });

let vestibule: Vestibule;
let portal: Portal;
let visitor: Visitor;

beforeAll(async () => {
  vestibule = await startVestibule({
    clients: [mutuelle],
    settings: { features: { registration: { enabled: true }, device_flow: { enabled: true } } },
  });
  portal = await Portal.discover(vestibule, mutuelle);
});
afterAll(() => vestibule?.stop());
beforeEach(() => {
  visitor = new Visitor(vestibule);
});

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
  ['a form without a length that goes on for ever', 413, () => identify(endless)],
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
    await expectClear(vestibule, await request(), status);
  });
});
