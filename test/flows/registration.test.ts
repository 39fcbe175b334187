import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import * as client from 'openid-client';
import { clientFile, Portal } from '../support/portal.ts';
import { type ClientFileContents, startVestibule, type Vestibule } from '../support/vestibule.ts';
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

const API = 'https://api.example/invoices';
const TOKEN = 'an-initial-access-token-for-tests-only';
const hybrid = clientFile('hybrid', {
  redirect_uris: ['https://hybrid.example/callback'],
  post_logout_redirect_uris: [],
  response_types: ['code', 'code id_token'],
  grant_types: ['authorization_code', 'implicit'],
});

let open: Vestibule;
let guarded: Vestibule;
let visitor: Visitor;

beforeAll(async () => {
  const start = (registration: object, implicit: boolean): Promise<Vestibule> =>
    startVestibule({
      settings: {
        features: { registration: { enabled: true, ...registration }, implicit },
        resource_servers: { [API]: { scopes: ['invoices:read'] } },
      },
      clients: [hybrid],
      people: [alice],
    });
  [open, guarded] = await Promise.all([start({}, false), start({ initial_access_token: TOKEN }, true)]);
});
afterAll(() => Promise.all([open.stop(), guarded.stop()]));
beforeEach(() => {
  visitor = new Visitor(open);
});

const METADATA = { client_name: 'A stranger', redirect_uris: ['https://stranger.example/callback'] };

const register = (metadata: object = METADATA, at = open, headers = {}): Promise<Response> =>
  call(at, '/reg', { json: metadata, headers });

/** A registered client, as a portal can use it. */
async function registered(
  over: object = {},
): Promise<ClientFileContents & { readonly token: string; readonly uri: string }> {
  const answer = await register({ ...METADATA, ...over });
  expect(answer.status).toBe(201);
  const all = await jsonOf(answer);
  return {
    client_id: String(all.client_id),
    client_secret: String(all.client_secret),
    redirect_uris: all.redirect_uris,
    token: String(all.registration_access_token),
    uri: new URL(String(all.registration_client_uri)).pathname,
  };
}

describe('open to everybody', () => {
  test('a library registers, and the client it gets can sign people in', async () => {
    const configuration = await client.dynamicClientRegistration(new URL(open.issuer), METADATA, undefined, {
      execute: [client.allowInsecureRequests],
    });
    const { client_id, client_secret, redirect_uris } = configuration.clientMetadata();
    const portal = await Portal.discover(open, { client_id, client_secret, redirect_uris });
    await visitor.visit(await portal.authorizationUrl({ scope: 'openid email' }));
    await visitor.submit({ username: 'alice' });
    await visitor.submit({ password: alice.password });
    await visitor.submit();
    expect((await portal.exchange(visitor.left)).claims()?.aud).toBe(client_id);
  });

  test('gives names and secrets that no library has to escape', async () => {
    const { client_id, client_secret, token } = await registered();
    for (const made of [client_id, client_secret, token]) expect(made).toMatch(/^[A-Za-z0-9._~-]{20,}$/);
  });

  test('a stranger is a third party: neutral pages, and the person is asked', async () => {
    const file = await registered({
      client_uri: 'https://stranger.example/',
      logo_uri: 'https://stranger.example/logo.png',
      policy_uri: 'https://stranger.example/privacy',
    });
    const portal = await Portal.discover(open, file);
    await visitor.visit(await portal.authorizationUrl());
    expect([visitor.page.status, visitor.page.step]).toEqual([200, 'identify']);
    expect(visitor.page.body).not.toContain('stranger.example');
    await visitor.submit({ username: 'alice' });
    await visitor.submit({ password: alice.password });
    expect(visitor.page.step).toBe('consent');
    expect(visitor.page.heading).toContain('A stranger');
  });

  test('a stranger can’t give itself our settings', async () => {
    const vestibule = { first_party: true, require_pkce: false, refresh_token_without_offline_access: true };
    const file = await registered({ vestibule, first_party: true, require_pkce: false });
    const read = await jsonOf(await call(open, file.uri, { headers: bearer(file.token) }));
    for (const name of ['vestibule', 'first_party', 'require_pkce']) expect(read).not.toHaveProperty(name);
    const portal = await Portal.discover(open, file);
    const url = await portal.authorizationUrl();
    url.searchParams.delete('code_challenge');
    url.searchParams.delete('code_challenge_method');
    await visitor.visit(url);
    expect(errorAt(visitor.left)).toBe('invalid_request');
    await visitor.visit(await portal.authorizationUrl());
    await visitor.submit({ username: 'alice' });
    await visitor.submit({ password: alice.password });
    expect(visitor.page.step).toBe('consent');
  });

  test('a stranger gets to an API with a person’s consent only', async () => {
    const file = await registered({ grant_types: ['authorization_code', 'client_credentials'] });
    const form = { grant_type: 'client_credentials', resource: API, scope: 'invoices:read' };
    const refused = await call(open, '/token', { form, headers: basic(file.client_id, String(file.client_secret)) });
    expect(await jsonOf(refused)).toMatchObject({ error: 'invalid_target' });
    const portal = await Portal.discover(open, file);
    await visitor.visit(await portal.authorizationUrl({ scope: 'openid invoices:read', resource: API }));
    await visitor.submit({ username: 'alice' });
    await visitor.submit({ password: alice.password });
    expect(visitor.page.text).toContain(`${API}: invoices:read`);
    await visitor.submit();
    expect((await portal.exchange(visitor.left)).scope).toBe('invoices:read');
  });

  test.each(['code id_token', 'id_token', 'id_token token'])(
    '%s is not for strangers, though a client’s file has it',
    async (type) => {
      const answer = await register({
        ...METADATA,
        response_types: [type],
        grant_types: ['authorization_code', 'implicit'],
      });
      expect([answer.status, await jsonOf(answer)]).toMatchObject([400, { error: 'invalid_client_metadata' }]);
      const { client_id, token, uri } = await registered();
      const json = { client_id, ...METADATA, response_types: [type], grant_types: ['authorization_code', 'implicit'] };
      expect((await call(open, uri, { method: 'PUT', json, headers: bearer(token) })).status).toBe(400);
      const hasIt = await Portal.discover(open, hybrid);
      const callback = await signIn(visitor, hasIt, { response_type: 'code id_token', prompt: 'login' }).catch(
        () => undefined,
      );
      expect(callback === undefined || answerAt(callback).has('error')).toBe(false);
    },
  );

  test.each([
    ['no redirect URI', { redirect_uris: [] }],
    ['a redirect URI that runs', { redirect_uris: ['javascript:alert(1)'] }],
    ['a redirect URI with a fragment', { redirect_uris: ['https://stranger.example/#x'] }],
    ['an algorithm there is not', { id_token_signed_response_alg: 'none' }],
    ['a way of proving there is not', { token_endpoint_auth_method: 'magic' }],
    [
      'keys that are private',
      { token_endpoint_auth_method: 'private_key_jwt', jwks: { keys: [{ kty: 'oct', k: 'AAAA' }] } },
    ],
  ])('%s is refused', async (_what, over) => {
    const answer = await register({ ...METADATA, ...over });
    expect(answer.status).toBe(400);
    expect(['invalid_client_metadata', 'invalid_redirect_uri']).toContain((await jsonOf(answer)).error);
  });
});

describe('a registered client', () => {
  test('survives a restart', async () => {
    const file = await registered();
    await open.restart();
    const portal = await Portal.discover(open, file);
    await visitor.visit(await portal.authorizationUrl());
    expect(visitor.page.step).toBe('identify');
  });

  test('can be read, changed and deleted with its token', async () => {
    const { client_id, client_secret, token, uri } = await registered();
    const read = await call(open, uri, { headers: bearer(token) });
    expect([read.status, await jsonOf(read)]).toMatchObject([200, { client_id, client_name: 'A stranger' }]);

    const json = {
      client_id,
      client_secret,
      ...METADATA,
      client_name: 'Renamed',
      redirect_uris: ['https://renamed.example/cb'],
    };
    const changed = await jsonOf(await call(open, uri, { method: 'PUT', json, headers: bearer(token) }));
    expect(changed).toMatchObject({ client_id, client_name: 'Renamed', redirect_uris: ['https://renamed.example/cb'] });
    expect((await call(open, uri, { headers: bearer(token) })).status).toBe(401);
    const next = bearer(String(changed.registration_access_token));
    const portal = await Portal.discover(open, { client_id, client_secret, redirect_uris: METADATA.redirect_uris });
    await visitor.visit(await portal.authorizationUrl());
    expect([visitor.page.status, visitor.page.step]).toEqual([400, 'error']);

    expect((await call(open, uri, { method: 'DELETE', headers: next })).status).toBe(204);
    expect((await call(open, uri, { headers: next })).status).toBe(401);
    await visitor.visit(await portal.authorizationUrl({ redirect_uri: 'https://renamed.example/cb' }));
    expect([visitor.page.status, visitor.page.step]).toEqual([400, 'error']);
  });

  test.each(['GET', 'PUT', 'DELETE'])('is nobody’s business without: %s', async (method) => {
    const [mine, theirs] = [await registered(), await registered()];
    const json = method === 'PUT' ? { client_id: mine.client_id, ...METADATA } : undefined;
    for (const headers of [{}, bearer('made-up'), bearer(theirs.token)]) {
      const answer = await call(open, mine.uri, { method, headers, ...(json ? { json } : {}) });
      expect([400, 401]).toContain(answer.status);
    }
    expect((await call(open, mine.uri, { headers: bearer(mine.token) })).status).toBe(200);
  });

  test('of a file is managed by its file only', async () => {
    const { token } = await registered();
    expect((await call(open, '/reg/hybrid', { headers: bearer(token) })).status).toBe(401);
  });
});

describe('with an initial access token', () => {
  test('only who has it registers', async () => {
    const answers = await Promise.all([
      register(METADATA, guarded),
      register(METADATA, guarded, bearer('wrong')),
      register(METADATA, guarded, bearer(TOKEN)),
    ]);
    expect(answers.map(({ status }) => status)).toEqual([401, 401, 201]);
  });

  test('implicit and hybrid where the setting allows them', async () => {
    const metadata = {
      ...METADATA,
      response_types: ['code id_token'],
      grant_types: ['authorization_code', 'implicit'],
    };
    const answer = await register(metadata, guarded, bearer(TOKEN));
    expect([answer.status, await jsonOf(answer)]).toMatchObject([201, { response_types: ['code id_token'] }]);
    const discovered = await jsonOf(await call(guarded, '/.well-known/openid-configuration'));
    expect(discovered.registration_endpoint).toBe(`${guarded.issuer}/reg`);
    expect(discovered.response_types_supported).toContain('id_token token');
  });

  test('and people sign in at it', async () => {
    const all = await jsonOf(await register(METADATA, guarded, bearer(TOKEN)));
    const portal = await Portal.discover(guarded, {
      client_id: String(all.client_id),
      client_secret: all.client_secret,
      redirect_uris: all.redirect_uris,
    });
    visitor = new Visitor(guarded);
    await visitor.visit(await portal.authorizationUrl());
    await giveUsernameAndPassword(visitor).catch(() => undefined);
    expect(visitor.page.step).toBe('consent');
    await visitor.submit();
    expect((await portal.exchange(visitor.left)).claims()?.aud).toBe(all.client_id);
    expect(errorAt(await signInSilently(visitor, portal, { prompt: 'none' }))).toBeNull();
  });
});
