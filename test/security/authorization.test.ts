import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { clientFile, Portal } from '../support/portal.ts';
import { startVestibule, type Vestibule } from '../support/vestibule.ts';
import { Visitor } from '../support/visitor.ts';
import { expectErrorPage } from './support/answers.ts';
import { post } from './support/http.ts';
import { alice, isSignedIn, mutuelle, redemption, signIn } from './support/people.ts';

const GOOD = 'http://localhost:9/mutuelle/callback';
const EVIL = 'evil.example';
/** Sends no PKCE, as older libraries do. */
const lenient = clientFile('lenient', { vestibule: { first_party: true, require_pkce: false } });

let vestibule: Vestibule;
let portal: Portal;
let visitor: Visitor;

beforeAll(async () => {
  vestibule = await startVestibule({ clients: [mutuelle, lenient], people: [alice] });
  portal = await Portal.discover(vestibule, mutuelle);
});
afterAll(() => vestibule?.stop());
beforeEach(() => {
  visitor = new Visitor(vestibule);
});

/** Nothing of the payload is followed, and nothing is granted. */
async function expectRefused(address: string): Promise<void> {
  const page = await new Visitor(vestibule).visit(address);
  expect([address, page.location?.href]).toEqual([address, undefined]);
  await expectErrorPage(vestibule, page, 400);
}

/** Parameters of a good request, one replaced or taken away. */
async function requestWith(name: string, value: string | undefined, at = portal): Promise<URLSearchParams> {
  const { searchParams } = await at.authorizationUrl();
  if (value === undefined) searchParams.delete(name);
  else searchParams.set(name, value);
  return searchParams;
}

/** Corpus: user parts, dots, slashes, encodings and whatever else parsers disagree about. */
const ADDRESSES: readonly string[] = [
  `https://${EVIL}/callback`,
  `http://localhost:9@${EVIL}/mutuelle/callback`,
  `http://localhost:9%40${EVIL}/mutuelle/callback`,
  `http://x:y@localhost:9/mutuelle/callback`,
  `http://${EVIL}#${GOOD}`,
  `http://${EVIL}?${GOOD}`,
  `http://${EVIL}\\@localhost:9/mutuelle/callback`,
  `http://localhost:9.${EVIL}/mutuelle/callback`,
  `http://localhost:9\u3002${EVIL}/mutuelle/callback`,
  'http://localhost.:9/mutuelle/callback',
  'http://127.0.0.1:9/mutuelle/callback',
  'http://[::1]:9/mutuelle/callback',
  'http://localhost:99/mutuelle/callback',
  'https://localhost:9/mutuelle/callback',
  'HTTP://LOCALHOST:9/mutuelle/callback',
  'http://localhost:9/Mutuelle/callback',
  'http://localhost:9/mutuelle/callbac',
  `${GOOD}/`,
  `${GOOD}?next=https://${EVIL}`,
  `${GOOD}#fragment`,
  `${GOOD}/../../${EVIL}`,
  `${GOOD}/..;/..;/${EVIL}`,
  `${GOOD}%2f..%2f`,
  `${GOOD};x`,
  `${GOOD}%00`,
  `${GOOD}\u0000`,
  `${GOOD}\r\nLocation: https://${EVIL}`,
  ` ${GOOD}`,
  `${GOOD} `,
  `\t${GOOD}`,
  `${GOOD},https://${EVIL}`,
  'http://localhost:9/mutuelle/callbac%6B',
  'http:/localhost:9/mutuelle/callback',
  'http:localhost:9/mutuelle/callback',
  '//localhost:9/mutuelle/callback',
  '/mutuelle/callback',
  'mutuelle',
  '*',
  'javascript:alert(1)',
  'data:text/html,<script>alert(1)</script>',
  'http://localhost:9/extranet/callback',
  'urn:ietf:wg:oauth:2.0:oob',
];

describe('29 redirect_uri parsing', () => {
  test('no address but the registered one, to the letter, is ever gone to', async () => {
    await Promise.all(
      ADDRESSES.map(async (address) => {
        await expectRefused(`/auth?${await requestWith('redirect_uri', address)}`);
        const pushed = await post(vestibule, '/request', await requestWith('redirect_uri', address), mutuelle);
        expect([address, pushed.status, pushed.json.request_uri]).toEqual([address, 400, undefined]);
      }),
    );
  });

  test('twice, once good and once evil, in either order', async () => {
    for (const pair of [
      [GOOD, `https://${EVIL}`],
      [`https://${EVIL}`, GOOD],
    ]) {
      const parameters = await requestWith('redirect_uri', undefined);
      for (const address of pair) parameters.append('redirect_uri', address);
      await visitor.visit(`/auth?${parameters}`);
      expect(visitor.left.origin).toBe('http://localhost:9');
      expect(visitor.left.searchParams.get('error')).toBe('invalid_request');
    }
  });

  test('an error of the request goes to no unregistered address either', async () => {
    for (const [name, value] of [
      ['response_type', 'x'],
      ['scope', undefined],
      ['prompt', 'none'],
      ['code_challenge', ''],
    ] as const) {
      const parameters = await requestWith(name, value);
      parameters.set('redirect_uri', `https://${EVIL}`);
      await expectRefused(`/auth?${parameters}`);
    }
  });

  test('a code is not redeemed for another address than it was sent to', async () => {
    const callback = await signIn(visitor, portal, alice);
    for (const redirect_uri of [`https://${EVIL}`, `${GOOD}/`, GOOD.toUpperCase()]) {
      const { status, json } = await post(
        vestibule,
        '/token',
        { ...redemption(portal, callback), redirect_uri },
        mutuelle,
      );
      expect([status, json.access_token]).toEqual([400, undefined]);
    }
  });
});

describe('30 PKCE downgrade', () => {
  const VERIFIER = 'v'.repeat(43);

  test.each([
    ['no challenge', { code_challenge: undefined, code_challenge_method: undefined }],
    ['an empty challenge', { code_challenge: '' }],
    ['plain', { code_challenge: VERIFIER, code_challenge_method: 'plain' }],
    ['plain by default', { code_challenge: VERIFIER, code_challenge_method: undefined }],
    ['an unknown method', { code_challenge_method: 'S512' }],
    ['a method without a challenge', { code_challenge: undefined }],
    ['a short challenge', { code_challenge: 'short' }],
  ])('a request with %s is refused, pushed or not', async (_what, changes) => {
    const { searchParams } = await portal.authorizationUrl();
    for (const [name, value] of Object.entries(changes)) {
      if (value === undefined) searchParams.delete(name);
      else searchParams.set(name, value);
    }
    await visitor.visit(`/auth?${searchParams}`);
    expect(visitor.left.searchParams.get('error')).toBe('invalid_request');
    const pushed = await post(vestibule, '/request', searchParams, mutuelle);
    expect([pushed.status, pushed.json.error]).toEqual([400, 'invalid_request']);
  });

  test.each([
    ['absent', undefined],
    ['empty', ''],
    ['wrong', 'w'.repeat(43)],
    ['the challenge itself', 'challenge'],
    ['not of the alphabet', `${'v'.repeat(42)}$`],
  ])('a verifier that is %s redeems nothing', async (_what, given) => {
    const callback = await signIn(visitor, portal, alice);
    const { code_verifier: right = '', ...parameters } = redemption(portal, callback);
    const challenge = Buffer.from(await crypto.subtle.digest('SHA-256', Buffer.from(right))).toString('base64url');
    const code_verifier = given === 'challenge' ? challenge : given;
    const form = code_verifier === undefined ? parameters : { ...parameters, code_verifier };
    const { status, json } = await post(vestibule, '/token', form, mutuelle);
    expect([status, json.access_token]).toEqual([400, undefined]);
  });

  test('a verifier for a code that was asked for without a challenge redeems nothing (a code was swapped)', async () => {
    const at = await Portal.discover(vestibule, lenient);
    const { searchParams } = await at.authorizationUrl();
    searchParams.delete('code_challenge');
    searchParams.delete('code_challenge_method');
    await visitor.visit(`/auth?${searchParams}`);
    await visitor.submit({ username: 'alice' });
    await visitor.submit({ password: alice.password });
    const { code_verifier, ...parameters } = redemption(at, visitor.left);
    const unsolicited = await post(vestibule, '/token', { ...parameters, code_verifier: code_verifier ?? '' }, lenient);
    expect([unsolicited.status, unsolicited.json.error]).toEqual([400, 'invalid_grant']);
    expect((await post(vestibule, '/token', parameters, lenient)).status).toBe(200);
  });
});

describe('37 disabled flow coerced', () => {
  const DISABLED = [
    'token',
    'id_token',
    'id_token token',
    'code token',
    'code id_token',
    'code id_token token',
    'none',
    'x',
    '',
  ];

  test.each(DISABLED)('response_type=%s is refused', async (type) => {
    await visitor.visit(`/auth?${await requestWith('response_type', type)}`);
    expect(visitor.page.status).toBeGreaterThanOrEqual(300);
    expect(visitor.page.location?.href ?? '').not.toMatch(/access_token|id_token=|code=/);
    expect(visitor.page.step).not.toBe('identify');
  });

  test('nor does it come back in the middle of the journey', async () => {
    await visitor.visit(await portal.authorizationUrl());
    await visitor.submit({ username: 'alice' });
    const interaction = visitor.page.url.pathname.split('/')[2];
    const form = visitor.page.forms.find(({ names }) => names.includes('password'));
    const fields = new URLSearchParams(form?.fields.map(({ name, value }): [string, string] => [name, value]));
    fields.set('password', alice.password);
    const answer = await visitor.request('POST', form?.action ?? new URL(vestibule.issuer), fields.toString(), {
      origin: vestibule.issuer,
    });
    expect(answer.location?.pathname).toBe(`/auth/${interaction}`);
    await visitor.visit(
      `/auth/${interaction}?response_type=token&response_mode=fragment&client_id=lenient&redirect_uri=https://${EVIL}`,
    );
    expect(visitor.left.href).toMatch(new RegExp(`^${GOOD}\\?code=`));
    expect(visitor.left.href).not.toMatch(/access_token/);
  });

  test.each([
    'password',
    'implicit',
    'client_credentials',
    'urn:ietf:params:oauth:grant-type:device_code',
    'urn:openid:params:grant-type:ciba',
    '__proto__',
    'constructor',
  ])('a token for the grant type %s is refused', async (grant_type) => {
    const form = { grant_type, username: 'alice', password: alice.password, device_code: 'x', auth_req_id: 'x' };
    const { status, json } = await post(vestibule, '/token', form, mutuelle);
    expect([status, json.access_token]).toEqual([400, undefined]);
  });

  test.each(['/device', '/device/auth', '/reg', '/reg/mutuelle', '/backchannel', '/challenge', '/credential'])(
    '%s is off, so it is not there',
    async (path) => {
      for (const method of ['GET', 'POST']) {
        expect((await visitor.request(method, new URL(path, vestibule.issuer), undefined)).status).toBe(404);
      }
    },
  );
});

describe('38 open redirect', () => {
  test('after signing out, only to what is registered for that', async () => {
    await Promise.all(
      [...ADDRESSES, GOOD].map(async (address) => {
        const post_logout_redirect_uri = address;
        await expectRefused(`/session/end?${new URLSearchParams({ client_id: 'mutuelle', post_logout_redirect_uri })}`);
        // Without a client nothing is registered, so nothing is followed.
        const page = await new Visitor(vestibule).visit(
          `/session/end?${new URLSearchParams({ post_logout_redirect_uri })}`,
        );
        expect([address, page.status, page.step]).toEqual([address, 200, 'signed-out']);
      }),
    );
  });

  test('a language link leads nowhere else', async () => {
    await visitor.visit(await portal.authorizationUrl());
    const interaction = visitor.page.url.pathname;
    for (const path of [
      `${interaction}//${EVIL}`,
      `${interaction}/%2f%2f${EVIL}`,
      `${interaction}/\\${EVIL}`,
      `${interaction}/@${EVIL}`,
      `${interaction}/%0d%0aLocation:%20https:%2f%2f${EVIL}`,
    ]) {
      const { location, headers } = await visitor.request(
        'GET',
        new URL(`${path}?lang=fr`, vestibule.issuer),
        undefined,
      );
      expect(location?.origin ?? vestibule.issuer).toBe(vestibule.issuer);
      expect(headers.location ?? '').not.toMatch(/^\/\/|[\r\n]/);
    }
  });

  test('a state with line breaks stays a state', async () => {
    await signIn(visitor, portal, alice);
    const state = 'x\r\nLocation: https://evil.example\r\n\r\n<script>';
    await visitor.visit(await portal.authorizationUrl({ state }));
    expect(visitor.left.origin).toBe('http://localhost:9');
    expect(visitor.left.searchParams.get('state')).toBe(state);
    expect(await isSignedIn(visitor, portal)).toBe(true);
  });
});
