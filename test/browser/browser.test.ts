import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { accessibilityViolations } from '../support/axe.ts';
import { withBrowser } from '../support/browser.ts';
import { requires } from '../support/requirements.ts';

// If this fails, it is the browser that does not start here, and no page is to blame.
requires('chromium')('the browser itself', () => {
  const browser = withBrowser();
  let server: Server;
  let address: string;

  beforeAll(async () => {
    server = createServer((request, response) => {
      response.setHeader('content-type', request.url === '/script.js' ? 'text/javascript' : 'text/html; charset=utf-8');
      response.setHeader('content-security-policy', "default-src 'none'; script-src 'self'");
      const text = request.headers.cookie ?? 'no cookie';
      response.setHeader('set-cookie', 'seen=yes; Path=/; HttpOnly');
      if (request.url === '/script.js') response.end("document.querySelector('h1').textContent = 'scripted';");
      else
        response.end(
          `<!doctype html><html lang="en"><title>t</title><main><h1>plain</h1><p>${text}</p></main><script src="/script.js"></script>`,
        );
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    address = `http://localhost:${(server.address() as AddressInfo).port}/`;
  });

  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });

  test('runs the scripts of a page, and none where JavaScript is off', async () => {
    const page = await browser.open();
    await page.goto(address);
    expect(await page.locator('h1').textContent()).toBe('scripted');
    const plain = await browser.open({ javaScriptEnabled: false });
    await plain.goto(address);
    expect(await plain.locator('h1').textContent()).toBe('plain');
  });

  test.each(['first', 'second'])('begins every test without cookies (%s)', async () => {
    const page = await browser.open();
    await page.goto(address);
    expect(await page.locator('p').textContent()).toBe('no cookie');
  });

  test('finds what is inaccessible, under a strict content security policy', async () => {
    const page = await browser.open();
    await page.goto(address);
    expect(await accessibilityViolations(page)).toEqual([]);
    await page.evaluate("document.documentElement.removeAttribute('lang')");
    expect((await accessibilityViolations(page)).map(({ rule }) => rule)).toEqual(['html-has-lang']);
  });
});
