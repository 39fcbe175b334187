import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { clientFile, Portal } from '../support/portal.ts';
import type { Vestibule } from '../support/vestibule.ts';
import { Visitor } from '../support/visitor.ts';
import { type Answer, post, userinfo } from './support/http.ts';
import { alice, extranet, isSignedIn, mutuelle, redemption, signIn, spa, tokensFor } from './support/people.ts';
import { startTwins } from './support/twin.ts';

/** Signs people in and nothing else: revoking on its behalf must not stop at what it may do itself. */
const simple = clientFile('simple', { grant_types: ['authorization_code'] });
const DAY = 86_400;

let one: Vestibule;
let other: Vestibule;
let portal: Portal;
let visitor: Visitor;

beforeAll(async () => {
  ({ one, other } = await startTwins({ clients: [mutuelle, extranet, spa, simple], people: [alice] }));
  portal = await Portal.discover(one, mutuelle);
});
// The data lies with the first one.
afterAll(async () => {
  await other?.stop();
  await one?.stop();
});
beforeEach(() => {
  visitor = new Visitor(one);
});

const refresh = (token: unknown) => ({ grant_type: 'refresh_token', refresh_token: String(token) });
/** The same request 50 times at once, half at each process. */
const fifty = (form: Record<string, string>, client: typeof mutuelle): Promise<Answer[]> =>
  Promise.all(Array.from({ length: 50 }, (_, n) => post(n % 2 ? one : other, '/token', form, client)));
const outcome = (answers: readonly Answer[]): Record<string, number> => {
  const counts: Record<string, number> = {};
  for (const { status, json } of answers) {
    const name = `${status} ${json.error ?? ''}`.trim();
    counts[name] = (counts[name] ?? 0) + 1;
  }
  return counts;
};

async function expectDead(...tokens: readonly (string | undefined)[]): Promise<void> {
  for (const [index, token] of tokens.entries()) {
    expect(token).toBeTruthy();
    for (const server of [one, other]) {
      expect([index, (await userinfo(server, token)).status]).toEqual([index, 401]);
      for (const client of [mutuelle, extranet, spa]) {
        expect([index, (await post(server, '/token', refresh(token), client)).status]).toEqual([index, 400]);
      }
      const { json } = await post(server, '/token/introspection', { token: String(token) }, mutuelle);
      expect([index, json.active]).toEqual([index, false]);
    }
  }
}

describe('32 redemption race', () => {
  test.each([mutuelle, spa])(
    '50 parallel redemptions of a code of $client_id by two processes: one 200, then nothing',
    async (client) => {
      const at = await Portal.discover(one, client);
      const form = redemption(at, await signIn(visitor, at, alice));
      const answers = await fifty(form, client);
      expect(outcome(answers)).toEqual({ 200: 1, '400 invalid_grant': 49 });
      // A second redemption means the code was stolen: whoever was first keeps nothing (RFC 9700 §4.13).
      const { json } = answers.find(({ status }) => status === 200) as Answer;
      await expectDead(String(json.access_token), String(json.refresh_token));
    },
  );

  test('50 parallel refreshes of a rotating token by two processes: one 200, then nothing', async () => {
    const { tokens } = await tokensFor(one, spa);
    const answers = await fifty(refresh(tokens.refresh_token), spa);
    expect(outcome(answers)).toEqual({ 200: 1, '400 invalid_grant': 49 });
    const { json } = answers.find(({ status }) => status === 200) as Answer;
    await expectDead(String(json.access_token), String(json.refresh_token), tokens.refresh_token);
  });

  test('a pushed request answers one authorization, however many ask at once', async () => {
    await signIn(visitor, portal, alice);
    const address = await portal.pushedAuthorizationUrl();
    const answers = await Promise.all(Array.from({ length: 10 }, () => visitor.request('GET', address, undefined)));
    const codes = answers.filter(({ location }) => location?.searchParams.has('code'));
    expect(codes).toHaveLength(1);
    expect((await visitor.visit(address)).location?.searchParams.has('code') ?? false).toBe(false);
  });
});

describe('33 rotation lost', () => {
  test('a rotated token stays used after kill -9, and its replay ends the family', async () => {
    const { tokens } = await tokensFor(one, spa);
    const rotated = await post(one, '/token', refresh(tokens.refresh_token), spa);
    expect(rotated.status).toBe(200);
    expect(rotated.json.refresh_token).not.toBe(tokens.refresh_token);
    await one.kill();
    await one.restart();
    expect(await post(one, '/token', refresh(tokens.refresh_token), spa)).toMatchObject({
      status: 400,
      json: { error: 'invalid_grant' },
    });
    await expectDead(String(rotated.json.refresh_token), String(rotated.json.access_token), tokens.access_token);
  });

  test('so does one that was rotated for its age', async () => {
    await visitor.visit(await portal.authorizationUrl({ scope: 'openid offline_access', prompt: 'consent' }));
    await visitor.submit({ username: 'alice' });
    await visitor.submit({ password: alice.password });
    await visitor.submit();
    const tokens = await portal.exchange(visitor.left);
    await Promise.all([one.advanceClock(12 * DAY), other.advanceClock(12 * DAY)]);
    const answers = await fifty(refresh(tokens.refresh_token), mutuelle);
    expect(outcome(answers)).toEqual({ 200: 1, '400 invalid_grant': 49 });
    const { json } = answers.find(({ status }) => status === 200) as Answer;
    await one.restart();
    await expectDead(tokens.refresh_token, String(json.refresh_token), String(json.access_token));
  });
});

describe('27 incomplete revocation', () => {
  test('a revoked refresh token takes the grant’s other tokens along, and nobody else’s', async () => {
    const mine = await tokensFor(one, mutuelle);
    const others = await tokensFor(one, extranet);
    const answer = await post(other, '/token/revocation', { token: String(mine.tokens.refresh_token) }, mutuelle);
    expect(answer.status).toBe(200);
    await expectDead(mine.tokens.refresh_token, mine.tokens.access_token);
    expect((await userinfo(one, others.tokens.access_token)).status).toBe(200);
    expect((await post(one, '/token', refresh(others.tokens.refresh_token), extranet)).status).toBe(200);
  });

  test('a revoked access token is no use, and neither is the refresh token beside it', async () => {
    const { tokens } = await tokensFor(one, mutuelle);
    await post(one, '/token/revocation', { token: tokens.access_token }, mutuelle);
    await expectDead(tokens.access_token, tokens.refresh_token);
  });

  test('signing out at one portal ends the tokens, codes and copied cookies of all of them', async () => {
    const first = await portal.exchange(await signIn(visitor, portal, alice));
    const second = await Portal.discover(one, extranet);
    await visitor.visit(await second.authorizationUrl());
    const theirs = await second.exchange(visitor.left);
    await visitor.visit(await second.authorizationUrl());
    const unused = redemption(second, visitor.left);
    const third = await Portal.discover(one, simple);
    await visitor.visit(await third.authorizationUrl());
    const { id_token } = await third.exchange(visitor.left);
    const thief = new Visitor(other);
    for (const { name, value, path } of visitor.cookies.all) {
      thief.cookies.store(new URL(one.issuer), [`${name}=${value}; Path=${path}`]);
    }
    await visitor.visit(third.endSessionUrl({ id_token_hint: id_token ?? '' }));
    expect(visitor.page.step).toBe('signed-out');
    await expectDead(first.access_token, first.refresh_token, theirs.access_token, theirs.refresh_token);
    expect((await post(one, '/token', unused, extranet)).status).toBe(400);
    expect(await isSignedIn(thief, portal)).toBe(false);
    expect(await isSignedIn(visitor, portal)).toBe(false);
  });

  test('two tabs that finish at the same moment leave no second session behind', async () => {
    await signIn(visitor, portal, alice);
    const ends: URL[] = [];
    for (const _tab of [1, 2]) {
      await visitor.visit(await portal.authorizationUrl({ prompt: 'login' }));
      const form = visitor.page.forms.find(({ names }) => names.includes('password'));
      const fields = new URLSearchParams();
      for (const { name, value } of form?.fields ?? []) fields.set(name, name === 'password' ? alice.password : value);
      const answer = await visitor.request('POST', form?.action ?? new URL(one.issuer), fields.toString(), {
        origin: one.issuer,
      });
      ends.push(answer.location ?? new URL(one.issuer));
    }
    const answers = await Promise.all(ends.map((end) => visitor.request('GET', end, undefined)));
    const sessions = answers.map(({ headers }) => {
      const tab = new Visitor(one);
      tab.cookies.store(new URL(one.issuer), headers['set-cookie'] ?? []);
      return tab;
    });
    await sessions[0]?.visit('/session/end');
    await sessions[0]?.submit();
    for (const session of sessions) expect(await isSignedIn(session, portal)).toBe(false);
  });

  test('a sign-out page that was left open signs nobody out later', async () => {
    await signIn(visitor, portal, alice);
    await visitor.visit('/session/end');
    expect(visitor.page.step).toBe('sign-out');
    await visitor.visit(await portal.authorizationUrl({ prompt: 'login', response_mode: 'form_post' }));
    await visitor.submit({ password: alice.password });
    expect(visitor.page.body).toContain('name="code"');
    expect(await isSignedIn(visitor, portal)).toBe(true);
  });
});
