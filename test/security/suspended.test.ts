import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { Portal } from '../support/portal.ts';
import { type Person, startVestibule, type Vestibule } from '../support/vestibule.ts';
import { Visitor } from '../support/visitor.ts';
import { expectErrorPage } from './support/answers.ts';
import { post, userinfo } from './support/http.ts';
import { isSignedIn, mutuelle, redemption, signIn, stranger } from './support/people.ts';
import { accountOf, changeAccount } from './support/storage.ts';

const people = Array.from(
  { length: 8 },
  (_, n): Person => ({ username: `person${n}`, password: `person${n}-password` }),
);

let vestibule: Vestibule;
let portal: Portal;
let visitor: Visitor;
let person: Person;
let next = 0;

beforeAll(async () => {
  vestibule = await startVestibule({ clients: [mutuelle, stranger], people });
  portal = await Portal.discover(vestibule, mutuelle);
});
afterAll(() => vestibule?.stop());
beforeEach(() => {
  visitor = new Visitor(vestibule);
  person = people[next++ % people.length] as Person;
});

const suspend = (state: 'suspended' | 'deleted' = 'suspended'): Promise<void> =>
  changeAccount(vestibule, person.username, { state });
const refresh = (token: unknown) =>
  post(vestibule, '/token', { grant_type: 'refresh_token', refresh_token: String(token) }, mutuelle);

describe('26 disabled user alive', () => {
  test.each(['suspended', 'deleted'] as const)('%s: cookie, tokens and unused code are dead at once', async (state) => {
    const tokens = await portal.exchange(await signIn(visitor, portal, person));
    await visitor.visit(await portal.authorizationUrl());
    const unused = redemption(portal, visitor.left);
    const introspect = () => post(vestibule, '/token/introspection', { token: tokens.access_token }, mutuelle);
    expect(await introspect()).toMatchObject({ json: { active: true } });

    await suspend(state);
    expect(await post(vestibule, '/token', unused, mutuelle)).toMatchObject({
      status: 400,
      json: { error: 'invalid_grant' },
    });
    expect(await refresh(tokens.refresh_token)).toMatchObject({ status: 400, json: { error: 'invalid_grant' } });
    expect(await userinfo(vestibule, tokens.access_token)).toMatchObject({
      status: 401,
      json: { error: 'invalid_token' },
    });
    expect(await introspect()).toMatchObject({ json: { active: false } });
    expect(await isSignedIn(visitor, portal)).toBe(false);
    expect(visitor.left.searchParams.get('error')).toBe('login_required');
    await visitor.visit(await portal.authorizationUrl());
    expect(visitor.page.step).toBe('identify');
    await visitor.submit({ username: person.username });
    await visitor.submit({ password: person.password });
    expect([visitor.page.status, visitor.page.step]).toEqual([400, 'password']);
  });

  test('between name and password: no code, and the log does not say that it succeeded', async () => {
    await visitor.visit(await portal.authorizationUrl());
    await visitor.submit({ username: person.username });
    await suspend();
    await visitor.submit({ password: person.password });
    expect(visitor.page.location?.searchParams.get('code') ?? undefined).toBeUndefined();
    expect(visitor.page.status).toBeLessThan(500);
    expect(await isSignedIn(visitor, portal)).toBe(false);
    // When this page's line has arrived, so have all before it.
    await expectErrorPage(vestibule, await visitor.visit('/nothing'), 404);
    expect(vestibule.logs.filter(({ event }) => event === 'login.succeeded')).not.toContainEqual(
      expect.objectContaining({ account: await accountOf(vestibule, person) }),
    );
  });

  test('between password and portal: no code', async () => {
    await visitor.visit(await portal.authorizationUrl());
    await visitor.submit({ username: person.username });
    const form = visitor.page.forms.find(({ names }) => names.includes('password'));
    const fields = new URLSearchParams();
    for (const { name, value } of form?.fields ?? []) fields.set(name, name === 'password' ? person.password : value);
    const { location } = await visitor.request('POST', form?.action ?? new URL(vestibule.issuer), fields.toString(), {
      origin: vestibule.issuer,
    });
    await suspend();
    await visitor.visit(location ?? '');
    expect([visitor.page.status, visitor.page.step]).toEqual([200, 'identify']);
    expect(await isSignedIn(visitor, portal)).toBe(false);
  });

  test('in front of the consent page: allowing gives no code', async () => {
    const third = await Portal.discover(vestibule, stranger);
    await visitor.visit(await third.authorizationUrl());
    await visitor.submit({ username: person.username });
    await visitor.submit({ password: person.password });
    expect(visitor.page.step).toBe('consent');
    await suspend();
    await visitor.submit();
    expect(visitor.page.location?.searchParams.get('code') ?? undefined).toBeUndefined();
    expect(visitor.page.status).toBeLessThan(500);
  });

  test('asked to sign in again while suspended: nobody is named, nobody gets in; active again, they do', async () => {
    await signIn(visitor, portal, person);
    await suspend();
    await visitor.visit(await portal.authorizationUrl({ prompt: 'login' }));
    expect(visitor.page.step).toBe('identify');
    expect(visitor.page.text).not.toContain(person.username);
    await changeAccount(vestibule, person.username, { state: 'active' });
    await visitor.submit({ username: person.username });
    await visitor.submit({ password: person.password });
    expect(visitor.left.searchParams.has('code')).toBe(true);
  });
});
