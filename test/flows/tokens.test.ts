import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { createRemoteJWKSet, jwtVerify } from 'jose';
import * as client from 'openid-client';
import { clientFile, Portal } from '../support/portal.ts';
import { startVestibule, type Vestibule } from '../support/vestibule.ts';
import { Visitor } from '../support/visitor.ts';
import { alice, basic, bearer, call, jsonOf, signIn } from './arrange.ts';

const API = 'https://api.example/invoices';
const refreshing = { vestibule: { first_party: true, refresh_token_without_offline_access: true } };
const mutuelle = clientFile('mutuelle', refreshing);
const pairwise = clientFile('pairwise', {
  ...refreshing,
  subject_type: 'pairwise',
  introspection_signed_response_alg: 'ES256',
});
const other = clientFile('other');
const api = clientFile('api', { grant_types: ['client_credentials'], redirect_uris: [] });
const spa = clientFile('spa', { client_secret: undefined, token_endpoint_auth_method: 'none' });

let vestibule: Vestibule;
let visitor: Visitor;

beforeAll(async () => {
  const jwt = { scopes: ['invoices:read'] };
  const opaque = { scopes: ['letters:send'], access_token_format: 'opaque', audience: 'api' };
  vestibule = await startVestibule({
    settings: { resource_servers: { [API]: jwt, 'https://api.example/letters': opaque } },
    clients: [mutuelle, pairwise, other, api, spa],
    people: [alice],
  });
});
afterAll(() => vestibule.stop());
beforeEach(() => {
  visitor = new Visitor(vestibule);
});

async function obtain(parameters: Record<string, string> = {}, file = mutuelle) {
  const portal = await Portal.discover(vestibule, file);
  return portal.exchange(await signIn(visitor, portal, parameters));
}

const ask = async (token: string, clientId = 'mutuelle'): Promise<Record<string, unknown>> =>
  jsonOf(await call(vestibule, '/token/introspection', { form: { token }, headers: basic(clientId) }));

const revoke = (token: string, clientId = 'mutuelle', more: Record<string, string> = {}): Promise<Response> =>
  call(vestibule, '/token/revocation', { form: { token, ...more }, headers: basic(clientId) });

const INACTIVE = { active: false };

describe('introspection', () => {
  test('tells a client of its own tokens', async () => {
    const tokens = await obtain({ scope: 'openid email' });
    const { access_token, refresh_token } = tokens;
    const common = {
      active: true,
      client_id: 'mutuelle',
      sub: tokens.claims()?.sub,
      iss: vestibule.issuer,
      scope: 'openid email',
    };
    expect(await ask(access_token)).toMatchObject({ ...common, token_type: 'Bearer', exp: expect.any(Number) });
    expect(await ask(refresh_token ?? '')).toMatchObject(common);
    const portal = await Portal.discover(vestibule, mutuelle);
    expect(await client.tokenIntrospection(portal.configuration, access_token)).toMatchObject(common);
  });

  test('tells an API of tokens for it, and of no others', async () => {
    const forIt = await obtain({ scope: 'openid letters:send', resource: 'https://api.example/letters' });
    expect(await ask(forIt.access_token, 'api')).toMatchObject({ active: true, client_id: 'mutuelle' });
    visitor = new Visitor(vestibule);
    const notForIt = await obtain({ scope: 'openid email' });
    expect(await ask(notForIt.access_token, 'api')).toEqual(INACTIVE);
  });

  test('tells other clients nothing', async () => {
    const { access_token, refresh_token } = await obtain();
    expect(await ask(access_token, 'other')).toEqual(INACTIVE);
    expect(await ask(refresh_token ?? '', 'other')).toEqual(INACTIVE);
  });

  test('tells public clients nothing, not even of their own tokens', async () => {
    const { access_token } = await obtain({}, spa);
    const answer = await call(vestibule, '/token/introspection', { form: { token: access_token, client_id: 'spa' } });
    expect(await jsonOf(answer)).toEqual(INACTIVE);
  });

  test('tells nobody who doesn’t prove who is asking', async () => {
    const { access_token } = await obtain();
    const anonymous = await call(vestibule, '/token/introspection', { form: { token: access_token } });
    expect([anonymous.status, await jsonOf(anonymous)]).toMatchObject([400, { error: 'invalid_request' }]);
    const form = { token: access_token, client_id: 'mutuelle', client_secret: 'not-the-secret-at-all' };
    expect((await call(vestibule, '/token/introspection', { form })).status).toBe(401);
  });

  test('a token that is made up, spent or expired is inactive', async () => {
    expect(await ask('made-up')).toEqual(INACTIVE);
    const { access_token } = await obtain();
    await vestibule.advanceClock(3700);
    expect(await ask(access_token)).toEqual(INACTIVE);
  });

  test('knows a person under the name that the client knows', async () => {
    const tokens = await obtain({}, pairwise);
    expect((await ask(tokens.access_token, 'pairwise')).sub).toBe(tokens.claims()?.sub);
  });

  test('is signed where a client asks for that (RFC 9701)', async () => {
    const { access_token } = await obtain({}, pairwise);
    const accept = 'application/token-introspection+jwt';
    const answer = await call(vestibule, '/token/introspection', {
      form: { token: access_token },
      headers: { ...basic('pairwise'), accept },
    });
    expect(answer.headers.get('content-type')).toContain(accept);
    const { payload, protectedHeader } = await jwtVerify(
      await answer.text(),
      createRemoteJWKSet(new URL('/jwks', vestibule.issuer)),
      {
        issuer: vestibule.issuer,
        audience: 'pairwise',
        currentDate: new Date(vestibule.now()),
      },
    );
    expect(protectedHeader.alg).toBe('ES256');
    expect(payload.token_introspection).toMatchObject({ active: true });
  });

  test('leaves JWTs to the API that they are for', async () => {
    const { access_token } = await obtain({ scope: 'openid invoices:read', resource: API });
    expect(await ask(access_token)).toMatchObject({ error: 'unsupported_token_type' });
  });
});

describe('revocation', () => {
  test('of an access token ends it', async () => {
    const { access_token } = await obtain();
    expect((await revoke(access_token)).status).toBe(200);
    expect(await ask(access_token)).toEqual(INACTIVE);
    expect((await call(vestibule, '/me', { headers: bearer(access_token) })).status).toBe(401);
  });

  test('of a refresh token ends all that came of it', async () => {
    const { access_token, refresh_token } = await obtain();
    expect((await revoke(refresh_token ?? '', 'mutuelle', { token_type_hint: 'access_token' })).status).toBe(200);
    expect(await ask(refresh_token ?? '')).toEqual(INACTIVE);
    expect(await ask(access_token)).toEqual(INACTIVE);
  });

  test('by a public client, of its own', async () => {
    const { access_token } = await obtain({}, spa);
    expect(
      (await call(vestibule, '/token/revocation', { form: { token: access_token, client_id: 'spa' } })).status,
    ).toBe(200);
    expect((await call(vestibule, '/me', { headers: bearer(access_token) })).status).toBe(401);
  });

  test('of another client’s token changes nothing', async () => {
    const { access_token, refresh_token } = await obtain();
    await revoke(access_token, 'other');
    await revoke(refresh_token ?? '', 'other');
    expect(await ask(access_token)).toMatchObject({ active: true });
    expect(await ask(refresh_token ?? '')).toMatchObject({ active: true });
  });

  test('of what is not there is no error', async () => {
    expect((await revoke('made-up')).status).toBe(200);
  });

  test('does not pretend to revoke a JWT', async () => {
    const { access_token } = await obtain({ scope: 'openid invoices:read', resource: API });
    const answer = await revoke(access_token);
    expect([answer.status, await jsonOf(answer)]).toMatchObject([400, { error: 'unsupported_token_type' }]);
  });
});
