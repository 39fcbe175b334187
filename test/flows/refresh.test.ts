import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { clientFile, Portal } from '../support/portal.ts';
import { type ClientFileContents, startVestibule, type Vestibule } from '../support/vestibule.ts';
import { Visitor } from '../support/visitor.ts';
import { alice, bearer, call, signIn } from './arrange.ts';

const HOUR = 3600;
const DAY = 24 * HOUR;

const mutuelle = clientFile('mutuelle');
const other = clientFile('other');
const ownPortal = clientFile('own-portal', {
  vestibule: { first_party: true, refresh_token_without_offline_access: true },
});
const without = clientFile('without', { grant_types: ['authorization_code'] });
const spa = clientFile('spa', { client_secret: undefined, token_endpoint_auth_method: 'none' });

let vestibule: Vestibule;
let visitor: Visitor;

beforeAll(async () => {
  vestibule = await startVestibule({ clients: [mutuelle, other, ownPortal, without, spa], people: [alice] });
});
afterAll(() => vestibule.stop());
beforeEach(() => {
  visitor = new Visitor(vestibule);
});

const OFFLINE = { scope: 'openid email offline_access', prompt: 'consent' };

/** Signs in, past the consent that `offline_access` asks for. */
async function obtain(file: ClientFileContents, parameters: Record<string, string> = OFFLINE) {
  const portal = await Portal.discover(vestibule, file);
  if (parameters.prompt === 'consent') {
    await visitor.visit(await portal.authorizationUrl(parameters));
    await visitor.submit({ username: 'alice' });
    await visitor.submit({ password: alice.password });
    await visitor.submit();
  } else await signIn(visitor, portal, parameters);
  const tokens = await portal.exchange(visitor.left);
  return { portal, tokens, refreshToken: tokens.refresh_token ?? '' };
}

const invalidGrant = { error: 'invalid_grant' };
const isActive = async (accessToken: string): Promise<boolean> =>
  (await call(vestibule, '/me', { headers: bearer(accessToken) })).ok;

async function signOut(portal: Portal, idToken: string | undefined): Promise<void> {
  await visitor.visit(portal.endSessionUrl({ id_token_hint: idToken ?? '' }));
  expect(visitor.page.step).toBe('signed-out');
}

describe('is issued', () => {
  test('for offline_access with prompt=consent, and brings what the sign-in brought', async () => {
    const { portal, tokens, refreshToken } = await obtain(mutuelle);
    const fresh = await portal.refresh(refreshToken);
    expect(fresh.claims()).toMatchObject({
      sub: tokens.claims()?.sub,
      auth_time: tokens.claims()?.auth_time,
      amr: ['pwd'],
    });
    expect(await portal.userinfo(fresh.access_token)).toMatchObject({ email: alice.email });
  });

  test.each([
    ['offline_access alone', mutuelle, { scope: 'openid offline_access' }],
    ['no request', mutuelle, { scope: 'openid' }],
    ['a client without the grant', without, OFFLINE],
  ])('not for %s', async (_what, file, parameters) => {
    expect((await obtain(file, parameters)).tokens.refresh_token).toBeUndefined();
  });

  test('with every code for the operator’s own portal that asks in its file', async () => {
    const { portal, refreshToken } = await obtain(ownPortal, { scope: 'openid' });
    expect((await portal.refresh(refreshToken)).access_token).toBeTruthy();
  });
});

describe('of a session', () => {
  test('ends when the person signs out', async () => {
    const { portal, tokens, refreshToken } = await obtain(ownPortal, { scope: 'openid' });
    await signOut(portal, tokens.id_token);
    await expect(portal.refresh(refreshToken)).rejects.toMatchObject(invalidGrant);
    expect(await isActive(tokens.access_token)).toBe(false);
  });

  test('ends with the session', async () => {
    const { portal, refreshToken } = await obtain(ownPortal, { scope: 'openid' });
    await vestibule.advanceClock(7 * HOUR);
    await portal.refresh(refreshToken);
    await vestibule.advanceClock(HOUR + 60);
    await expect(portal.refresh(refreshToken)).rejects.toMatchObject(invalidGrant);
  });
});

describe('for offline access', () => {
  test('outlives the session and its end', async () => {
    const { portal, tokens, refreshToken } = await obtain(mutuelle);
    await signOut(portal, tokens.id_token);
    await vestibule.advanceClock(9 * HOUR);
    expect((await portal.refresh(refreshToken)).access_token).toBeTruthy();
  });

  test('ends after fourteen days without use', async () => {
    const { portal, refreshToken } = await obtain(mutuelle);
    await vestibule.advanceClock(14 * DAY + 60);
    await expect(portal.refresh(refreshToken)).rejects.toMatchObject(invalidGrant);
  });
});

describe('of a confidential client', () => {
  test('stays the same', async () => {
    const { portal, refreshToken } = await obtain(mutuelle);
    for (let uses = 0; uses < 3; uses++) expect((await portal.refresh(refreshToken)).refresh_token).toBe(refreshToken);
  });

  test('is replaced late in its life, and goes on as long as it is used', async () => {
    const { portal, refreshToken } = await obtain(mutuelle);
    await vestibule.advanceClock(10 * DAY);
    const second = (await portal.refresh(refreshToken)).refresh_token ?? '';
    expect(second).not.toBe(refreshToken);
    await vestibule.advanceClock(10 * DAY);
    const third = (await portal.refresh(second)).refresh_token ?? '';
    expect(third).not.toBe(second);
    await vestibule.advanceClock(10 * DAY);
    const last = await portal.refresh(third);
    expect(await isActive(last.access_token)).toBe(true);
  });

  test('that was replaced and comes again ends the whole family', async () => {
    const { portal, refreshToken } = await obtain(mutuelle);
    await vestibule.advanceClock(10 * DAY);
    const replaced = await portal.refresh(refreshToken);
    await expect(portal.refresh(refreshToken)).rejects.toMatchObject(invalidGrant);
    await expect(portal.refresh(replaced.refresh_token ?? '')).rejects.toMatchObject(invalidGrant);
    expect(await isActive(replaced.access_token)).toBe(false);
  });

  test('is no good to another client, and is not harmed by the try', async () => {
    const { portal, refreshToken } = await obtain(mutuelle);
    const thief = await Portal.discover(vestibule, other);
    await expect(thief.refresh(refreshToken)).rejects.toMatchObject(invalidGrant);
    expect((await portal.refresh(refreshToken)).access_token).toBeTruthy();
  });

  test('can be used for less, never for more', async () => {
    const { portal, refreshToken } = await obtain(mutuelle);
    expect((await portal.refresh(refreshToken, { scope: 'openid' })).scope).toBe('openid');
    await expect(portal.refresh(refreshToken, { scope: 'openid phone' })).rejects.toMatchObject({
      error: 'invalid_scope',
    });
    expect((await portal.refresh(refreshToken)).scope).toContain('email');
  });

  test('does not bring back what was revoked', async () => {
    const { portal, tokens, refreshToken } = await obtain(mutuelle);
    const form = { token: refreshToken, client_id: 'mutuelle', client_secret: String(mutuelle.client_secret) };
    expect((await call(vestibule, '/token/revocation', { form })).status).toBe(200);
    await expect(portal.refresh(refreshToken)).rejects.toMatchObject(invalidGrant);
    expect(await isActive(tokens.access_token)).toBe(false);
  });
});

describe('of a public client', () => {
  test('is replaced at each use', async () => {
    const { portal, refreshToken } = await obtain(spa);
    const second = (await portal.refresh(refreshToken)).refresh_token ?? '';
    const third = (await portal.refresh(second)).refresh_token ?? '';
    expect(new Set([refreshToken, second, third]).size).toBe(3);
  });

  test('that was used and comes again ends the whole family', async () => {
    const { portal, refreshToken } = await obtain(spa);
    const replaced = await portal.refresh(refreshToken);
    await expect(portal.refresh(refreshToken)).rejects.toMatchObject(invalidGrant);
    await expect(portal.refresh(replaced.refresh_token ?? '')).rejects.toMatchObject(invalidGrant);
    expect(await isActive(replaced.access_token)).toBe(false);
  });

  test('that two tabs use at once works for one of them at most', async () => {
    const { portal, refreshToken } = await obtain(spa);
    const answers = await Promise.allSettled([1, 2, 3, 4].map(() => portal.refresh(refreshToken)));
    expect(answers.filter(({ status }) => status === 'fulfilled').length).toBeLessThanOrEqual(1);
  });

  test('lives no longer for being replaced', async () => {
    const { portal, refreshToken } = await obtain(spa);
    await vestibule.advanceClock(13 * DAY);
    const second = (await portal.refresh(refreshToken)).refresh_token ?? '';
    await vestibule.advanceClock(DAY + 60);
    await expect(portal.refresh(second)).rejects.toMatchObject(invalidGrant);
  });
});
