import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { clientFile, Portal } from '../support/portal.ts';
import { startVestibule, type Vestibule } from '../support/vestibule.ts';
import { Visitor } from '../support/visitor.ts';
import {
  alice,
  answerAt,
  basic,
  bearer,
  call,
  errorAt,
  giveUsernameAndPassword,
  jsonOf,
  signIn,
  signInSilently,
} from './arrange.ts';

const mutuelle = clientFile('mutuelle');
const other = clientFile('other');
const legacy = clientFile('legacy', { vestibule: { first_party: true, require_pkce: false } });
const spa = clientFile('spa', { client_secret: undefined, token_endpoint_auth_method: 'none' });

let vestibule: Vestibule;
let portal: Portal;
let visitor: Visitor;

beforeAll(async () => {
  vestibule = await startVestibule({ clients: [mutuelle, other, legacy, spa], people: [alice] });
  portal = await Portal.discover(vestibule, mutuelle);
});
afterAll(() => vestibule.stop());
beforeEach(() => {
  visitor = new Visitor(vestibule);
});

/** The exchange of a code, sent by hand. */
function exchange(callback: URL, over: Readonly<Record<string, string | undefined>> = {}, clientId = 'mutuelle') {
  const pending = portal.pending(callback);
  const form = {
    grant_type: 'authorization_code',
    code: callback.searchParams.get('code') ?? '',
    redirect_uri: portal.redirectUri,
    code_verifier: pending?.codeVerifier,
    ...over,
  };
  const sent = Object.entries(form).filter((entry): entry is [string, string] => entry[1] !== undefined);
  return call(vestibule, '/token', { form: Object.fromEntries(sent), headers: basic(clientId) });
}

/** Sends a request with some of its parameters taken out. */
async function withoutParameters(from: Portal, ...names: string[]): Promise<URL> {
  const url = await from.authorizationUrl();
  for (const name of names) url.searchParams.delete(name);
  return url;
}

describe('a code', () => {
  test('comes with the issuer and the state', async () => {
    const callback = await signIn(visitor, portal, { state: 'a state of its own' });
    expect(callback.searchParams.get('iss')).toBe(vestibule.issuer);
    expect(callback.searchParams.get('state')).toBe('a state of its own');
    expect([...callback.searchParams.keys()].toSorted()).toEqual(['code', 'iss', 'state']);
  });

  test('is good once; a second use also ends what the first one brought', async () => {
    const callback = await signIn(visitor, portal);
    const first = await exchange(callback);
    const { access_token } = await jsonOf(first);
    expect((await call(vestibule, '/me', { headers: bearer(String(access_token)) })).status).toBe(200);
    const second = await exchange(callback);
    expect([second.status, await jsonOf(second)]).toMatchObject([400, { error: 'invalid_grant' }]);
    expect((await call(vestibule, '/me', { headers: bearer(String(access_token)) })).status).toBe(401);
  });

  test('is good for a minute', async () => {
    const callback = await signIn(visitor, portal);
    await vestibule.advanceClock(120);
    expect(await jsonOf(await exchange(callback))).toMatchObject({ error: 'invalid_grant' });
  });

  test.each([
    ['without a verifier', { code_verifier: undefined }],
    ['with another verifier', { code_verifier: 'x'.repeat(43) }],
    ['with another redirect URI', { redirect_uri: 'http://localhost:9/mutuelle/other' }],
  ])('%s is refused', async (_what, over) => {
    const answer = await exchange(await signIn(visitor, portal), over);
    expect([answer.status, await jsonOf(answer)]).toMatchObject([400, { error: 'invalid_grant' }]);
  });

  test('of one client is no good to another', async () => {
    expect(await jsonOf(await exchange(await signIn(visitor, portal), {}, 'other'))).toMatchObject({
      error: 'invalid_grant',
    });
  });
});

describe('PKCE', () => {
  test('is demanded of everybody, at the portal and before any page', async () => {
    await visitor.visit(await withoutParameters(portal, 'code_challenge', 'code_challenge_method'));
    expect(errorAt(visitor.left)).toBe('invalid_request');
  });

  test('only with the method that hides the verifier', async () => {
    await visitor.visit(
      await portal.authorizationUrl({ code_challenge: 'x'.repeat(43), code_challenge_method: 'plain' }),
    );
    expect(errorAt(visitor.left)).toBe('invalid_request');
  });

  test('a confidential client’s file can waive it', async () => {
    const waived = await Portal.discover(vestibule, legacy);
    await visitor.visit(await withoutParameters(waived, 'code_challenge', 'code_challenge_method'));
    const callback = await giveUsernameAndPassword(visitor);
    const form = {
      grant_type: 'authorization_code',
      code: callback.searchParams.get('code') ?? '',
      redirect_uri: waived.redirectUri,
    };
    expect((await call(vestibule, '/token', { form, headers: basic('legacy') })).status).toBe(200);
  });

  test('and where it is sent all the same it is checked', async () => {
    const waived = await Portal.discover(vestibule, legacy);
    const callback = await signIn(visitor, waived);
    const form = {
      grant_type: 'authorization_code',
      code: callback.searchParams.get('code') ?? '',
      redirect_uri: waived.redirectUri,
    };
    expect(await jsonOf(await call(vestibule, '/token', { form, headers: basic('legacy') }))).toMatchObject({
      error: 'invalid_grant',
    });
  });

  test('is what a public client signs in with', async () => {
    const single = await Portal.discover(vestibule, spa);
    const tokens = await single.exchange(await signIn(visitor, single));
    expect(tokens.claims()?.aud).toBe('spa');
    expect(errorAt(await signInSilently(visitor, single))).toBeNull();
  });
});

describe('a request', () => {
  test('without state and nonce is answered without them', async () => {
    await visitor.visit(
      await withoutParameters(
        await Portal.discover(vestibule, legacy),
        'state',
        'nonce',
        'code_challenge',
        'code_challenge_method',
      ),
    );
    const callback = await giveUsernameAndPassword(visitor);
    expect([...callback.searchParams.keys()].toSorted()).toEqual(['code', 'iss']);
    const form = {
      grant_type: 'authorization_code',
      code: callback.searchParams.get('code') ?? '',
      redirect_uri: 'http://localhost:9/legacy/callback',
    };
    const { id_token } = await jsonOf(await call(vestibule, '/token', { form, headers: basic('legacy') }));
    const claims = JSON.parse(Buffer.from(String(id_token).split('.')[1] ?? '', 'base64url').toString()) as object;
    expect(claims).not.toHaveProperty('nonce');
  });

  test.each([
    ['an unknown client', { client_id: 'nobody' }],
    ['a redirect URI that is not registered', { redirect_uri: 'http://localhost:9/mutuelle/callback/more' }],
    ['a redirect URI with a query of its own', { redirect_uri: 'http://localhost:9/mutuelle/callback?x=1' }],
    ['another port', { redirect_uri: 'http://localhost:10/mutuelle/callback' }],
  ])('with %s ends on a page here and goes nowhere', async (_what, parameters) => {
    await visitor.visit(await portal.authorizationUrl(parameters));
    expect(visitor.page.location).toBeUndefined();
    expect([visitor.page.status, visitor.page.step]).toEqual([400, 'error']);
  });

  test.each([
    ['a response type the client may not use', { response_type: 'code id_token' }, 'unsupported_response_type'],
    ['an unknown response type', { response_type: 'magic' }, 'unsupported_response_type'],
    ['a response mode there is not', { response_mode: 'pigeon' }, 'unsupported_response_mode'],
    ['a request by reference', { request_uri: 'https://portal.example/request' }, 'request_uri_not_supported'],
    ['registration inside', { registration: '{}' }, 'registration_not_supported'],
    ['claims that are no JSON', { claims: '{' }, 'invalid_request'],
  ])('with %s is refused at the portal', async (_what, parameters, error) => {
    await visitor.visit(await portal.authorizationUrl(parameters));
    expect(errorAt(visitor.left)).toBe(error);
    expect(answerAt(visitor.left).get('iss')).toBe(vestibule.issuer);
  });
});
