import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { LANGUAGES, type Language } from '../../src/config/schema/values.ts';
import { respondWithAsset } from '../../src/web/pages/index.ts';
import { accessibilityViolations } from '../support/axe.ts';
import { withBrowser } from '../support/browser.ts';
import { requires } from '../support/requirements.ts';
import { openHouse, renderSample, SAMPLE_LOGO, samples } from '../unit/pages/fixtures.ts';

const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'";
const ANSWER_DELAY = 1500;
const LOGO = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24"><circle cx="12" cy="12" r="9"/></svg>';

// Every page as people see it, without the rest of the product behind it: `/<number of the sample>/<language>`.
requires('chromium')('how pages look and behave', () => {
  const house = openHouse();
  const all = samples('anne-sophie.vandenbroucke@longcompanyname.example.org');
  const posted: string[] = [];
  let server: Server;
  let origin: string;
  const browser = withBrowser();

  beforeAll(async () => {
    server = createServer(async (request, response) => {
      const path = request.url ?? '/';
      if (path === SAMPLE_LOGO) {
        response.writeHead(200, { 'content-type': 'image/svg+xml' }).end(LOGO);
      } else if (path.startsWith('/assets/')) {
        const { status, headers, body } = await respondWithAsset(house.assets, { path });
        response.writeHead(status, headers).end(body);
      } else if (request.method === 'POST') {
        let body = '';
        request.on('data', (chunk) => {
          body += chunk;
        });
        // No Content: the browser stays on the page, as while it waits for a slow answer.
        request.on('end', () => {
          posted.push(body);
          setTimeout(() => response.writeHead(204).end(), ANSWER_DELAY);
        });
      } else {
        const [, index, language] = path.split('/');
        const sample = all[Number(index)] ?? all[0];
        if (!sample) throw new Error('no samples');
        response
          .writeHead(200, { 'content-type': 'text/html; charset=utf-8', 'content-security-policy': POLICY })
          .end(renderSample(house, sample, house.context(language as Language)));
      }
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });

  const address = (page: string, problem: boolean, language: Language = 'en'): string =>
    `${origin}/${all.findIndex(([name, model]) => name === page && 'problem' in model === problem)}/${language}`;

  const LOOKS = [
    { colorScheme: 'light', language: 'de' },
    { colorScheme: 'dark', language: 'fr' },
  ] as const;
  /** So many pages that one test of them all would take minutes: every page in one of the looks, in turn. */
  const PARTS = 4;
  const shares = Array.from({ length: PARTS }, (_, part) => ({ ...(LOOKS[part % 2] ?? LOOKS[0]), part }));

  test.each(shares)('all are accessible and obey the security policy: %j', async ({ language, part, ...options }) => {
    const page = await browser.open(options);
    const complaints: string[] = [];
    page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()));
    for (const index of [...all.keys()].filter((each) => each % PARTS === part)) {
      await page.goto(`${origin}/${index}/${language}`);
      // The offer of a passkey stays out of sight while the browser tries to make one by itself.
      await page.locator('h1').waitFor();
      expect([all[index]?.[0], await accessibilityViolations(page)]).toEqual([all[index]?.[0], []]);
    }
    expect(complaints).toEqual([]);
  });

  test('all fit the narrowest telephone, in the longest language, at 200 % text', async () => {
    const page = await browser.open({ viewport: { width: 320, height: 640 } });
    for (const index of all.keys()) {
      await page.goto(`${origin}/${index}/de`);
      for (const size of ['100%', '200%']) {
        await page.evaluate(`document.documentElement.style.fontSize = '${size}'`);
        const overflow = await page.evaluate('document.documentElement.scrollWidth - innerWidth');
        expect([all[index]?.[0], size, overflow]).toEqual([all[index]?.[0], size, 0]);
      }
    }
  });

  test('everything to press is 44 pixels high', async () => {
    const page = await browser.open({ viewport: { width: 360, height: 740 } });
    for (const index of all.keys()) {
      await page.goto(`${origin}/${index}/en`);
      const small = await page.evaluate(
        // A box to tick is pressed by its whole label.
        "[...document.querySelectorAll('a, button, summary, input:not([type=hidden], .visually-hidden)')].map((e) => e.closest('label') ?? e).filter((e) => e.offsetHeight && Math.ceil(e.getBoundingClientRect().height) < 44).map((e) => e.outerHTML)",
      );
      expect(small).toEqual([]);
    }
  });

  test('a problem takes the focus without a script; else the field has it', async () => {
    const page = await browser.open({ javaScriptEnabled: false });
    await page.goto(address('password', true));
    expect(await page.locator('#problem:focus').count()).toBe(1);
    await page.goto(address('password', false));
    expect(await page.locator('#password:focus').count()).toBe(1);
    expect(await page.locator('.reveal').isVisible()).toBe(false);
  });

  test('a password can be looked at, and is a password again when it is sent', async () => {
    const page = await browser.open();
    await page.goto(address('password', false));
    const field = page.locator('#password');
    await field.fill('correct horse');
    const button = page.getByRole('button', { name: 'Show password' });
    await button.click();
    expect(await field.getAttribute('type')).toBe('text');
    await page.getByRole('button', { name: 'Hide password' }).click();
    expect(await field.getAttribute('type')).toBe('password');
    await button.click();
    await page.locator('#continue').click();
    expect(await field.getAttribute('type')).toBe('password');
  });

  test('a second click sends nothing, and a wait of over a second says so', async () => {
    posted.length = 0;
    const page = await browser.open();
    await page.goto(address('consent', false));
    // Clicked by the page itself: Playwright would wait for a button that is switched off.
    const click = (selector: string) => page.evaluate(`document.querySelector('${selector}').click()`);
    await click('[data-alternative=cancel]');
    await click('[data-alternative=cancel]');
    await click('#continue');
    await page.getByText('One moment…').waitFor({ timeout: 3000 });
    await new Promise((resolve) => setTimeout(resolve, ANSWER_DELAY));
    expect(posted).toHaveLength(1);
    // The name of the button pressed is sent although it is switched off.
    expect(posted[0]).toContain('cancel=yes');
  });

  test.each(LANGUAGES)(
    'the order of the page read aloud, in %s: portal, heading, field, button, the rest',
    async (language) => {
      const page = await browser.open();
      await page.goto(address('identify', false, language));
      const tree = await page.locator('body').ariaSnapshot();
      const order = ['banner', 'main', 'heading', 'textbox', 'button', 'contentinfo', 'navigation'].map((role) =>
        tree.search(new RegExp(`- ${role}\\b`)),
      );
      expect(order.every((position) => position >= 0)).toBe(true);
      expect(order).toEqual(order.toSorted((a, b) => a - b));
    },
  );
});
