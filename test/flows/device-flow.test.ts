import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import * as client from 'openid-client';
import { clientFile, Portal } from '../support/portal.ts';
import { type ClientFileContents, startVestibule, type Vestibule } from '../support/vestibule.ts';
import { Visitor } from '../support/visitor.ts';
import { alice, bruno, call, jsonOf, signIn } from './arrange.ts';

const GRANT = 'urn:ietf:params:oauth:grant-type:device_code';
const device = (name: string, firstParty: boolean): ClientFileContents =>
  clientFile(name, {
    client_secret: undefined,
    token_endpoint_auth_method: 'none',
    redirect_uris: [],
    post_logout_redirect_uris: [],
    grant_types: [GRANT, 'refresh_token'],
    vestibule: { first_party: firstParty },
  });
const television = device('television', true);
const printer = device('printer', false);
const mutuelle = clientFile('mutuelle');

let vestibule: Vestibule;
let visitor: Visitor;

beforeAll(async () => {
  vestibule = await startVestibule({
    settings: { features: { device_flow: { enabled: true } } },
    clients: [television, printer, mutuelle],
    people: [alice, bruno],
  });
});
afterAll(() => vestibule.stop());
beforeEach(() => {
  visitor = new Visitor(vestibule);
});

/** The device asks for its codes. */
async function begin(file = television, parameters: Record<string, string> = { scope: 'openid email' }) {
  const portal = await Portal.discover(vestibule, file);
  return client.initiateDeviceAuthorization(portal.configuration, parameters);
}

/** The device asks once whether it is there yet. */
async function poll(deviceCode: string, clientId = 'television'): Promise<Record<string, unknown>> {
  return jsonOf(
    await call(vestibule, '/token', { form: { grant_type: GRANT, client_id: clientId, device_code: deviceCode } }),
  );
}

async function enter(userCode: string): Promise<void> {
  await visitor.visit('/device');
  expect([visitor.page.status, visitor.page.step]).toEqual([200, 'device-code']);
  await visitor.submit({ user_code: userCode });
}

async function signInOnThePage(person: typeof bruno = alice): Promise<void> {
  await visitor.submit({ username: person.username });
  await visitor.submit({ password: person.password });
}

describe('a device', () => {
  test('is given a short code to show and an address to name', async () => {
    const answer = await begin();
    expect(answer).toMatchObject({
      verification_uri: `${vestibule.issuer}/device`,
      verification_uri_complete: `${vestibule.issuer}/device?user_code=${answer.user_code}`,
      expires_in: 600,
    });
    expect(answer.user_code).toMatch(/^[B-DF-HJ-NP-TV-XZ]{4}-[B-DF-HJ-NP-TV-XZ]{4}$/);
    expect(await poll(answer.device_code)).toMatchObject({ error: 'authorization_pending' });
  });

  test('is signed in by the person who types its code, after comparing it', async () => {
    const { device_code, user_code } = await begin();
    await enter(user_code.toLowerCase().replace('-', ' '));
    expect(visitor.page.step).toBe('device-confirm');
    expect(visitor.page.text).toContain(user_code);
    expect(visitor.page.text).toContain('Portal television');
    await visitor.submit();
    await signInOnThePage();
    expect([visitor.page.status, visitor.page.step]).toEqual([200, 'device-done']);
    const tokens = await poll(device_code);
    expect(tokens).toMatchObject({
      access_token: expect.any(String),
      id_token: expect.any(String),
      scope: 'openid email',
    });
    const claims = await client.fetchUserInfo(
      (await Portal.discover(vestibule, television)).configuration,
      String(tokens.access_token),
      client.skipSubjectCheck,
    );
    expect(claims.email).toBe(alice.email);
  });

  test('is signed in without a password by a person who is signed in', async () => {
    const portal = await Portal.discover(vestibule, mutuelle);
    const { sub } = (await portal.exchange(await signIn(visitor, portal))).claims() ?? {};
    const { device_code, user_code } = await begin(television, { scope: 'openid' });
    await enter(user_code);
    await visitor.submit();
    expect(visitor.page.step).toBe('device-done');
    const claims = JSON.parse(
      Buffer.from(String((await poll(device_code)).id_token).split('.')[1] ?? '', 'base64url').toString(),
    );
    expect(claims).toMatchObject({ sub, aud: 'television', amr: ['pwd'] });
  });

  test('of a third party is consented to', async () => {
    const { device_code, user_code } = await begin(printer);
    await enter(user_code);
    await visitor.submit();
    await signInOnThePage(bruno);
    expect(visitor.page.step).toBe('consent');
    expect(await poll(device_code, 'printer')).toMatchObject({ error: 'authorization_pending' });
    await visitor.submit();
    expect(visitor.page.step).toBe('device-done');
    expect(await poll(device_code, 'printer')).toHaveProperty('access_token');
  });

  test('of a third party that is not consented to gets nothing', async () => {
    await signIn(visitor, await Portal.discover(vestibule, mutuelle));
    const { device_code, user_code } = await begin(printer);
    await enter(user_code);
    await visitor.submit();
    expect(visitor.page.step).toBe('consent');
    await visitor.choose('cancel');
    expect(await poll(device_code, 'printer')).toMatchObject({ error: 'access_denied' });
  });

  test('is signed in by who typed the code, though somebody else signed in meanwhile', async () => {
    const { device_code, user_code } = await begin(television, { scope: 'openid profile' });
    await enter(user_code);
    await visitor.submit();
    const { url } = visitor.page;
    await signIn(visitor, await Portal.discover(vestibule, mutuelle));
    await visitor.visit(url);
    await signInOnThePage(bruno);
    expect([visitor.page.status, visitor.page.step]).toEqual([200, 'device-done']);
    const { configuration } = await Portal.discover(vestibule, television);
    const token = String((await poll(device_code)).access_token);
    const claims = await client.fetchUserInfo(configuration, token, client.skipSubjectCheck);
    expect(claims.preferred_username).toBe('bruno');
  });

  test('may ask to stay signed in, which a third party says on the page', async () => {
    const { device_code, user_code } = await begin(printer, { scope: 'openid offline_access' });
    await enter(user_code);
    await visitor.submit();
    await signInOnThePage();
    expect(visitor.page.text).toContain('Keep this access while you are away');
    await visitor.submit();
    const { refresh_token } = await poll(device_code, 'printer');
    await vestibule.advanceClock(9 * 3600);
    const portal = await Portal.discover(vestibule, printer);
    expect((await portal.refresh(String(refresh_token))).access_token).toBeTruthy();
  });

  test('gets its tokens once', async () => {
    const { device_code, user_code } = await begin();
    await enter(user_code);
    await visitor.submit();
    await signInOnThePage();
    expect(await poll(device_code)).toHaveProperty('access_token');
    expect(await poll(device_code)).toMatchObject({ error: 'invalid_grant' });
  });

  test('gets nothing with the code of another', async () => {
    const { device_code } = await begin();
    expect(await poll(device_code, 'printer')).toMatchObject({ error: 'invalid_grant' });
    expect(await poll('made-up')).toMatchObject({ error: 'invalid_grant' });
  });
});

describe('an address with the code in it', () => {
  test('shows the code for comparison and does nothing by itself', async () => {
    const { device_code, user_code, verification_uri_complete } = await begin();
    await visitor.visit(verification_uri_complete ?? '');
    expect([visitor.page.status, visitor.page.step]).toEqual([200, 'device-code']);
    expect(visitor.page.body).not.toMatch(/<script(?![^>]*\bsrc=)/);
    expect(String(visitor.page.headers['content-security-policy'])).not.toContain('sha256');
    await visitor.submit();
    expect(visitor.page.step).toBe('device-confirm');
    expect(visitor.page.text).toContain(user_code);
    await visitor.submit();
    await signInOnThePage();
    expect(await poll(device_code)).toHaveProperty('access_token');
  });

  test.each([
    '?user_code=',
    '?user_code=A&user_code=B',
    '?user_code=%22%3E%3Cscript%3E',
    `?user_code=${'X'.repeat(3000)}`,
  ])('that is none is no more than the page: %.40s', async (query) => {
    await visitor.visit(`/device${query}`);
    expect([visitor.page.status, visitor.page.step]).toEqual([200, 'device-code']);
    expect(visitor.page.body).not.toContain('"><script>');
  });
});

describe('a code', () => {
  const again = (code: string | undefined): void => {
    expect([visitor.page.status, visitor.page.step]).toEqual([400, 'device-code']);
    expect(visitor.page.error).toContain(code);
  };

  test('that nobody was given is asked for again', async () => {
    await enter('BCDF-GHJK');
    again('We don’t know that code');
    await visitor.submit({ user_code: '' });
    again('Enter the code');
    const { user_code } = await begin();
    await visitor.submit({ user_code });
    expect(visitor.page.step).toBe('device-confirm');
  });

  test('that ran out is said to have', async () => {
    const { device_code, user_code } = await begin();
    await vestibule.advanceClock(605);
    await enter(user_code);
    again('has run out');
    expect(await poll(device_code)).toMatchObject({ error: 'expired_token' });
  });

  test('that ran out while the person was signing in is said to have', async () => {
    const { device_code, user_code } = await begin();
    await enter(user_code);
    await visitor.submit();
    await vestibule.advanceClock(605);
    await signInOnThePage();
    again('has run out');
    expect(await poll(device_code)).toMatchObject({ error: 'expired_token' });
  });

  test('that was used is said to be', async () => {
    const { user_code } = await begin();
    await enter(user_code);
    await visitor.submit();
    await signInOnThePage();
    await enter(user_code);
    again('used already');
  });

  test('that is refused ends the matter for the device, on the comparing page', async () => {
    const { device_code, user_code } = await begin();
    await enter(user_code);
    await visitor.choose('cancel');
    again('You refused');
    expect(await poll(device_code)).toMatchObject({ error: 'access_denied' });
  });

  test('that is refused ends the matter for the device, while signing in', async () => {
    const { device_code, user_code } = await begin();
    await enter(user_code);
    await visitor.submit();
    await visitor.choose('cancel');
    again('You refused');
    expect(await poll(device_code)).toMatchObject({ error: 'access_denied' });
  });

  test('typed on another site’s form is not taken', async () => {
    const { device_code, user_code } = await begin();
    await visitor.visit('/device');
    await visitor.post('/device', { user_code, confirm: 'yes', xsrf: 'guessed' });
    expect(visitor.page.status).toBe(400);
    expect(await poll(device_code)).toMatchObject({ error: 'authorization_pending' });
  });
});

describe('who may not', () => {
  test('a client without the grant gets no code', async () => {
    const form = { client_id: 'mutuelle', client_secret: String(mutuelle.client_secret), scope: 'openid' };
    const answer = await call(vestibule, '/device/auth', { form });
    expect([answer.status, await jsonOf(answer)]).toMatchObject([400, { error: 'invalid_request' }]);
  });

  test('a device has nowhere to send people', async () => {
    await visitor.visit(
      `/auth?${new URLSearchParams({ client_id: 'television', response_type: 'code', scope: 'openid', redirect_uri: 'https://x.example/' })}`,
    );
    expect([visitor.page.status, visitor.page.location]).toEqual([400, undefined]);
  });
});
