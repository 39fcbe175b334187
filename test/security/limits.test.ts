import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { Portal } from '../support/portal.ts';
import { startVestibule, type Vestibule } from '../support/vestibule.ts';
import { Visitor } from '../support/visitor.ts';
import { type Answer, post, send, sendRaw } from './support/http.ts';
import { mutuelle } from './support/people.ts';

let vestibule: Vestibule;
let portal: Portal;
let visitor: Visitor;

beforeAll(async () => {
  vestibule = await startVestibule({
    clients: [mutuelle],
    settings: { features: { registration: { enabled: true } } },
  });
  portal = await Portal.discover(vestibule, mutuelle);
});
afterAll(() => vestibule?.stop());
beforeEach(() => {
  visitor = new Visitor(vestibule);
});

describe('51 slow patterns and depth, 52 unbounded input', () => {
  const HUGE = 15_000;
  const repeat = (text: string, length = HUGE): string => text.repeat(Math.ceil(length / text.length)).slice(0, length);
  /** Of the server's process: what a request costs, however busy the machine is. */
  async function processorSeconds(): Promise<number> {
    const metrics = await (await fetch(`${vestibule.operationsUrl}/metrics`)).text();
    return Number(/^process_cpu_seconds_total (\S+)/m.exec(metrics)?.[1]);
  }
  /** Costs next to nothing, is answered, and so is whoever comes at the same moment. */
  async function expectCheap(what: string, request: () => Promise<{ readonly status: number }>): Promise<void> {
    const before = await processorSeconds();
    const [answer, neighbour] = await Promise.all([request(), send(vestibule, '/jwks')]);
    const isCheap = (await processorSeconds()) - before < 0.5;
    expect([what, isCheap, neighbour.status, answer.status < 500]).toEqual([what, true, 200, true]);
  }
  const get =
    (path: string, headers: Readonly<Record<string, string>> = {}) =>
    (): Promise<Answer> =>
      send(vestibule, path, { headers });

  test('headers made to be slow to read', async () => {
    const asset = /"(\/assets\/[^"]+\.css)"/.exec((await visitor.visit('/nothing')).body)?.[1] ?? '';
    const headers: readonly (readonly [string, string, string])[] = [
      ['/nothing', 'accept-language', repeat('en-GB;q=0.1,')],
      ['/nothing', 'accept-language', repeat(';q=')],
      ['/nothing', 'accept-language', repeat('a-')],
      ['/nothing', 'accept', repeat('text/html;q=0.1;')],
      ['/nothing', 'accept', repeat(',')],
      ['/nothing', 'cookie', repeat('vestibule_language=')],
      ['/nothing', 'cookie', repeat('vestibule_session="')],
      ['/nothing', 'x-forwarded-for', repeat('1.1.1.1, ')],
      [asset, 'accept-encoding', repeat('br;q=0;')],
      [asset, 'if-none-match', repeat('W/"a", ')],
      ['/me', 'authorization', repeat('Bearer ')],
      ['/token', 'authorization', `Basic ${repeat('QUFB')}`],
      ['/me', 'dpop', repeat('eyJ.')],
      ['/nothing', 'origin', repeat('http://a.')],
    ];
    for (const [path, name, value] of headers) await expectCheap(`${path} ${name}`, get(path, { [name]: value }));
  });

  test('addresses made to be slow to read', async () => {
    for (const path of [
      repeat('/'),
      repeat('/..'),
      repeat('/%2e'),
      `/interaction/${repeat('a-')}`,
      `/assets/${repeat('../')}`,
      `/nothing?${repeat('a&')}`,
      `/nothing?${repeat('lang=fr&')}`,
      `/nothing?${repeat('a[')}`,
      `/auth?${repeat('scope=openid&')}`,
    ]) {
      await expectCheap(path.slice(0, 40), get(path));
    }
    const { searchParams } = await portal.authorizationUrl();
    for (const [name, value] of [
      ['scope', repeat('a ', 12_000)],
      ['ui_locales', repeat('fr-', 12_000)],
      ['ui_locales', repeat('fr ', 12_000)],
      ['login_hint', repeat('a@', 12_000)],
      ['acr_values', repeat('x ', 12_000)],
      ['prompt', repeat('login ', 12_000)],
      ['claims', repeat('{"userinfo":', 5000)],
      ['claims', repeat('[', 5000)],
      ['max_age', '9'.repeat(5000)],
    ] as const) {
      const request = new URLSearchParams(searchParams);
      request.set(name, value);
      await expectCheap(`${name} ${value.slice(0, 20)}`, get(`/auth?${request}`));
    }
  });

  test('names and passwords made to be slow to read', async () => {
    for (const username of [
      repeat('a@', 1000),
      repeat('ﷺ', 1000),
      repeat('\u0301', 1000),
      repeat('ß', 1000),
      repeat('\u200b', 1000),
      repeat('👨‍👩‍👧‍👦', 1000),
      repeat(' ', 1000),
      repeat('a', 10_000),
    ]) {
      await visitor.visit(await portal.authorizationUrl());
      await expectCheap(username.slice(0, 20), () => visitor.submit({ username }));
    }
  });

  test('bodies beyond the limit, and JSON nested as deep as it goes', async () => {
    const deep = (open: string, close: string, depth: number) => `${open.repeat(depth)}1${close.repeat(depth)}`;
    const headers = { 'content-type': 'application/json' };
    for (const nested of [deep('[', ']', 25_000), deep('{"a":', '}', 9000)]) {
      for (const body of [
        nested,
        `{"redirect_uris":["https://a.example/cb"],"jwks":{"keys":[${nested}]}}`,
        `{"redirect_uris":["https://a.example/cb"],"x":${nested}}`,
      ]) {
        await expectCheap(body.slice(0, 60), () => send(vestibule, '/reg', { method: 'POST', headers, body }));
      }
    }
    const { searchParams } = await portal.authorizationUrl();
    for (const [name, value] of [
      ['scope', repeat('a ', 50_000)],
      ['ui_locales', repeat('fr ', 40_000)],
      ['claims', deep('{"userinfo":', '}', 4000)],
      ['state', repeat('x', 40_000)],
    ] as const) {
      const request = new URLSearchParams(searchParams);
      request.set(name, value);
      await expectCheap(`pushed ${name}`, () => post(vestibule, '/request', request, mutuelle));
    }
  });

  test('50,000 scopes and 10,000 locales in an address, and a header of 100 kB: refused before they are read', async () => {
    for (const line of [
      `GET /auth?scope=${repeat('a+', 50_000)} HTTP/1.1`,
      `GET /auth?ui_locales=${repeat('fr+', 30_000)} HTTP/1.1`,
      `GET / HTTP/1.1\r\nAccept-Language: ${repeat('fr,', 100_000)}`,
    ]) {
      await expectCheap(line.slice(0, 30), async () => {
        const answer = await sendRaw(vestibule, `${line}\r\nHost: localhost\r\n\r\n`);
        expect([400, 414, 431]).toContain(answer.status);
        return answer;
      });
    }
  });
});
