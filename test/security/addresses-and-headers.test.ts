import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { clientFile, Portal } from '../support/portal.ts';
import { startVestibule, type Vestibule } from '../support/vestibule.ts';
import { Visitor } from '../support/visitor.ts';
import { expectDiscreet, expectGuarded } from './support/answers.ts';
import { send, sendRaw } from './support/http.ts';
import { alice, mutuelle, stranger, tokensFor } from './support/people.ts';

const EVIL = 'evil.example';
const DISCOVERY = '/.well-known/openid-configuration';
const native = clientFile('native', {
  application_type: 'native',
  token_endpoint_auth_method: 'none',
  client_secret: undefined,
  redirect_uris: ['com.example.app:/callback'],
});
const secure = { ...mutuelle, redirect_uris: ['https://portal.example/callback'] };

let vestibule: Vestibule;
let behindProxy: Vestibule;
let portal: Portal;

beforeAll(async () => {
  const features = { device_flow: { enabled: true }, registration: { enabled: true } };
  [vestibule, behindProxy] = await Promise.all([
    startVestibule({ clients: [mutuelle, stranger, native], people: [alice], settings: { features } }),
    startVestibule({
      clients: [secure],
      people: [alice],
      settings: { issuer: 'https://login.example', development: null, proxy: { trusted: ['127.0.0.1'] } },
      files: { 'clients/mutuelle.yaml': { ...secure, client_secret: '${env:SECRET}' } },
      env: { SECRET: 'a-secret-that-nobody-has-read-anywhere' },
    }),
  ]);
  portal = await Portal.discover(vestibule, mutuelle);
});
afterAll(() => Promise.all([vestibule?.stop(), behindProxy?.stop()]));

describe('18 host poisoning', () => {
  const requestFor = (path: string): string =>
    `GET ${path} HTTP/1.1\r\nHost: HOST\r\nAccept: text/html\r\nConnection: close\r\n`;
  const poisons: readonly (readonly [string, (path: string) => string])[] = [
    ['Host', (path) => requestFor(path).replace('HOST', EVIL)],
    ['a Host with a port and a user', (path) => requestFor(path).replace('HOST', `x@${EVIL}:80`)],
    ['two Hosts', (path) => `${requestFor(path).replace('HOST', EVIL)}Host: ${EVIL}\r\n`],
    ['X-Forwarded-Host', (path) => `${requestFor(path)}X-Forwarded-Host: ${EVIL}\r\n`],
    ['Forwarded', (path) => `${requestFor(path)}Forwarded: host=${EVIL};proto=https\r\n`],
    [
      'X-Forwarded-Proto and -Port',
      (path) => `${requestFor(path)}X-Forwarded-Proto: ${EVIL}\r\nX-Forwarded-Port: 1\r\n`,
    ],
    ['X-Forwarded-Prefix', (path) => `${requestFor(path)}X-Forwarded-Prefix: //${EVIL}\r\n`],
    ['X-Original-URL', (path) => `${requestFor(path)}X-Original-Url: http://${EVIL}/\r\n`],
    ['a target in absolute form', (path) => requestFor(`http://${EVIL}${path}`)],
    ['a target in absolute form with a user', (path) => requestFor(`HTTPS://x:y@${EVIL}:1${path}`)],
    ['a path like a host', (path) => requestFor(`//${EVIL}${path}`)],
    ['backslashes', (path) => requestFor(`/\\${EVIL}${path}`)],
  ];

  test.each(poisons)('%s: no address the server writes names it', async (_what, poisoned) => {
    const { search } = await portal.authorizationUrl();
    const paths = [DISCOVERY, `/auth${search}`, '/session/end', '/device', '/nothing', `/auth${search}&prompt=none`];
    for (const server of [vestibule, behindProxy]) {
      for (const path of paths) {
        const { status, head, body } = await sendRaw(server, `${poisoned(path)}\r\n`);
        expect(status).not.toBe(0);
        // The text of a "not found" may say what was asked for; addresses are what somebody follows.
        const addresses = [
          ...`${head}\n${body}`.matchAll(/(?:location: |href="|action="|"https?:|src=")[^\s"]*/gi),
        ].join(' ');
        expect(addresses).not.toContain(EVIL);
      }
    }
    const discovery = await sendRaw(vestibule, `${poisoned(DISCOVERY)}\r\n`);
    if (discovery.status === 200) expect(discovery.body).toContain(`"issuer":"${vestibule.issuer}"`);
    expect(discovery.body).not.toContain(EVIL);
  });

  test('the address where a journey goes on is the issuer’s, whoever claims otherwise', async () => {
    const visitor = new Visitor(vestibule);
    const { search } = await portal.authorizationUrl();
    const request = `GET http://${EVIL}/auth${search} HTTP/1.1\r\nHost: ${EVIL}\r\nX-Forwarded-Host: ${EVIL}\r\nConnection: close\r\n\r\n`;
    const { head } = await sendRaw(vestibule, request);
    const cookies = [...head.matchAll(/^set-cookie: (.*)$/gim)].map(([, cookie = '']) => cookie);
    visitor.cookies.store(new URL(vestibule.issuer), cookies);
    await visitor.visit(/^location: (.*)$/im.exec(head)?.[1] ?? '');
    await visitor.submit({ username: 'alice' });
    await visitor.submit({ password: alice.password });
    expect(visitor.left.origin).toBe('http://localhost:9');
    expect(visitor.left.searchParams.get('iss')).toBe(vestibule.issuer);
  });

  test('scripts of other origins read nothing that belongs to a client', async () => {
    const { tokens } = await tokensFor(vestibule, mutuelle);
    for (const origin of [`https://${EVIL}`, 'null', 'http://localhost:9.evil.example', 'http://localhost:91']) {
      const headers = { origin, authorization: `Bearer ${tokens.access_token}` };
      const answer = await send(vestibule, '/me', { headers });
      expect([origin, answer.status, answer.headers.get('access-control-allow-origin')]).toEqual([origin, 400, null]);
      expect(answer.json.sub).toBeUndefined();
    }
    const own = { origin: 'http://localhost:9', authorization: `Bearer ${tokens.access_token}` };
    const answer = await send(vestibule, '/me', { headers: own });
    expect([answer.status, answer.headers.get('access-control-allow-credentials')]).toEqual([200, null]);
  });

  test('an app with an address of its own scheme does not let in every page without an origin', async () => {
    const visitor = new Visitor(vestibule);
    const app = await Portal.discover(vestibule, native);
    await visitor.visit(await app.authorizationUrl());
    await visitor.submit({ username: 'alice' });
    await visitor.submit({ password: alice.password });
    expect(visitor.page.step).toBe('consent');
    await visitor.submit();
    const tokens = await app.exchange(visitor.left);
    const headers = { origin: 'null', authorization: `Bearer ${tokens.access_token}` };
    expect((await send(vestibule, '/me', { headers })).status).toBe(400);
  });
});

describe('28 clickjacking, and what every answer carries', () => {
  let visitor: Visitor;
  beforeEach(() => {
    visitor = new Visitor(vestibule);
  });

  test('pages of the journey, each step and each complaint', async () => {
    await visitor.visit(await portal.authorizationUrl());
    expectGuarded(visitor.page.headers);
    await visitor.submit({ username: '' });
    expect(visitor.page.status).toBe(400);
    expectGuarded(visitor.page.headers);
    await visitor.submit({ username: 'alice' });
    expectGuarded(visitor.page.headers);
    await visitor.submit({ password: 'wrong password' });
    expectGuarded(visitor.page.headers);
    expect(visitor.page.headers['cache-control']).toBe('no-store');
    expect(visitor.page.headers['referrer-policy']).toBe('same-origin');
    const third = await Portal.discover(vestibule, stranger);
    await visitor.visit(await third.authorizationUrl());
    await visitor.submit({ username: 'alice' });
    await visitor.submit({ password: alice.password });
    expect(visitor.page.step).toBe('consent');
    expectGuarded(visitor.page.headers);
    await visitor.visit('/session/end');
    expect(visitor.page.step).toBe('sign-out');
    expectGuarded(visitor.page.headers);
    await visitor.submit();
    expect(visitor.page.step).toBe('signed-out');
    expectGuarded(visitor.page.headers);
  });

  test.each(['GET', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'PROPFIND'])(
    'every address asked for by %s',
    async (method) => {
      const paths = [
        ...[
          '/',
          '/auth',
          '/auth/x',
          '/token',
          '/me',
          '/jwks',
          '/request',
          '/session/end',
          '/session/end/confirm',
          '/device',
        ],
        ...[
          '/session/end/success',
          '/token/introspection',
          '/token/revocation',
          '/reg',
          '/reg/x',
          '/device/x',
          DISCOVERY,
        ],
        ...[
          '/recovery',
          '/recovery/password',
          '/recovery/password/sent',
          '/recovery/password/new',
          '/recovery/password/new?token=x',
          '/recovery/password/done',
          '/recovery/username',
          '/recovery/not-me',
          '/recovery/not-me/done',
          '/account/password',
          '/.well-known/change-password',
        ],
        ...['/interaction', '/interaction/x', '/interaction/x/password', '/interaction/x/y/z', '/assets/x', '/assets/'],
        ...['/nothing', '/%', '/..%2f..%2f', '/health/live', '/health/ready', '/metrics', '/.env', '/package.json'],
        ...[
          '/auth?client_id=mutuelle',
          '/auth?client_id=mutuelle&redirect_uri=https://evil.example',
          '/auth?client_id=a&client_id=b',
        ],
      ];
      for (const path of paths) {
        const { status, headers, text } = await send(vestibule, path, { method, headers: { accept: 'text/html' } });
        expect([path, status < 500]).toEqual([path, true]);
        expectDiscreet(headers, text);
        if (/html/.test(headers.get('content-type') ?? '')) expectGuarded(headers);
        if (/^\/(health|metrics|\.env|package)/.test(path)) expect([404, 405]).toContain(status);
      }
    },
  );

  test('an answer that is posted by itself to the portal cannot be framed either', async () => {
    await visitor.visit(await portal.authorizationUrl());
    await visitor.submit({ username: 'alice' });
    await visitor.submit({ password: alice.password });
    // Nor is a code that goes by a redirect kept on the way.
    expect(visitor.left.searchParams.has('code')).toBe(true);
    expect(visitor.page.headers['cache-control']).toContain('no-store');
    await visitor.visit(await portal.authorizationUrl({ response_mode: 'form_post' }));
    expect(visitor.page.body).toContain('name="code"');
    expectGuarded(visitor.page.headers);
    expect(visitor.page.headers['cache-control']).toContain('no-store');
    expect(visitor.page.headers['content-security-policy']).toMatch(/script-src 'self' 'sha256-/);
  });

  test('an asset opened as a document runs nothing', async () => {
    await visitor.visit(await portal.authorizationUrl());
    const assets = [...visitor.page.body.matchAll(/"(\/assets\/[^"]+)"/g)].map(([, path = '']) => path);
    expect(assets.length).toBeGreaterThan(2);
    for (const path of assets) {
      const { headers, status } = await send(vestibule, path);
      expect([status, headers.get('content-security-policy')]).toEqual([200, expect.stringContaining('sandbox')]);
      expect(headers.get('x-content-type-options')).toBe('nosniff');
    }
  });
});

describe('25 cookies that others cannot plant or read', () => {
  const signInAt = async (server: Vestibule): Promise<Visitor> => {
    const visitor = new Visitor(server);
    const at = server === vestibule ? portal : await Portal.discover(server, secure);
    await visitor.visit(await at.authorizationUrl());
    await visitor.visit(`${visitor.page.url.pathname}?lang=fr`);
    await visitor.submit({ username: 'alice' });
    await visitor.submit({ password: alice.password });
    expect(visitor.left.searchParams.has('code')).toBe(true);
    return visitor;
  };

  test('on https: Secure, prefixed, HttpOnly', async () => {
    const visitor = await signInAt(behindProxy);
    await visitor.visit(`/recovery/password/new?token=${'a'.repeat(43)}`);
    const { cookies } = visitor;
    const ours = ['session', 'known', 'link'].map((name) => `__Host-vestibule_${name}`);
    expect(cookies.all.map(({ name }) => name)).toEqual(expect.arrayContaining(ours));
    for (const { name, secure: isSecure, httpOnly, sameSite, path } of cookies.all) {
      expect([name, isSecure, httpOnly]).toEqual([name, true, true]);
      expect(name).toMatch(path === '/' ? /^__Host-/ : /^__Secure-/);
      expect([name, sameSite]).toEqual([name, name.startsWith('__Host-vestibule_session') ? 'none' : 'lax']);
    }
  });

  test('on the http of this machine: HttpOnly and SameSite all the same', async () => {
    const { cookies } = await signInAt(vestibule);
    for (const { name, httpOnly, sameSite } of cookies.all)
      expect([name, httpOnly, sameSite]).toEqual([name, true, 'lax']);
  });

  test('on https every answer insists on it', async () => {
    const { headers } = await send(behindProxy, DISCOVERY);
    expect(headers.get('strict-transport-security')).toMatch(/max-age=\d{8}/);
  });
});
