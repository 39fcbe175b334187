import { createServer, type IncomingMessage, type Server } from 'node:http';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { freePort } from '../../support/ports.ts';
import { Visitor } from '../../support/visitor.ts';

const PAGE = `<!doctype html>
<html lang="fr"><head><title>Titre &amp; nom</title></head><body>
<form method="post" action="/language"><button name="language" value="de">Deutsch</button></form>
<main data-step="password"><h1>Votre <em>mot de passe</em></h1>
<p id="problem">C’est   faux.</p>
<form method="post"><input type="hidden" name="_csrf" value="abc"><input readonly value="alice">
<input type="password" name="password"><input type="checkbox" name="trust" value="yes">
<select name="unit"><option>a</option><option value="b" selected>B</option></select>
<button id="continue">Continuer</button>
<button name="skip" value="1" data-alternative="skip" formaction="/skipped">Passer</button></form>
<a href="/recovery" data-alternative="forgot-password">Oublié ?</a></main></body></html>`;

describe('the visitor without JavaScript', () => {
  let server: Server;
  let issuer: string;
  let seen: { readonly request: IncomingMessage; readonly body: string }[];

  beforeAll(async () => {
    const port = await freePort();
    issuer = `http://localhost:${port}`;
    server = createServer(async (request, response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      seen.push({ request, body: Buffer.concat(chunks).toString() });
      const redirects: Readonly<Record<string, string>> = {
        '/start': '/interaction/1/password',
        '/leave': 'http://localhost:9/callback?code=1',
        '/loop': '/loop',
      };
      const location = redirects[request.url ?? ''];
      if (request.url === '/start') response.setHeader('set-cookie', ['a=1', 'b=2; Path=/interaction']);
      if (location) response.writeHead(request.method === 'POST' ? 303 : 302, { location });
      response.end(PAGE);
    });
    await new Promise<void>((resolve) => server.listen(port, resolve));
  });

  beforeEach(() => {
    seen = [];
  });

  afterAll(() => {
    server.close();
  });

  test('reads a page', async () => {
    const { page } = await visiting('/interaction/1/password');
    expect(page).toMatchObject({ status: 200, lang: 'fr', step: 'password', title: 'Titre & nom' });
    expect(page.heading).toBe('Votre mot de passe');
    expect(page.error).toBe('C’est faux.');
    expect([...page.alternatives]).toEqual([
      ['skip', undefined],
      ['forgot-password', new URL('/recovery', issuer)],
    ]);
    expect(page.forms[1]?.fields.map(({ name, value }) => [name, value])).toEqual([
      ['_csrf', 'abc'],
      ['password', ''],
      ['unit', 'b'],
    ]);
  });

  test('submits the form of #continue to its own page, as a browser would', async () => {
    const visitor = await visiting('/interaction/1/password');
    await visitor.submit({ password: 'é&=' });
    const { request, body } = seen[1] ?? fail();
    expect([request.method, request.url]).toEqual(['POST', '/interaction/1/password']);
    expect([...new URLSearchParams(body)]).toEqual([
      ['_csrf', 'abc'],
      ['password', 'é&='],
      ['unit', 'b'],
    ]);
    expect(request.headers).toMatchObject({
      origin: issuer,
      referer: `${issuer}/interaction/1/password`,
      'sec-fetch-site': 'same-origin',
      'sec-fetch-mode': 'navigate',
      'content-type': 'application/x-www-form-urlencoded',
    });
  });

  test('presses another button, and follows a link', async () => {
    const visitor = await visiting('/interaction/1/password');
    await visitor.choose('skip');
    expect(seen[1]?.request.url).toBe('/skipped');
    expect(new URLSearchParams(seen[1]?.body).get('skip')).toBe('1');
    await visitor.choose('forgot-password');
    expect([seen[2]?.request.method, seen[2]?.request.url]).toEqual(['GET', '/recovery']);
  });

  test('refuses to fill in what is not there, and sends more than there is only when told', async () => {
    const visitor = await visiting('/interaction/1/password');
    await expect(visitor.submit({ username: 'alice' })).rejects.toThrow('no field "username"');
    await expect(visitor.submit({}, { button: 'cancel' })).rejects.toThrow('no button "cancel"');
    await visitor.submit(
      { trust: 'yes' },
      { extra: { step: 'consent' }, headers: { origin: 'null', referer: undefined } },
    );
    expect(new URLSearchParams(seen[1]?.body).get('step')).toBe('consent');
    expect(seen[1]?.request.headers.origin).toBe('null');
    expect(seen[1]?.request.headers.referer).toBeUndefined();
  });

  test('follows redirects with the cookies it was given, and stops where they leave the server', async () => {
    const visitor = await visiting('/start');
    expect(visitor.page.url.pathname).toBe('/interaction/1/password');
    expect(seen[1]?.request.headers.cookie).toBe('b=2; a=1');
    await visitor.visit('/leave');
    expect(visitor.left.href).toBe('http://localhost:9/callback?code=1');
    await expect(visitor.visit('/loop')).rejects.toThrow('without end');
  });

  test('drops the body and the origin on a redirect after a form', async () => {
    const visitor = await visiting('/interaction/1/password');
    await visitor.post('/start', { password: 'x' });
    const { request, body } = seen[2] ?? fail();
    expect([request.method, request.headers.origin, body]).toEqual(['GET', undefined, '']);
  });

  test('sends whatever header it is told to', async () => {
    const visitor = new Visitor({ issuer });
    visitor.headers = { 'accept-language': 'it' };
    await visitor.visit('/', { headers: { host: 'evil.example' } });
    expect(seen[0]?.request.headers).toMatchObject({ host: 'evil.example', 'accept-language': 'it' });
  });

  test('reaches an issuer with https as its proxy would', async () => {
    const visitor = new Visitor({ issuer: 'https://login.example.org', port: Number(new URL(issuer).port) });
    await visitor.visit('/start');
    expect(visitor.page.url.href).toBe('https://login.example.org/interaction/1/password');
    expect(seen[0]?.request.headers).toMatchObject({ host: 'login.example.org', 'x-forwarded-proto': 'https' });
  });

  async function visiting(path: string): Promise<Visitor> {
    const visitor = new Visitor({ issuer });
    await visitor.visit(path);
    return visitor;
  }
});

function fail(): never {
  throw new Error('no such request');
}
