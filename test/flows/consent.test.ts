import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { clientFile, Portal } from '../support/portal.ts';
import { type ClientFileContents, startVestibule, type Vestibule } from '../support/vestibule.ts';
import { Visitor } from '../support/visitor.ts';
import { alice, bruno, errorAt, giveUsernameAndPassword, signIn, signInSilently } from './arrange.ts';

const API = 'https://api.example/invoices';
const SCOPES = { email: 'See your e-mail address', phone: 'See your phone number', address: 'See your postal address' };
const OFFLINE = 'Keep this access while you are away';

// What a person allowed is remembered: each test has a portal of its own, so that they don't meet.
const NAMES = [
  'plain',
  'memory',
  'growing',
  'refused',
  'again',
  'offline',
  'details',
  'switched',
  'mine',
  'first',
] as const;
type Name = (typeof NAMES)[number];
const fileOf = (name: Name): ClientFileContents => clientFile(name, { vestibule: { first_party: name === 'first' } });
const native = (name: string, over: object): ClientFileContents =>
  clientFile(name, {
    application_type: 'native',
    client_secret: undefined,
    token_endpoint_auth_method: 'none',
    redirect_uris: ['http://127.0.0.1/callback'],
    post_logout_redirect_uris: [],
    vestibule: { first_party: true },
    ...over,
  });
const loopback = native('loopback', {});
const claimed = native('claimed', { redirect_uris: ['https://app.example/callback'] });

let vestibule: Vestibule;
let visitor: Visitor;

beforeAll(async () => {
  vestibule = await startVestibule({
    settings: { resource_servers: { [API]: { scopes: ['invoices:read', 'invoices:write'] } } },
    clients: [...NAMES.map(fileOf), loopback, claimed],
    people: [alice, bruno],
  });
});
afterAll(() => vestibule.stop());
beforeEach(() => {
  visitor = new Visitor(vestibule);
});

const portalOf = (name: Name): Promise<Portal> => Portal.discover(vestibule, fileOf(name));

/** Signs in as far as the consent page. */
async function untilConsent(portal: Portal, parameters: Record<string, string> = {}, person: typeof bruno = alice) {
  await visitor.visit(await portal.authorizationUrl(parameters));
  await visitor.submit({ username: person.username });
  await visitor.submit({ password: person.password });
  expect(visitor.page.step).toBe('consent');
}

describe('a third party', () => {
  test('is named, and what it asks for is said, before anything is granted', async () => {
    const portal = await portalOf('plain');
    await untilConsent(portal, { scope: 'openid email' });
    expect(visitor.page.heading).toContain('Portal plain');
    expect(visitor.page.text).toContain(SCOPES.email);
    expect(visitor.page.text).not.toContain(SCOPES.phone);
    await visitor.submit();
    const tokens = await portal.exchange(visitor.left);
    expect(tokens.scope?.split(' ').toSorted()).toEqual(['email', 'openid']);
    expect(await portal.userinfo(tokens.access_token)).toMatchObject({ email: alice.email });
  });

  test('that was allowed is not asked about again, in this session and in the next', async () => {
    const portal = await portalOf('memory');
    await untilConsent(portal, { scope: 'openid email' });
    await visitor.submit();
    expect(errorAt(await signInSilently(visitor, portal, { scope: 'openid email' }))).toBeNull();
    visitor = new Visitor(vestibule);
    const tokens = await portal.exchange(await signIn(visitor, portal, { scope: 'openid email' }));
    expect(await portal.userinfo(tokens.access_token)).toMatchObject({ email: alice.email });
    expect(errorAt(await signInSilently(visitor, portal, { scope: 'openid', prompt: 'none' }))).toBeNull();
  });

  test('that wants more later is asked about only what is new', async () => {
    const portal = await portalOf('growing');
    await untilConsent(portal, { scope: 'openid email' });
    await visitor.submit();
    visitor = new Visitor(vestibule);
    await untilConsent(portal, { scope: 'openid email phone' });
    expect(visitor.page.text).toContain(SCOPES.phone);
    expect(visitor.page.text).not.toContain(SCOPES.email);
    await visitor.submit();
    await visitor.visit(await portal.authorizationUrl({ scope: 'openid email phone address' }));
    expect(visitor.page.text).toContain(SCOPES.address);
    expect(visitor.page.text).not.toContain(SCOPES.phone);
    await visitor.submit();
    visitor = new Visitor(vestibule);
    expect(errorAt(await signIn(visitor, portal, { scope: 'openid email phone address' }))).toBeNull();
  });

  test('that is refused gets nothing, and is asked about again next time', async () => {
    const portal = await portalOf('refused');
    await untilConsent(portal);
    await visitor.choose('cancel');
    expect(errorAt(visitor.left)).toBe('access_denied');
    expect(visitor.left.searchParams.get('state')).toBeTruthy();
    expect(visitor.left.searchParams.get('code')).toBeNull();
    await visitor.visit(await portal.authorizationUrl());
    expect(visitor.page.step).toBe('consent');
  });

  test('that asks to be asked about shows everything again', async () => {
    const portal = await portalOf('again');
    const claims = JSON.stringify({ userinfo: { birthdate: null } });
    const everything = { scope: 'openid email invoices:read', claims, resource: API };
    await untilConsent(portal, everything);
    await visitor.submit();
    await visitor.visit(await portal.authorizationUrl({ ...everything, prompt: 'consent' }));
    expect(visitor.page.step).toBe('consent');
    for (const words of [SCOPES.email, 'date of birth', `${API}: invoices:read`])
      expect(visitor.page.text).toContain(words);
    await visitor.submit();
    expect(errorAt(visitor.left)).toBeNull();
  });

  test('is allowed to stay away from the session only where the page said so', async () => {
    const portal = await portalOf('offline');
    const parameters = { scope: 'openid offline_access', prompt: 'consent' };
    await untilConsent(portal, parameters);
    expect(visitor.page.text).toContain(OFFLINE);
    await visitor.submit();
    expect((await portal.exchange(visitor.left)).refresh_token).toBeTruthy();
    const silent = await portal.exchange(await signInSilently(visitor, portal, { scope: 'openid offline_access' }));
    expect(silent.refresh_token).toBeUndefined();
    await visitor.visit(await portal.authorizationUrl(parameters));
    expect(visitor.page.text).toContain(OFFLINE);
  });

  test('that asks for single claims or for an API has them on the page', async () => {
    const portal = await portalOf('details');
    const claims = JSON.stringify({ userinfo: { birthdate: { essential: true } }, id_token: { nickname: null } });
    await untilConsent(portal, { claims, scope: 'openid invoices:read', resource: API });
    expect(visitor.page.text).toMatch(/date of birth and nickname/);
    expect(visitor.page.text).toContain(`${API}: invoices:read`);
    expect(visitor.page.text).not.toContain('invoices:write');
    await visitor.submit();
    visitor = new Visitor(vestibule);
    expect(errorAt(await signIn(visitor, portal, { claims, scope: 'openid invoices:read', resource: API }))).toBeNull();
  });

  test('is allowed by one person for that person only', async () => {
    const portal = await portalOf('mine');
    await untilConsent(portal);
    await visitor.submit();
    visitor = new Visitor(vestibule);
    await untilConsent(portal, {}, bruno);
  });

  test('is never granted what another person allowed in the same browser', async () => {
    const portal = await portalOf('switched');
    await untilConsent(portal, { scope: 'openid email' });
    await visitor.submit();
    await visitor.visit(await portal.authorizationUrl({ scope: 'openid email', prompt: 'login' }));
    await visitor.choose('switch');
    await visitor.submit({ username: 'bruno' });
    await visitor.submit({ password: bruno.password });
    expect(visitor.page.step).toBe('consent');
    expect(visitor.page.text).toContain('bruno');
  });
});

describe('the operator’s own portal', () => {
  test('is not asked about', async () => {
    const portal = await portalOf('first');
    const tokens = await portal.exchange(await signIn(visitor, portal, { scope: 'openid email phone' }));
    expect(tokens.scope?.split(' ').toSorted()).toEqual(['email', 'openid', 'phone']);
  });

  test('is asked about when it wants to be', async () => {
    const portal = await portalOf('first');
    await signIn(visitor, portal);
    await visitor.visit(await portal.authorizationUrl({ prompt: 'consent' }));
    expect(visitor.page.step).toBe('consent');
    await visitor.choose('cancel');
    expect(errorAt(visitor.left)).toBe('access_denied');
  });
});

describe('an app on the person’s device', () => {
  test('that any program could pretend to be is asked about each time, the operator’s own included', async () => {
    const portal = await Portal.discover(vestibule, loopback);
    for (const port of [4001, 4002]) {
      await visitor.visit(await portal.authorizationUrl({ redirect_uri: `http://127.0.0.1:${port}/callback` }));
      if (visitor.page.step === 'identify') {
        await visitor.submit({ username: 'alice' });
        await visitor.submit({ password: alice.password });
      }
      expect(visitor.page.step).toBe('consent');
      await visitor.submit();
      expect(visitor.left.origin).toBe(`http://127.0.0.1:${port}`);
      expect((await portal.exchange(visitor.left)).claims()?.aud).toBe('loopback');
    }
    const silent = await signInSilently(visitor, portal, {
      redirect_uri: 'http://127.0.0.1:4003/callback',
      prompt: 'none',
    });
    expect(errorAt(silent)).toBe('interaction_required');
  });

  test('whose address is claimed with https goes without', async () => {
    const portal = await Portal.discover(vestibule, claimed);
    await visitor.visit(await portal.authorizationUrl());
    expect(errorAt(await giveUsernameAndPassword(visitor))).toBeNull();
    expect(errorAt(await signInSilently(visitor, portal, { prompt: 'none' }))).toBeNull();
  });
});
