import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { SignJWT } from 'jose';
import { Portal } from '../support/portal.ts';
import { type ClientFileContents, startVestibule, type Vestibule } from '../support/vestibule.ts';
import { Visitor } from '../support/visitor.ts';
import { type Answer, post, send } from './support/http.ts';
import { alice, mutuelle } from './support/people.ts';

const CALLBACK = 'https://app.example/callback';
const keys = generateKeyPairSync('ec', { namedCurve: 'P-256' });

let vestibule: Vestibule;

beforeAll(async () => {
  vestibule = await startVestibule({
    clients: [mutuelle],
    people: [alice],
    settings: { features: { registration: { enabled: true } } },
  });
});
afterAll(() => vestibule?.stop());

const call = (method: string, path: string, body?: unknown, token?: unknown): Promise<Answer> =>
  send(vestibule, path, {
    method,
    headers: {
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
const register = (metadata: object | string): Promise<Answer> => call('POST', '/reg', metadata);

async function registered(metadata: object = {}): Promise<ClientFileContents> {
  const { status, json, text } = await register({ redirect_uris: [CALLBACK], ...metadata });
  if (status !== 201) throw new Error(text);
  return { redirect_uris: [CALLBACK], ...json, client_id: String(json.client_id) };
}

describe('23 mass assignment', () => {
  const OURS = { first_party: true, require_pkce: false, refresh_token_without_offline_access: true };

  test.each([
    ['in its own block', { vestibule: OURS }],
    ['as metadata', OURS],
    ['dotted', { 'vestibule.first_party': true, 'vestibule[require_pkce]': false }],
    ['by the prototype', JSON.parse(`{"__proto__": {"vestibule": ${JSON.stringify(OURS)}, "first_party": true}}`)],
    ['under the name of a client that has them', { client_id: 'mutuelle', client_id_issued_at: 1, vestibule: OURS }],
  ])('dynamic registration sets none of our own settings: %s', async (_how, metadata) => {
    const client = await registered({ ...metadata, client_name: 'Stranger' });
    expect(client.client_id).not.toBe('mutuelle');
    const stored = await call('GET', `/reg/${client.client_id}`, undefined, client.registration_access_token);
    expect(stored.text).not.toMatch(/first_party|require_pkce|refresh_token_without/);
    const portal = await Portal.discover(vestibule, client);
    const visitor = new Visitor(vestibule);
    const { searchParams } = await portal.authorizationUrl();
    searchParams.delete('code_challenge');
    await visitor.visit(`/auth?${searchParams}`);
    expect(visitor.left.searchParams.get('error')).toBe('invalid_request');
    await visitor.visit(await portal.authorizationUrl());
    await visitor.submit({ username: 'alice' });
    await visitor.submit({ password: alice.password });
    expect(visitor.page.step).toBe('consent');
    await visitor.submit();
    expect((await portal.exchange(visitor.left)).refresh_token).toBeUndefined();
  });

  test('a client changes itself only, and not who it is', async () => {
    const [mine, theirs] = [await registered(), await registered()];
    const own = { client_id: mine.client_id, redirect_uris: [CALLBACK] };
    const refused = [
      call('PUT', `/reg/${mine.client_id}`, { ...own, client_id: theirs.client_id }, mine.registration_access_token),
      call(
        'PUT',
        `/reg/${mine.client_id}`,
        { ...own, client_secret: 'of-my-own-choice' },
        mine.registration_access_token,
      ),
      call('PUT', `/reg/${mine.client_id}`, { ...own, client_secret_expires_at: 1 }, mine.registration_access_token),
      call('PUT', `/reg/${mine.client_id}`, { ...own, registration_access_token: 'x' }, mine.registration_access_token),
      call('PUT', `/reg/${mine.client_id}`, own),
      call('PUT', `/reg/${mine.client_id}`, own, mine.client_secret),
    ];
    for (const answer of refused) expect([400, 401]).toContain((await answer).status);
    for (const id of [theirs.client_id, 'mutuelle']) {
      for (const [method, body] of [['GET'], ['DELETE'], ['PUT', { ...own, client_id: id }]] as const) {
        const thief = await registered();
        expect((await call(method, `/reg/${id}`, body, thief.registration_access_token)).status).toBe(401);
      }
    }
    expect((await call('GET', `/reg/${theirs.client_id}`, undefined, theirs.registration_access_token)).status).toBe(
      200,
    );
    const { status, json } = await call(
      'PUT',
      `/reg/${mine.client_id}`,
      { ...own, vestibule: OURS },
      mine.registration_access_token,
    );
    expect([status, json.vestibule, json.client_secret]).toEqual([200, undefined, mine.client_secret]);
  });

  test.each([
    'role',
    'verified',
    'accountId',
    'userId',
    'org',
    'amr',
    'proofs',
    'username',
    'password',
    '__proto__',
    'constructor',
    'toString',
  ])('a form with the extra field %s is refused', async (name) => {
    const portal = await Portal.discover(vestibule, mutuelle);
    const visitor = new Visitor(vestibule);
    await visitor.visit(await portal.authorizationUrl());
    if (name !== 'username') {
      await visitor.submit({ username: 'alice' }, { extra: { [name]: 'true' } });
      expect(visitor.page.status).toBe(400);
      await visitor.visit(await portal.authorizationUrl());
    }
    await visitor.submit({ username: 'alice' });
    if (name !== 'password') {
      await visitor.submit({ password: alice.password }, { extra: { [name]: 'true' } });
      expect([visitor.page.status, visitor.page.step]).toEqual([400, 'error']);
    }
  });
});

describe('39 metadata SSRF', () => {
  let canary: Server;
  let port: number;
  const hits: string[] = [];

  beforeAll(async () => {
    canary = createServer((request, response) => {
      hits.push(`${request.method} ${request.url}`);
      response.setHeader('content-type', 'application/json').end(JSON.stringify([CALLBACK]));
    });
    // Every address of this machine, `localhost` of either kind included.
    await new Promise<void>((resolve) => canary.listen(0, resolve));
    port = (canary.address() as AddressInfo).port;
  });
  afterAll(() => {
    canary?.closeAllConnections();
    canary?.close();
  });
  beforeEach(() => {
    hits.length = 0;
  });

  const inside = (path: string): string[] =>
    [
      ...[
        '127.0.0.1',
        'localhost',
        '[::1]',
        '0.0.0.0',
        '127.1',
        '2130706433',
        '0x7f.0.0.1',
        '0177.0.0.1',
        'LOCALHOST.',
      ],
      ...['[::ffff:127.0.0.1]', '[::ffff:7f00:1]', '[::]', '127.0.0.1.', 'x:y@127.0.0.1', '①②⑦.0.0.1'],
    ].flatMap((host) => [`http://${host}:${port}${path}`, `https://${host}:${port}${path}`]);

  test('the canary sings', async () => {
    await fetch(`http://localhost:${port}/song`);
    expect(hits).toEqual(['GET /song']);
  });

  test('sector_identifier_uri is not fetched from inside', async () => {
    const answers = await Promise.all(
      inside('/sector').map((sector_identifier_uri) =>
        register({ redirect_uris: [CALLBACK], subject_type: 'pairwise', sector_identifier_uri }),
      ),
    );
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 400));
    expect(hits).toEqual([]);
  });

  test('jwks_uri is not fetched from inside, whatever is to be verified with it', async () => {
    const outcomes = await Promise.all(
      inside('/jwks').map(async (jwks_uri) => {
        const { json } = await register({
          redirect_uris: [CALLBACK],
          token_endpoint_auth_method: 'private_key_jwt',
          token_endpoint_auth_signing_alg: 'ES256',
          request_object_signing_alg: 'ES256',
          jwks_uri,
        });
        if (json.client_id === undefined) return 'refused at registration';
        const id = String(json.client_id);
        const claims = {
          iss: id,
          sub: id,
          aud: vestibule.issuer,
          jti: randomUUID(),
          exp: Math.floor(Date.now() / 1000) + 60,
        };
        const jwt = await new SignJWT(claims).setProtectedHeader({ alg: 'ES256' }).sign(keys.privateKey);
        const { status } = await post(vestibule, '/token', {
          grant_type: 'authorization_code',
          code: 'x',
          redirect_uri: CALLBACK,
          client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
          client_assertion: jwt,
        });
        await send(vestibule, `/auth?${new URLSearchParams({ client_id: id, request: jwt })}`);
        return status;
      }),
    );
    expect(outcomes).toContain(401);
    expect(outcomes.filter((outcome) => outcome !== 'refused at registration' && outcome !== 401)).toEqual([]);
    expect(hits).toEqual([]);
  });

  test('backchannel_logout_uri is not called inside; the sign-out happens all the same', async () => {
    const uris = [`http://127.0.0.1:${port}/out`, `http://localhost:${port}/out`, `https://localhost:${port}/out`];
    const visitor = new Visitor(vestibule);
    for (const backchannel_logout_uri of uris) {
      const portal = await Portal.discover(vestibule, await registered({ backchannel_logout_uri }));
      await visitor.visit(await portal.authorizationUrl());
      if (visitor.page.step === 'identify') {
        await visitor.submit({ username: 'alice' });
        await visitor.submit({ password: alice.password });
      }
      await visitor.submit();
      await portal.exchange(visitor.left);
    }
    await visitor.visit('/session/end');
    await visitor.submit();
    expect(visitor.page.step).toBe('signed-out');
    await vestibule.logged('logout.backchannel.failed');
    expect(hits).toEqual([]);
  });

  test('request_uri is refused without a look at it', async () => {
    const portal = await Portal.discover(vestibule, mutuelle);
    for (const request_uri of [...inside('/request'), 'file:///etc/passwd', 'ftp://localhost/x', 'urn:x']) {
      const { headers } = await send(vestibule, `/auth?${new URLSearchParams({ client_id: 'mutuelle', request_uri })}`);
      expect(headers.get('location')).toMatch(
        /^http:\/\/localhost:9\/mutuelle\/callback\?error=(request_uri_not_supported|invalid_request_uri)/,
      );
      const { searchParams } = await portal.authorizationUrl({ request_uri });
      const pushed = await post(vestibule, '/request', searchParams, mutuelle);
      expect([pushed.status, pushed.json.request_uri]).toEqual([400, undefined]);
    }
    expect(hits).toEqual([]);
  });

  test('pictures and links of a registered client are neither fetched nor shown', async () => {
    const metadata = Object.fromEntries(
      ['logo_uri', 'client_uri', 'policy_uri', 'tos_uri', 'initiate_login_uri'].map((name) => [
        name,
        `https://127.0.0.1:${port}/${name}`,
      ]),
    );
    const client = await registered(metadata);
    const visitor = new Visitor(vestibule);
    await visitor.visit(await (await Portal.discover(vestibule, client)).authorizationUrl());
    expect(visitor.page.step).toBe('identify');
    expect(visitor.page.body).not.toContain(String(port));
    expect(hits).toEqual([]);
  });
});
