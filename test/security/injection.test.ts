import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { Page } from '../support/page.ts';
import { Portal } from '../support/portal.ts';
import { startVestibule, type Vestibule } from '../support/vestibule.ts';
import { Visitor } from '../support/visitor.ts';
import { expectDiscreet } from './support/answers.ts';
import { basic, post, send } from './support/http.ts';
import { alice, mutuelle, tokensFor } from './support/people.ts';

let vestibule: Vestibule;
let portal: Portal;
let visitor: Visitor;

beforeAll(async () => {
  vestibule = await startVestibule({
    clients: [mutuelle],
    people: [alice],
    settings: {
      features: { registration: { enabled: true }, device_flow: { enabled: true } },
      limits: { lockout: { tries: 1000 } },
    },
  });
  portal = await Portal.discover(vestibule, mutuelle);
});
afterAll(() => vestibule?.stop());
beforeEach(() => {
  visitor = new Visitor(vestibule);
});

const MARKUP = [
  '<xss>',
  '"><xss onload=xss()>',
  "'><script>xss()</script>",
  '" autofocus onfocus="xss()',
  'javascript:xss()',
  '</title></script><xss>',
  '<img src=x onerror=xss()>',
  '{{constructor.constructor("xss()")()}}',
  '<%= process.mainModule %>',
  '${xss}',
  '\u003cxss\u003e',
  '\u2028<xss>\u2029',
];

/** What came in as text went out as text: no element, handler or address was made of it. */
function expectInert(page: Page): void {
  const made = page.attributesOf(
    (element) =>
      ['xss', 'iframe', 'object', 'embed', 'base'].includes(element.name) ||
      (element.name === 'script' && element.attribs.src === undefined) ||
      (element.name === 'img' && !element.attribs.src?.startsWith('/assets/')) ||
      Object.entries(element.attribs).some(
        ([name, value]) =>
          name.startsWith('on') ||
          (['href', 'src', 'action', 'formaction'].includes(name) && /^\s*(javascript|data|vbscript):/i.test(value)),
      ),
  );
  expect([page.url.href, made]).toEqual([page.url.href, undefined]);
  expectDiscreet(page.headers, page.body);
}

describe('48 XSS', () => {
  test.each(MARKUP)('%s is inert wherever it is shown', async (payload) => {
    const parameters: readonly Readonly<Record<string, string>>[] = [
      { login_hint: payload },
      { ui_locales: payload, scope: `openid ${payload}`, state: payload, nonce: payload },
      { claims: JSON.stringify({ userinfo: { [payload]: null } }) },
      { prompt: payload },
      { client_id: payload },
      { redirect_uri: payload },
      { response_mode: payload },
      { lang: payload },
    ];
    for (const over of parameters) {
      const { searchParams } = await portal.authorizationUrl({ prompt: 'login' });
      for (const [name, value] of Object.entries(over)) searchParams.set(name, value);
      expectInert(await visitor.visit(`/auth?${searchParams}`));
      if (visitor.page.step !== 'identify') continue;
      const second = await visitor.submit({ username: payload.slice(0, 200) });
      expectInert(second);
      if (second.step === 'password') expectInert(await visitor.submit({ password: payload }));
    }
    const encoded = encodeURIComponent(payload);
    for (const path of [
      `/${encoded}`,
      `/interaction/${encoded}`,
      `/assets/${encoded}`,
      `/device?user_code=${encoded}`,
      `/nothing?lang=${encoded}`,
    ]) {
      const page = await visitor.request('GET', new URL(path, vestibule.issuer), undefined);
      if (page.step !== undefined) expectInert(page);
      else expect(page.body).not.toContain('<xss');
    }
    await visitor.visit('/device');
    expectInert(
      await visitor.post('/device', { xsrf: visitor.page.forms[0]?.fields[0]?.value ?? '', user_code: payload }),
    );
  });

  test('the name a stranger registers under is inert on every page that shows it', async () => {
    for (const client_name of MARKUP) {
      const body = JSON.stringify({ redirect_uris: ['https://app.example/cb'], client_name });
      const { json } = await send(vestibule, '/reg', {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body,
      });
      const client = { redirect_uris: ['https://app.example/cb'], ...json, client_id: String(json.client_id) };
      const stranger = new Visitor(vestibule);
      expectInert(await stranger.visit(await (await Portal.discover(vestibule, client)).authorizationUrl()));
      expect(stranger.page.text).toContain(client_name.replaceAll(/\s+/gu, ' ').trim());
      await stranger.submit({ username: 'alice' });
      expectInert(await stranger.submit({ password: alice.password }));
      expect(stranger.page.step).toBe('consent');
      expectInert(await stranger.visit(`/session/end?client_id=${client.client_id}`));
    }
  });

  test('answers to programs are not taken for pages', async () => {
    const answers = [
      await send(vestibule, '/<xss>', { headers: { accept: 'application/json' } }),
      await post(vestibule, '/token', { grant_type: '<xss>' }, mutuelle),
      await send(vestibule, '/me', { headers: { authorization: 'Bearer <xss>' } }),
    ];
    for (const { headers } of answers) {
      expect(headers.get('content-type')).toMatch(/json/);
      expect(headers.get('x-content-type-options')).toBe('nosniff');
    }
  });
});

describe('49 EJS options', () => {
  const OPTIONS = {
    'settings[view options][outputFunctionName]': 'x;process.exit(1);//',
    'settings[view options][escapeFunction]': '1;process.exit(1)',
    'settings[view options][client]': 'true',
    'settings[view options][localsName]': 'x=process.exit(1)',
    'view options': '1',
    cache: 'true',
    delimiter: '?',
    filename: '/etc/passwd',
    '__proto__[outputFunctionName]': 'x;process.exit(1)//',
    'constructor[prototype][outputFunctionName]': 'x;process.exit(1)//',
  };

  test('in queries they change no page, in forms they are refused; the server lives', async () => {
    const query = new URLSearchParams(OPTIONS);
    const plain = await visitor.visit('/nothing');
    const other = await visitor.visit(`/nothing?${query}`);
    expect([other.status, other.heading]).toEqual([plain.status, plain.heading]);
    const { searchParams } = await portal.authorizationUrl();
    await visitor.visit(`/auth?${searchParams}&${query}`);
    expect(visitor.page.step).toBe('identify');
    await visitor.submit({ username: 'alice' }, { extra: OPTIONS });
    expect([visitor.page.status, visitor.page.step]).toEqual([400, 'error']);
    expect((await post(vestibule, '/session/end/confirm', OPTIONS)).status).toBe(400);
    expect((await send(vestibule, '/jwks')).status).toBe(200);
    expect(vestibule.logs.filter(({ event }) => event === 'server.started')).toHaveLength(1);
  });
});

describe('50 operator injection', () => {
  test.each([
    'username[$ne]=',
    'username[]=alice',
    'username[0]=alice',
    'username.x=alice',
    'username=alice&username=bruno',
    'username%00=alice',
    '$where=1',
    'username=alice&username[$gt]=',
    '{"username":{"$ne":""}}',
  ])('a form %s is refused', async (fields) => {
    await visitor.visit(await portal.authorizationUrl());
    const form = visitor.page.forms[0];
    const csrf = new URLSearchParams({ _csrf: form?.fields.find(({ name }) => name === '_csrf')?.value ?? '' });
    const headers = { origin: vestibule.issuer };
    const page = await visitor.request('POST', form?.action ?? new URL(vestibule.issuer), `${csrf}&${fields}`, headers);
    expect([page.status, page.step]).toEqual([400, 'error']);
  });

  test.each([
    'application/json',
    'multipart/form-data; boundary=x',
    'text/plain',
    'application/xml',
    '',
    'application/x-www-form-urlencoded-',
  ])('a form as %j is refused', async (type) => {
    await visitor.visit(await portal.authorizationUrl());
    const headers = { origin: vestibule.issuer, 'content-type': type };
    const body = JSON.stringify({ _csrf: 'x', username: { $ne: '' } });
    const action = visitor.page.forms[0]?.action ?? new URL(vestibule.issuer);
    expect((await visitor.request('POST', action, body, headers)).status).toBe(415);
  });

  test('objects and lists in the place of tokens and names find nothing', async () => {
    const { tokens } = await tokensFor(vestibule, mutuelle);
    const authorization = basic('mutuelle', String(mutuelle.client_secret));
    const bodies = [
      'grant_type=authorization_code&code[$ne]=&redirect_uri=x',
      'grant_type=authorization_code&code=a&code=b&redirect_uri=x',
      'grant_type=refresh_token&refresh_token[$gt]=',
      'grant_type=refresh_token&refresh_token[]=x',
      `grant_type=refresh_token&refresh_token=${tokens.refresh_token}%00`,
      `grant_type=refresh_token&refresh_token=%20${tokens.refresh_token}`,
      'grant_type[$ne]=x',
      'grant_type=refresh_token&refresh_token=%25',
      "grant_type=refresh_token&refresh_token=' OR '1'='1",
    ];
    for (const body of bodies) {
      const headers = { authorization, 'content-type': 'application/x-www-form-urlencoded' };
      const { status, json } = await send(vestibule, '/token', { method: 'POST', headers, body });
      expect([body, status, json.access_token]).toEqual([body, 400, undefined]);
    }
    for (const id of [
      'mutuelle[$ne]',
      'mutuelle\u0000',
      '%',
      "' OR 1=1 --",
      '__proto__',
      'constructor',
      'toString',
      'hasOwnProperty',
    ]) {
      const { status } = await send(
        vestibule,
        `/auth?${new URLSearchParams({ client_id: id, response_type: 'code' })}`,
      );
      expect([id, status]).toEqual([id, 400]);
    }
    for (const metadata of [
      '{"redirect_uris":{"$ne":1}}',
      '{"redirect_uris":[{"$ne":1}]}',
      '{"redirect_uris":"https://a.example"}',
      '[]',
      'null',
      '1',
      '"x"',
      '{',
      '{"redirect_uris":["https://a.example/cb"],"client_name":{"$ne":1}}',
      '{"redirect_uris":["https://a.example/cb"],"grant_types":{"length":1}}',
      '{"redirect_uris":["https://a.example/cb"],"jwks":{"keys":{"0":1}}}',
      '{"redirect_uris":["https://a.example/cb"],"contacts":[{}]}',
    ]) {
      const headers = { 'content-type': 'application/json' };
      const { status } = await send(vestibule, '/reg', { method: 'POST', headers, body: metadata });
      expect([metadata, status]).toEqual([metadata, 400]);
    }
  });
});
