import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { clientFile, Portal } from '../support/portal.ts';
import { withDurable } from '../support/storage/index.ts';
import { startVestibule, type Vestibule } from '../support/vestibule.ts';
import { Visitor } from '../support/visitor.ts';
import { alice, bearer, bruno, call, errorAt, giveUsernameAndPassword, signIn, signInSilently } from './arrange.ts';

const mutuelle = clientFile('mutuelle', {
  vestibule: { first_party: true, refresh_token_without_offline_access: true },
});

let vestibule: Vestibule;
let portal: Portal;
let visitor: Visitor;

beforeAll(async () => {
  vestibule = await startVestibule({ clients: [mutuelle], people: [alice, bruno] });
  portal = await Portal.discover(vestibule, mutuelle);
});
afterAll(() => vestibule.stop());
beforeEach(async () => {
  visitor = new Visitor(vestibule);
  await setState('active');
});

/** As the console will do. */
const setState = (state: 'active' | 'suspended'): Promise<void> =>
  withDurable(vestibule, async ({ accounts }) => {
    const account = await accounts.findByIdentifier('alice');
    if (!account || !(await accounts.replace({ ...account, state }, ['alice', alice.email], account.version)))
      throw new Error('the state was not changed');
  });

test('a session is worth nothing from the next request on, and is no server error', async () => {
  await signIn(visitor, portal);
  await setState('suspended');
  expect(errorAt(await signInSilently(visitor, portal, { prompt: 'none' }))).toBe('login_required');
  await visitor.visit(await portal.authorizationUrl());
  expect([visitor.page.status, visitor.page.step]).toEqual([200, 'identify']);
});

test('tokens are worth nothing, either', async () => {
  const tokens = await portal.exchange(await signIn(visitor, portal));
  await setState('suspended');
  expect((await call(vestibule, '/me', { headers: bearer(tokens.access_token) })).status).toBe(401);
  await expect(portal.refresh(tokens.refresh_token ?? '')).rejects.toMatchObject({ error: 'invalid_grant' });
});

test('a code that is still under way brings nothing', async () => {
  const callback = await signIn(visitor, portal);
  await setState('suspended');
  await expect(portal.exchange(callback)).rejects.toMatchObject({ error: 'invalid_grant' });
});

test('the right password is a wrong one', async () => {
  await setState('suspended');
  await visitor.visit(await portal.authorizationUrl());
  await visitor.submit({ username: 'alice' });
  await visitor.submit({ password: alice.password });
  expect([visitor.page.status, visitor.page.step]).toEqual([400, 'password']);
});

test('somebody else can sign in in the same browser, and the portal hears of nobody but them', async () => {
  const first = await portal.exchange(await signIn(visitor, portal));
  await setState('suspended');
  await visitor.visit(await portal.authorizationUrl());
  const second = await portal.exchange(await giveUsernameAndPassword(visitor, bruno));
  expect(second.claims()?.sub).not.toBe(first.claims()?.sub);
});
