import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { clientFile, Portal } from '../support/portal.ts';
import { startVestibule, type Vestibule } from '../support/vestibule.ts';
import { Visitor } from '../support/visitor.ts';

const mutuelle = clientFile('mutuelle', { post_logout_redirect_uris: ['http://localhost:3001/mutuelle'] });
const extranet = clientFile('extranet');
const alice = {
  username: 'alice',
  email: 'alice@example.org',
  emailVerified: true,
  password: 'alice-demo-password',
  profile: { name: 'Alice Martin' },
};

let vestibule: Vestibule;
let visitor: Visitor;
let portal: Portal;

beforeAll(async () => {
  vestibule = await startVestibule({ clients: [mutuelle, extranet], people: [alice] });
  portal = await Portal.discover(vestibule, mutuelle);
});
afterAll(() => vestibule.stop());
beforeEach(() => {
  visitor = new Visitor(vestibule);
});

const signIn = async (username = 'alice'): Promise<URL> => {
  await visitor.visit(await portal.authorizationUrl({ scope: 'openid profile email' }));
  await visitor.submit({ username });
  await visitor.submit({ password: alice.password });
  return visitor.left;
};

test('username, password, back at the portal with truthful tokens', async () => {
  await visitor.visit(await portal.authorizationUrl({ scope: 'openid profile email' }));
  expect(visitor.page.step).toBe('identify');
  expect(visitor.page.forms.flatMap((form) => form.names)).not.toContain('password');
  await visitor.submit({ username: 'alice' });
  expect(visitor.page.step).toBe('password');
  await visitor.submit({ password: alice.password });
  const tokens = await portal.exchange(visitor.left);
  expect(tokens.claims()).toMatchObject({ aud: 'mutuelle', amr: ['pwd'], acr: 'https://refeds.org/profile/sfa' });
  const claims = await portal.userinfo(tokens.access_token, tokens.claims()?.sub);
  expect(claims).toMatchObject({
    name: 'Alice Martin',
    email: 'alice@example.org',
    email_verified: true,
    preferred_username: 'alice',
  });
});

test.each(['ALICE', ' alice ', 'alice@example.org', 'Alice@Example.org', 'ａｌｉｃｅ'])(
  '%j is alice too',
  async (username) => {
    const tokens = await portal.exchange(await signIn(username));
    expect(tokens.claims()?.sub).toBeDefined();
  },
);

test('a second portal signs the person in without a page', async () => {
  const first = await portal.exchange(await signIn());
  const other = await Portal.discover(vestibule, extranet);
  await visitor.visit(await other.authorizationUrl());
  const second = await other.exchange(visitor.left);
  expect(second.claims()?.sub).toBe(first.claims()?.sub);
  expect(second.claims()?.auth_time).toBe(first.claims()?.auth_time);
});

test('signing out with an ID token of this session asks nothing and signs out everywhere', async () => {
  const tokens = await portal.exchange(await signIn());
  await visitor.visit(
    portal.endSessionUrl({
      id_token_hint: tokens.id_token ?? '',
      post_logout_redirect_uri: 'http://localhost:3001/mutuelle',
    }),
  );
  expect(visitor.left.href).toBe('http://localhost:3001/mutuelle');
  await visitor.visit(await portal.authorizationUrl());
  expect(visitor.page.step).toBe('identify');
});

test('signing out without proof asks first', async () => {
  await signIn();
  await visitor.visit('/session/end');
  expect(visitor.page.step).toBe('sign-out');
  await visitor.submit();
  expect(visitor.page.step).toBe('signed-out');
  await visitor.visit(await portal.authorizationUrl());
  expect(visitor.page.step).toBe('identify');
});

test('somebody else signing in on the same browser replaces the first person, without script', async () => {
  await vestibule.addPeople([{ username: 'bruno', password: 'bruno-demo-password' }]);
  const first = await portal.exchange(await signIn());
  await visitor.visit(await portal.authorizationUrl({ prompt: 'login' }));
  expect(visitor.page.step).toBe('password');
  await visitor.choose('switch');
  expect(visitor.page.step).toBe('identify');
  await visitor.submit({ username: 'bruno' });
  await visitor.submit({ password: 'bruno-demo-password' });
  const second = await portal.exchange(visitor.left);
  expect(second.claims()?.sub).not.toBe(first.claims()?.sub);
});

test('a database on disk: session, interaction and people survive a restart', async () => {
  await portal.exchange(await signIn());
  const other = new Visitor(vestibule);
  await other.visit(await portal.authorizationUrl());
  await other.submit({ username: 'alice' });
  await vestibule.restart();
  await visitor.visit(await portal.authorizationUrl());
  await portal.exchange(visitor.left);
  await other.submit({ password: alice.password });
  await portal.exchange(other.left);
});
