import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { SignJWT } from 'jose';
import { newMasterKey } from '../support/config-folder.ts';
import { clientFile, Portal } from '../support/portal.ts';
import { startVestibule, type Vestibule } from '../support/vestibule.ts';
import { Visitor } from '../support/visitor.ts';
import { expectErrorPage } from './support/answers.ts';
import { type Answer, basic, post, send, userinfo } from './support/http.ts';
import { alice, mutuelle, redemption, signIn } from './support/people.ts';
import { bytesOnDisk, takeAway } from './support/storage.ts';

const keys = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const signing = clientFile('signing', {
  client_secret: undefined,
  token_endpoint_auth_method: 'private_key_jwt',
  jwks: { keys: [{ ...keys.publicKey.export({ format: 'jwk' }), kid: 'own' }] },
  grant_types: ['client_credentials'],
  redirect_uris: [],
});
const tv = clientFile('tv', {
  grant_types: ['authorization_code', 'urn:ietf:params:oauth:grant-type:device_code'],
});
const masterKey = newMasterKey();

let vestibule: Vestibule;
/** What must not be found anywhere, by what it is. */
const canaries = new Map<string, string>();
const answers: string[] = [];

function remember(what: string, value: unknown): string {
  if (typeof value !== 'string' || value.length < 8) throw new Error(`${what} is ${String(value)}`);
  canaries.set(what, value);
  return value;
}
const heard = (answer: Answer): Answer => {
  answers.push(answer.text);
  return answer;
};

/** Everything that handles a secret, done once, well and badly. */
beforeAll(async () => {
  vestibule = await startVestibule({
    clients: [mutuelle, signing, tv],
    people: [alice],
    env: { VESTIBULE_MASTER_KEY: masterKey },
    settings: {
      log: { level: 'trace' },
      features: { registration: { enabled: true }, device_flow: { enabled: true } },
    },
  });
  remember('the master key', masterKey);
  remember('the master key, bytes', Buffer.from(masterKey, 'base64').toString('latin1'));
  remember('the password', alice.password);
  const secret = remember('the client secret', mutuelle.client_secret);
  remember('the credentials', basic('mutuelle', secret).slice(6));
  await signInAndOut(secret);
  await otherClients();
  await mistakes(secret);
});
afterAll(() => vestibule?.stop());

async function signInAndOut(secret: string): Promise<void> {
  const portal = await Portal.discover(vestibule, mutuelle);
  const visitor = new Visitor(vestibule);
  await visitor.visit(await portal.authorizationUrl());
  const { pathname } = visitor.page.url;
  remember('the interaction', pathname.split('/')[2]);
  remember('the form token', visitor.page.forms[0]?.fields.find(({ name }) => name === '_csrf')?.value);
  for (const { name, value } of visitor.cookies.all) remember(`the cookie ${name} of the journey`, value);
  await visitor.submit({ username: 'alice' });
  await visitor.submit({ password: remember('a wrong password', 'canary-wrong-password-8431') });
  answers.push(visitor.page.body);
  await visitor.visit(pathname.replace('/interaction/', '/INTERACTION/'));
  await visitor.visit(pathname);
  await visitor.submit({ password: alice.password });
  const form = redemption(portal, visitor.left);
  remember('the code', form.code);
  remember('the verifier', form.code_verifier);
  const { json } = await post(vestibule, '/token', form, mutuelle);
  for (const name of ['access_token', 'refresh_token', 'id_token'] as const) remember(`the ${name}`, json[name]);
  for (const { name, value } of visitor.cookies.all) remember(`the cookie ${name}`, value);
  heard(await userinfo(vestibule, json.access_token));
  heard(await post(vestibule, '/token/introspection', { token: String(json.access_token) }, mutuelle));
  heard(await post(vestibule, '/token', form, mutuelle));
  heard(await post(vestibule, '/token', { ...form, client_secret: secret, client_id: 'mutuelle' }));
  const second = redemption(portal, await signIn(new Visitor(vestibule), portal, alice));
  remember('another code', second.code);
  const tokens = await post(vestibule, '/token', second, mutuelle);
  remember('another refresh token', tokens.json.refresh_token);
  const pushed = await post(vestibule, '/request', (await portal.authorizationUrl()).searchParams, mutuelle);
  remember('the pushed request', String(pushed.json.request_uri).split(':').at(-1));
  await visitor.visit(`/session/end?${new URLSearchParams({ id_token_hint: String(json.id_token) })}`);
}

async function otherClients(): Promise<void> {
  const iat = Math.floor(Date.now() / 1000);
  const claims = { iss: 'signing', sub: 'signing', aud: vestibule.issuer, jti: randomUUID(), iat, exp: iat + 60 };
  const jwt = await new SignJWT(claims).setProtectedHeader({ alg: 'ES256', kid: 'own' }).sign(keys.privateKey);
  const assertion = {
    grant_type: 'client_credentials',
    client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    client_assertion: remember('the assertion', jwt),
  };
  remember('the client’s own token', heard(await post(vestibule, '/token', assertion)).json.access_token);
  answers.pop();
  heard(await post(vestibule, '/token', assertion));
  const body = JSON.stringify({ redirect_uris: ['https://app.example/cb'] });
  const { json } = await send(vestibule, '/reg', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body,
  });
  remember('the secret of a registered client', json.client_secret);
  remember('the registration token', json.registration_access_token);
  heard(await send(vestibule, `/reg/${json.client_id}`, { headers: { authorization: 'Bearer x' } }));
  const device = await post(vestibule, '/device/auth', { scope: 'openid' }, tv);
  remember('the device code', device.json.device_code);
  const userCode = remember('the user code', device.json.user_code);
  remember('the user code, plain', userCode.replaceAll('-', ''));
  heard(
    await post(
      vestibule,
      '/token',
      { grant_type: 'urn:ietf:params:oauth:grant-type:device_code', device_code: String(device.json.device_code) },
      tv,
    ),
  );
  const visitor = new Visitor(vestibule);
  await visitor.visit('/device');
  await visitor.submit({ user_code: userCode });
  await visitor.submit();
  await visitor.submit({ username: 'alice' });
  await visitor.submit({ password: alice.password });
}

/** Secrets in the wrong place, and at the wrong moment. */
async function mistakes(secret: string): Promise<void> {
  const portal = await Portal.discover(vestibule, mutuelle);
  const visitor = new Visitor(vestibule);
  const lost = remember('a secret in an address', 'canary-in-an-address-5521');
  for (const path of ['/auth', '/token', '/me', '/session/end', '/nothing', '/interaction/x', '/device']) {
    heard(
      await send(vestibule, `${path}?access_token=${lost}&client_secret=${lost}&password=${lost}&code=${lost}`, {
        headers: { accept: 'application/json' },
      }),
    );
  }
  const header = remember('a secret in a header', 'canary-in-a-header-9034');
  heard(
    await send(vestibule, '/me', {
      headers: { authorization: `Bearer ${header}`, cookie: `vestibule_session=${header}`, dpop: header },
    }),
  );
  heard(
    await send(vestibule, '/token', {
      method: 'POST',
      headers: { authorization: `Basic ${header}` },
      body: new URLSearchParams({ client_secret: secret }),
    }),
  );
  const body = remember('a secret in a body', 'canary-in-a-body-7716');
  heard(
    await post(
      vestibule,
      '/token',
      { grant_type: 'refresh_token', refresh_token: body, client_secret: body, assertion: body },
      mutuelle,
    ),
  );
  heard(await post(vestibule, '/token/revocation', { token: body }, mutuelle));
  const putBack = await takeAway(vestibule, 'ephemeral', 'counters');
  try {
    await visitor.visit(await portal.authorizationUrl());
    await visitor.submit({ username: 'alice' });
    await visitor.submit({ password: remember('a password in a failure', 'canary-in-a-failure-1290') });
    answers.push(visitor.page.body);
  } finally {
    await putBack();
  }
  // The last line to arrive: all others are there.
  await expectErrorPage(vestibule, await visitor.visit('/nothing'), 404);
}

/** As it is, and as it would look after a careless encoding. */
const disguises = (value: string): readonly string[] => {
  const bytes = Buffer.from(value, 'latin1');
  return [
    value,
    encodeURIComponent(value),
    bytes.toString('base64').replace(/=+$/, ''),
    bytes.toString('base64url'),
    bytes.toString('hex'),
  ];
};
const found = (haystack: string, except: readonly string[] = []): string[] =>
  [...canaries]
    .filter(
      ([what, value]) => !except.includes(what) && disguises(value).some((disguise) => haystack.includes(disguise)),
    )
    .map(([what]) => what);

/** They open nothing without their signature, which is made with the master key. */
const namesOfInteractions = (): string[] =>
  [...canaries.keys()].filter((what) =>
    /^the (interaction|cookie vestibule_(interaction|resume)(?!\.sig).*)$/.test(what),
  );

describe('55 secret exposure', () => {
  test('nothing secret is in the log', () => {
    const log = vestibule.logs.map((line) => JSON.stringify(line)).join('\n') + vestibule.complaints;
    expect(log).toContain('"client_id":"mutuelle"');
    expect(log).toContain('request.failed');
    expect(found(log)).toEqual([]);
    // Nor who tried to sign in: people type their password there.
    expect(log).not.toMatch(/alice/i);
  });

  test('nothing secret is on disk, before a restart or after it', async () => {
    for (const step of ['running', 'restarted']) {
      const disk = (await bytesOnDisk(vestibule)).toString('latin1');
      expect(disk).toContain('alice');
      expect([step, found(disk, namesOfInteractions())]).toEqual([step, []]);
      expect(disk).not.toMatch(/"(d|p|q|dp|dq|qi|k)":"/);
      if (step === 'running') await vestibule.restart();
    }
  });

  test('nothing secret is in the answers to those who did not bring it, nor private keys among the public ones', async () => {
    expect(answers.length).toBeGreaterThan(15);
    // A page names its own address, with what whoever asked for it wrote there.
    const own = ['the form token', 'a secret in an address', ...namesOfInteractions()];
    expect(found(answers.join('\n'), own)).toEqual([]);
    const { json } = await send(vestibule, '/jwks');
    for (const key of json.keys as Readonly<Record<string, unknown>>[]) {
      expect(Object.keys(key).filter((name) => ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k'].includes(name))).toEqual(
        [],
      );
    }
  });

  test('every value that opens something is long enough not to be guessed (128 bits)', () => {
    for (const what of [
      'the code',
      'the access_token',
      'the refresh_token',
      'the cookie vestibule_session',
      'the interaction',
      'the device code',
      'the registration token',
      'the secret of a registered client',
    ]) {
      expect([what, (canaries.get(what)?.length ?? 0) * 6 >= 128]).toEqual([what, true]);
    }
  });
});
