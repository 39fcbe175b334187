import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { clientFile, Portal } from '../support/portal.ts';
import { startVestibule, type Vestibule } from '../support/vestibule.ts';
import { Visitor } from '../support/visitor.ts';
import { alice, bearer, call, errorAt, signIn, signInSilently } from './arrange.ts';

const HOUR = 3600;
const mutuelle = clientFile('mutuelle', { client_uri: 'https://mutuelle.example/' });

let vestibule: Vestibule;
let portal: Portal;
let visitor: Visitor;

beforeAll(async () => {
  vestibule = await startVestibule({ clients: [mutuelle], people: [alice] });
  portal = await Portal.discover(vestibule, mutuelle);
});
afterAll(() => vestibule.stop());
beforeEach(() => {
  visitor = new Visitor(vestibule);
});

/** The cookies held now, sent also after they expired, as by a browser whose clock is wrong. */
const keepCookies = (): void => {
  visitor.headers = { cookie: visitor.cookies.all.map(({ name, value }) => `${name}=${value}`).join('; ') };
};

describe('a session', () => {
  test('ends eight hours after the sign-in, however often it was used', async () => {
    await signIn(visitor, portal);
    for (let visits = 0; visits < 7; visits++) {
      await vestibule.advanceClock(HOUR);
      expect(errorAt(await signInSilently(visitor, portal))).toBeNull();
    }
    await vestibule.advanceClock(HOUR + 60);
    await visitor.visit(await portal.authorizationUrl());
    expect(visitor.page.step).toBe('identify');
  });

  test('ends at the server, not only in the browser', async () => {
    await signIn(visitor, portal);
    keepCookies();
    await vestibule.advanceClock(8 * HOUR + 60);
    expect(errorAt(await signInSilently(visitor, portal, { prompt: 'none' }))).toBe('login_required');
  });

  test('begins anew with a sign-in', async () => {
    await signIn(visitor, portal);
    await vestibule.advanceClock(7 * HOUR);
    await visitor.visit(await portal.authorizationUrl({ prompt: 'login' }));
    await visitor.submit({ password: alice.password });
    await vestibule.advanceClock(7 * HOUR);
    expect(errorAt(await signInSilently(visitor, portal))).toBeNull();
  });
});

describe('an access token', () => {
  test('ends after an hour', async () => {
    const { access_token } = await portal.exchange(await signIn(visitor, portal));
    await vestibule.advanceClock(HOUR - 60);
    expect((await call(vestibule, '/me', { headers: bearer(access_token) })).status).toBe(200);
    await vestibule.advanceClock(120);
    const late = await call(vestibule, '/me', { headers: bearer(access_token) });
    expect([late.status, late.headers.get('www-authenticate')]).toEqual([
      401,
      expect.stringContaining('invalid_token'),
    ]);
  });
});

describe('a sign-in that takes too long', () => {
  const backToThePortal = () => visitor.page.links.map(({ url }) => url.href);

  test('still works after 59 minutes', async () => {
    await visitor.visit(await portal.authorizationUrl());
    await vestibule.advanceClock(59 * 60);
    await visitor.submit({ username: 'alice' });
    await visitor.submit({ password: alice.password });
    expect(errorAt(visitor.left)).toBeNull();
  });

  test.each([
    ['nothing was posted yet', []],
    ['the username was given', [{ username: 'alice' }]],
  ] as const)('ends on a page with the way back to the portal when %s', async (_when, posted) => {
    await visitor.visit(await portal.authorizationUrl());
    for (const fields of posted) await visitor.submit(fields);
    const { url } = visitor.page;
    const field = posted.length === 0 ? { username: 'alice' } : { password: alice.password };
    await vestibule.advanceClock(HOUR + 60);
    await visitor.submit(field);
    expect([visitor.page.status, visitor.page.step]).toEqual([400, 'error']);
    expect(backToThePortal()).toContain('https://mutuelle.example/');
    await visitor.visit(url);
    expect([visitor.page.status, visitor.page.step]).toEqual([400, 'error']);
    expect(backToThePortal()).toContain('https://mutuelle.example/');
  });

  test.each([
    ['was left at the password', false, 20],
    ['was finished', true, 1],
  ] as const)('and %s leads back to the portal from its pages, hours later', async (_how, finished, hours) => {
    await visitor.visit(await portal.authorizationUrl());
    await visitor.submit({ username: 'alice' });
    const { url } = visitor.page;
    if (finished) await visitor.submit({ password: alice.password });
    await vestibule.advanceClock(hours * HOUR);
    await visitor.visit(url);
    expect([visitor.page.status, visitor.page.step]).toEqual([400, 'error']);
    expect(backToThePortal()).toContain('https://mutuelle.example/');
  });

  test('ends at the server, not only in the browser', async () => {
    await visitor.visit(await portal.authorizationUrl());
    keepCookies();
    await vestibule.advanceClock(HOUR + 60);
    await visitor.submit({ username: 'alice' });
    expect([visitor.page.status, visitor.page.step]).toEqual([400, 'error']);
    expect(backToThePortal()).toContain('https://mutuelle.example/');
  });

  test('in a browser that lost its cookies ends there, too', async () => {
    await visitor.visit(await portal.authorizationUrl());
    visitor.cookies.clear();
    await visitor.submit({ username: 'alice' });
    expect([visitor.page.status, visitor.page.step]).toEqual([400, 'error']);
    expect(backToThePortal()).toContain('https://mutuelle.example/');
  });
});
