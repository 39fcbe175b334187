import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createRemoteJWKSet, jwtVerify, SignJWT } from 'jose';
import type { Page } from '../support/page.ts';
import { clientFile, Portal } from '../support/portal.ts';
import { requires } from '../support/requirements.ts';
import { startVestibule, type Vestibule } from '../support/vestibule.ts';
import { Visitor } from '../support/visitor.ts';
import { expectDiscreet, expectErrorPage } from './support/answers.ts';
import { type Answer, post, send, userinfo } from './support/http.ts';
import { endingOf, lockOut, named, passwordForm } from './support/lockout.ts';
import { type Deed, OUTAGES, type Outage, REDIS_PASSWORD, type Servers, startServers } from './support/outages.ts';
import { alice, bruno, isSignedIn, mutuelle, redemption, signIn } from './support/people.ts';

/** No answer may be later, whatever happens to the servers. */
const LATEST_MS = 2000;
/** From the return of the servers to the first answers. */
const BACK_MS = 5000;
const API = 'https://api.example/invoices';

const keys = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const signing = clientFile('signing', {
  client_secret: undefined,
  token_endpoint_auth_method: 'private_key_jwt',
  jwks: { keys: [{ ...keys.publicKey.export({ format: 'jwk' }), kid: 'own' }] },
  grant_types: ['client_credentials'],
  redirect_uris: [],
});
const french = JSON.parse(readFileSync(join(import.meta.dirname, '../../src/i18n/fr.json'), 'utf8')) as {
  readonly errors: { readonly storage: { readonly unavailable: { readonly title: string } } };
};

/** What the outside gets, of a page or a program's answer. */
interface Outcome {
  readonly status: number;
  readonly retryAfter: unknown;
  readonly body: string;
}
const ofPage = ({ status, headers, body }: Page): Outcome => ({ status, retryAfter: headers['retry-after'], body });
const ofAnswer = ({ status, headers, text }: Answer): Outcome => ({
  status,
  retryAfter: headers.get('retry-after'),
  body: text,
});

let servers: Servers;
let vestibule: Vestibule;
let portal: Portal;
/** Somebody else's browser, in front of the password of an account that was locked since. */
let locked: Visitor;

const token = (form: Readonly<Record<string, string>>): Promise<Answer> => post(vestibule, '/token', form, mutuelle);
const introspect = (value: string): Promise<Answer> =>
  post(vestibule, '/token/introspection', { token: value }, mutuelle);
const health = async (name: 'live' | 'ready'): Promise<number> =>
  (await fetch(`${vestibule.operationsUrl}/health/${name}`)).status;
const guessLocked = () => locked.request(...passwordForm(locked, bruno.password));

/** How a client proves itself once (RFC 7523): its `jti` must not come again. */
async function assertion(): Promise<Readonly<Record<string, string>>> {
  const claims = { iss: 'signing', sub: 'signing', aud: vestibule.issuer, jti: randomUUID() };
  const jwt = new SignJWT(claims).setProtectedHeader({ alg: 'ES256', kid: 'own' });
  return {
    grant_type: 'client_credentials',
    client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    client_assertion: await jwt.setIssuedAt().setExpirationTime('5m').sign(keys.privateKey),
  };
}

async function inTime<T>(what: string, work: Promise<T>): Promise<T> {
  const begun = performance.now();
  const result = await work;
  const ms = performance.now() - begun;
  expect([what, ms < LATEST_MS ? 'in time' : ms]).toEqual([what, 'in time']);
  return result;
}

/** Everybody gets as far as they can while all is well. */
async function prepare() {
  const arrive = async (): Promise<Visitor> => {
    const visitor = new Visitor(vestibule);
    await visitor.visit(await portal.authorizationUrl());
    return visitor;
  };
  const signedInAt = async (parameters: Readonly<Record<string, string>> = {}) => {
    const visitor = new Visitor(vestibule);
    return { visitor, tokens: await portal.exchange(await signIn(visitor, portal, alice, parameters)) };
  };
  const [named1, named2, atName] = await Promise.all([arrive(), arrive(), arrive()]);
  await Promise.all([named1, named2].map((visitor) => visitor.submit({ username: alice.username })));
  const [regular, leaving, jwt] = await Promise.all([
    signedInAt(),
    signedInAt(),
    signedInAt({ scope: 'openid invoices:read', resource: API }),
  ]);
  const revoked = leaving.tokens.access_token;
  await post(vestibule, '/token/revocation', { token: revoked }, mutuelle);
  await leaving.visitor.visit('/session/end');
  await regular.visitor.visit(await portal.authorizationUrl());
  const code = redemption(portal, regular.visitor.left);
  regular.visitor.headers = { 'accept-language': 'fr' };
  const [address, once] = [await portal.authorizationUrl(), await assertion()];
  const accessToken = regular.tokens.access_token;
  const refresh = { grant_type: 'refresh_token', refresh_token: String(regular.tokens.refresh_token) };

  const deeds: Readonly<Record<Deed, () => Promise<Outcome>>> = {
    'a new sign-in': async () => ofPage(await new Visitor(vestibule).visit(address)),
    'the name': async () => ofPage(await atName.submit({ username: alice.username })),
    'the password': async () => ofPage(await named1.submit({ password: alice.password })),
    'a wrong password': async () => ofPage(await named2.submit({ password: 'wrong-password-number-one' })),
    'single sign-on': async () => ofPage(await regular.visitor.visit(address)),
    'the sign-out': async () => ofPage(await leaving.visitor.submit()),
    'a code': async () => ofAnswer(await token(code)),
    'a refresh': async () => ofAnswer(await token(refresh)),
    'an assertion': async () => ofAnswer(await post(vestibule, '/token', once)),
    userinfo: async () => ofAnswer(await userinfo(vestibule, accessToken)),
    introspection: async () => ofAnswer(await introspect(accessToken)),
    'a revocation': async () =>
      ofAnswer(await post(vestibule, '/token/revocation', { token: jwt.tokens.refresh_token ?? '' }, mutuelle)),
  };
  return {
    deeds,
    passworded: named1,
    regular: regular.visitor,
    jwt: jwt.tokens.access_token,
    revoked,
    code,
    refresh,
    once,
  };
}
type Prepared = Awaited<ReturnType<typeof prepare>>;

/** Everything at once, as it comes. */
async function expectRefused({ deeds }: Prepared, { goesOn, mayGoOn = [] }: Outage): Promise<void> {
  await Promise.all(
    Object.entries(deeds).map(async ([deed, act]) => {
      const { status, retryAfter, body } = await inTime(deed, act());
      const isRight = status === 200 && mayGoOn.includes(deed as Deed);
      if (isRight || goesOn.includes(deed as Deed)) return expect([deed, status]).toEqual([deed, 200]);
      expect([deed, status, Number(retryAfter) > 0]).toEqual([deed, 503, true]);
      expect(body).not.toMatch(/access_token|"active"|invalid_|code=/);
      return expectDiscreet(new Headers(), body);
    }),
  );
}

/** What can't be looked up counts against whoever asks. */
async function expectClosed({ revoked }: Prepared): Promise<void> {
  const [used, active, guess] = await Promise.all([
    inTime('a revoked token', userinfo(vestibule, revoked)),
    inTime('introspection of a revoked token', introspect(revoked)),
    inTime('the right password of a locked account', guessLocked()),
  ]);
  expect([401, 503]).toContain(used.status);
  expect(active.status === 503 || active.json.active === false).toBe(true);
  expect(guess.status === 503 || endingOf(guess) === 'locked').toBe(true);
}

async function expectToldPlainly({ regular }: Prepared): Promise<void> {
  await expectErrorPage(vestibule, regular.page, 503);
  expect([regular.page.lang, regular.page.heading]).toEqual(['fr', french.errors.storage.unavailable.title]);
  const { pathname, search } = await portal.authorizationUrl();
  const cookie = regular.cookies.header(new URL(vestibule.issuer)) ?? '';
  const { status, headers, json } = await send(vestibule, pathname + search, {
    headers: { accept: 'application/json', cookie },
  });
  expect([status, headers.get('content-type')]).toEqual([503, expect.stringContaining('application/problem+json')]);
  expect(json).toMatchObject({ status: 503, code: 'storage.unavailable', detail: expect.stringMatching(/\w/) });
}

/** What portals do without us: they know our keys, or fetch them, and check tokens that are signed. */
async function expectPortalsGoOn({ jwt }: Prepared): Promise<void> {
  const { status, json } = await inTime('discovery', send(vestibule, '/.well-known/openid-configuration'));
  expect([status, json.issuer]).toEqual([200, vestibule.issuer]);
  const fetched = createRemoteJWKSet(new URL('/jwks', vestibule.issuer));
  const { payload } = await jwtVerify(jwt, fetched, { issuer: vestibule.issuer, audience: API });
  expect(payload.sub).toBeDefined();
}

/** @returns milliseconds; other tests begin with everything well, also after one that failed */
async function untilReady(): Promise<number> {
  const begun = performance.now();
  while ((await health('ready')) !== 200) if (performance.now() - begun > 4 * BACK_MS) break;
  return performance.now() - begun;
}

async function expectHealthTold(): Promise<void> {
  expect([await inTime('readiness', health('ready')), await health('live')]).toEqual([503, 200]);
  expect((await inTime('metrics', fetch(`${vestibule.operationsUrl}/metrics`))).status).toBe(200);
}

/** What was refused was not done behind anybody's back, and what held before still holds. */
async function expectRecovered(prepared: Prepared, { goesOn }: Outage): Promise<void> {
  const { passworded, regular, revoked, code, refresh, once } = prepared;
  expect(await isSignedIn(passworded, portal)).toBe(false);
  await signIn(passworded, portal, alice);
  expect([await isSignedIn(passworded, portal), await isSignedIn(regular, portal)]).toEqual([true, true]);
  expect((await userinfo(vestibule, revoked)).status).toBe(401);
  expect((await token(refresh)).status).toBe(200);
  expect(endingOf(await guessLocked())).toBe('locked');
  const twice = async (again: () => Promise<Answer>): Promise<number> =>
    (await Promise.all([again(), again()])).filter(({ status }) => status === 200).length;
  expect(await twice(() => token(code))).toBeLessThanOrEqual(1);
  const left = goesOn.includes('an assertion') ? 0 : 1;
  expect(await twice(() => post(vestibule, '/token', once))).toBeLessThanOrEqual(left);
}

requires('redis-server', 'mongodb-server')('56 fail-open storage on servers', () => {
  beforeAll(async () => {
    servers = await startServers();
    vestibule = await startVestibule({
      storage: 'sqlite',
      settings: { storage: servers.settings, resource_servers: { [API]: { scopes: ['invoices:read'] } } },
      env: servers.env,
      clients: [mutuelle, signing],
      people: [alice, bruno],
    });
    portal = await Portal.discover(vestibule, mutuelle);
    locked = await named(portal, bruno.username, new Visitor(vestibule));
    await lockOut(vestibule, portal, bruno.username);
  });
  afterAll(async () => {
    await vestibule?.stop();
    await servers?.stop();
  });

  test.each(Object.entries(OUTAGES))(
    '%s: nothing is granted, everybody is told in time, and it recovers by itself',
    async (_name, outage) => {
      const prepared = await prepare();
      const { pid } = vestibule;
      let back = 0;
      await outage.begin(servers);
      try {
        await expectRefused(prepared, outage);
        await Promise.all([expectClosed(prepared), expectToldPlainly(prepared), expectHealthTold()]);
        await expectPortalsGoOn(prepared);
      } finally {
        await outage.end(servers);
        back = await untilReady();
      }
      expect(back).toBeLessThan(BACK_MS);
      await expectRecovered(prepared, outage);
      expect(vestibule.pid).toBe(pid);
      expect(JSON.stringify(vestibule.logs) + vestibule.complaints).not.toContain(REDIS_PASSWORD);
    },
  );
});
