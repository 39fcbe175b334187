import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { generateKeyPair } from 'jose';
import { auditOf } from '../flows/arrange.ts';
import { EvilUpstream, type TokenScript } from '../support/evil-upstream.ts';
import { CLIENT_ID, link, providerFile } from '../support/external.ts';
import {
  announce,
  askedOf,
  comeBackSignedOut,
  elsewhere,
  isSignedIn,
  linkFirst,
  logoutToken,
  newStay,
  type Stay,
  stayIn,
} from '../support/external-sign-out.ts';
import { Portal } from '../support/portal.ts';
import { crowd } from '../support/second-factor.ts';
import { startVestibule, type Vestibule } from '../support/vestibule.ts';
import { Visitor } from '../support/visitor.ts';
import type { Scene } from './support/external.ts';
import { mutuelle } from './support/people.ts';
import { bytesOnDisk, takeAway } from './support/storage.ts';

const HOME = 'http://localhost:9/mutuelle';
const BOTH = { logout: { rp_initiated: true, back_channel: true } };
const people = crowd({ plain: {} }, 60);

let evil: EvilUpstream;
/** Another provider, with keys of its own. */
let other: EvilUpstream;
let vestibule: Vestibule;
let scene: Scene;
let stay: Stay;
let sub: string;
let visitor: Visitor;

beforeAll(async () => {
  const now = () => vestibule?.now() ?? Date.now();
  [evil, other] = await Promise.all([EvilUpstream.start(CLIENT_ID, now), EvilUpstream.start(CLIENT_ID, now)]);
  vestibule = await startVestibule({
    clients: [mutuelle],
    providers: {
      evil: providerFile(evil, BOTH),
      other: providerFile(other, { ...BOTH, name: 'Other eID' }),
      deaf: providerFile(evil, { name: 'Deaf eID', logout: { rp_initiated: true } }),
      off: providerFile(evil, { ...BOTH, name: 'Switched off', enabled: false }),
    },
    people: people.everybody,
  });
  scene = { vestibule, evil, portal: await Portal.discover(vestibule, mutuelle) };
});
afterAll(async () => {
  await vestibule?.stop();
  await Promise.all([evil?.stop(), other?.stop()]);
});
/** Somebody who signed in with the provider. */
beforeEach(async () => {
  evil.reset();
  other.reset();
  stay = newStay();
  sub = await linkFirst(scene, stay, people.next('plain'));
  visitor = await stayIn(scene, stay);
});

const told = (claims: object = stay, script: TokenScript = {}) =>
  logoutToken(evil, vestibule, claims as Readonly<Record<string, unknown>>, script);

/** 400 for the provider, nothing of why, a reason in the log, and everybody as signed in as before. */
async function expectRefused(answer: Response, reason = /logout_token|parameters|transaction/): Promise<void> {
  expect([answer.status, answer.headers.get('cache-control')]).toEqual([400, 'no-store']);
  expect(await answer.json()).toEqual({
    error: 'invalid_request',
    error_description: 'the logout token was refused',
  });
  const reference = answer.headers.get('x-request-id');
  const line = await vestibule.logged('federation.logout_refused', ({ request_id }) => request_id === reference);
  const logged = JSON.stringify(line);
  expect(logged).toMatch(reason);
  expect(logged).not.toMatch(/eyJ|citizen-|stay-\d/);
  expect(await isSignedIn(scene, visitor)).toBe(true);
}

describe('42 a logout token that is not to be believed ends nothing:', () => {
  const now = () => Math.floor(vestibule.now() / 1000);
  test.each<[string, () => object, (() => TokenScript)?]>([
    ['of another issuer', () => ({ iss: other.issuer })],
    ['for another relying party', () => ({ aud: 'somebody-else' })],
    ['without the event', () => ({ events: undefined })],
    ['about another event', () => ({ events: { 'http://schemas.openid.net/event/another': {} } })],
    ['with a nonce', () => ({ nonce: 'n' })],
    ['without a name of its own', () => ({ jti: undefined })],
    ['about nobody', () => ({ sub: undefined, sid: undefined })],
    ['an hour old', () => ({ iat: now() - 3600, exp: undefined })],
    ['of tomorrow', () => ({ iat: now() + 86_400, exp: now() + 86_500 })],
    ['expired', () => ({ exp: now() - 60 })],
    ['unsigned', () => ({}), () => ({ alg: 'none' })],
    ['signed with an algorithm nobody agreed on', () => ({}), () => ({ alg: 'EdDSA' })],
    ['that names the session of one person and the sub of another', () => ({ sub: newStay().sub })],
  ])('%s', async (_what, over, script = () => ({})) => {
    await expectRefused(await announce(vestibule, await told({ ...stay, ...over() }, script())));
  });

  test('signed with a key that is not the provider’s', async () => {
    const { privateKey } = await generateKeyPair('RS256');
    await expectRefused(await announce(vestibule, await told(stay, { key: privateKey })));
  });

  test('signed with what everybody may read: the public key as a secret', async () => {
    const secret = new TextEncoder().encode(JSON.stringify(evil.signing.get('RS256')?.jwk));
    await expectRefused(await announce(vestibule, await told(stay, { alg: 'HS256', key: secret })));
  });

  test('encrypted, where nothing is', async () => {
    const { keys } = (await (await fetch(`http://localhost:${vestibule.port}/external/jwks`)).json()) as {
      keys: { use: string; kty: string }[];
    };
    const key = keys.find(({ use, kty }) => use === 'enc' && kty === 'RSA') as never;
    const encrypt = { alg: 'RSA-OAEP-256', enc: 'A128CBC-HS256', key };
    await expectRefused(await announce(vestibule, await told(stay, { encrypt })));
  });

  test('an ID token of the very session', async () => {
    const claims = { ...evil.idTokenClaims('n'), ...stay };
    await expectRefused(await announce(vestibule, await evil.token(claims)));
    await expectRefused(await announce(vestibule, await evil.token({ ...claims, nonce: undefined })));
  });

  test.each(['nonsense', '', 'a.b.c', 'a.b.c.d.e', '{}'])('“%s”', async (token) => {
    await expectRefused(await announce(vestibule, token));
  });

  test.each([
    ['unknown', 'nobody'],
    ['switched off', 'off'],
    ['not listened to', 'deaf'],
  ])('for a provider that is %s', async (_what, provider) => {
    await expectRefused(await announce(vestibule, await told(), provider));
  });

  test('of one provider at the receiver of another, and at its own about people of the other', async () => {
    await expectRefused(await announce(vestibule, await told(), 'other'));
    const theirs = await logoutToken(other, vestibule, { ...stay });
    await expectRefused(await announce(vestibule, theirs, 'evil'));
    expect((await announce(vestibule, theirs, 'other')).status).toBe(200);
    expect(await isSignedIn(scene, visitor)).toBe(true);
  });
});

describe('42 a request that is none:', () => {
  const post = (body: string | URLSearchParams, type?: string) =>
    fetch(`http://localhost:${vestibule.port}/external/evil/logout`, {
      method: 'POST',
      body,
      ...(type === undefined ? {} : { headers: { 'content-type': type } }),
    });

  test('two tokens, none, or in another form', async () => {
    const token = await told();
    for (const answer of [
      await post(`logout_token=${token}&logout_token=${token}`, 'application/x-www-form-urlencoded'),
      await post(new URLSearchParams({ token })),
      await post(JSON.stringify({ logout_token: token }), 'application/json'),
      await post(`logout_token=${token}`, 'text/plain'),
    ])
      await expectRefused(answer);
  });

  test('by GET', async () => {
    const answer = await fetch(`http://localhost:${vestibule.port}/external/evil/logout?logout_token=${await told()}`);
    expect([answer.status, answer.headers.get('allow')]).toEqual([405, expect.stringContaining('POST')]);
    expect(await isSignedIn(scene, visitor)).toBe(true);
  });

  test('longer than any token', async () => {
    expect((await post(new URLSearchParams({ logout_token: 'x'.repeat(20_000) }))).status).toBe(413);
  });
});

describe('36 replay', () => {
  test('of a logout token does not end what was begun after it', async () => {
    const token = await told({ sub: stay.sub });
    expect((await announce(vestibule, token)).status).toBe(200);
    expect(await isSignedIn(scene, visitor)).toBe(false);
    await stayIn(scene, elsewhere(stay), { at: visitor });
    await expectRefused(await announce(vestibule, token));
    // Nor once it is too old to be remembered.
    await vestibule.advanceClock(660);
    await expectRefused(await announce(vestibule, token));
  });

  test('of a delivery that failed on our side is none: it ends what it is to end', async () => {
    const token = await told();
    const bringBack = await takeAway(vestibule, 'durable', 'audit_events');
    try {
      expect((await announce(vestibule, token)).status).toBeGreaterThanOrEqual(500);
    } finally {
      await bringBack();
    }
    expect((await announce(vestibule, token)).status).toBe(200);
    expect(await isSignedIn(scene, visitor)).toBe(false);
    const lines = await auditOf(vestibule, 'session.ended_by_provider');
    expect(lines.filter(({ accountId }) => accountId === sub)).toHaveLength(1);
    expect((await announce(vestibule, token)).status).toBe(400);
  });
});

describe('38 the way back from signing out at a provider', () => {
  /** Signed out here, on the way to the provider. */
  async function leave(who = visitor): Promise<string> {
    const { id_token = '' } = await scene.portal.exchange(who.left);
    await who.visit(scene.portal.endSessionUrl({ id_token_hint: id_token, post_logout_redirect_uri: HOME }));
    return askedOf(who).state;
  }

  test.each([
    '',
    '?state=',
    '?state=made-up',
    `?state=${'0'.repeat(64)}`,
    '?state=a&state=b',
    '?post_logout_redirect_uri=https://elsewhere.example/&state=x',
    `?state=${encodeURIComponent('https://elsewhere.example/')}`,
  ])('leads nowhere with what nobody made: “%s”', async (query) => {
    const stranger = new Visitor(vestibule);
    await stranger.visit(`/external/evil/logged-out${query}`);
    expect([stranger.page.status, stranger.page.step]).toEqual([200, 'signed-out']);
  });

  test('says that one is signed in, when one is', async () => {
    await visitor.visit('/external/evil/logged-out?state=made-up');
    expect(visitor.page.step).toBe('still-signed-in');
  });

  test('leads no other browser, and the own one all the same', async () => {
    const state = await leave();
    const stranger = new Visitor(vestibule);
    await comeBackSignedOut(stranger, state);
    expect([stranger.page.location, stranger.page.step]).toEqual([undefined, 'signed-out']);
    // Nor one that is on such a way itself.
    const another = newStay();
    const at = await link(scene, another, people.next('plain'));
    const theirs = await leave(at);
    await comeBackSignedOut(at, state);
    expect([at.page.location, at.page.step]).toEqual([undefined, 'signed-out']);
    await comeBackSignedOut(visitor, state);
    expect(visitor.left.href).toBe(HOME);
    await comeBackSignedOut(at, theirs);
    expect(at.left.href).toBe(HOME);
  });

  test('leads on once, by the provider it was made for, within ten minutes', async () => {
    const state = await leave();
    await comeBackSignedOut(visitor, state, 'other');
    expect(visitor.page.step).toBe('signed-out');
    await comeBackSignedOut(visitor, state);
    expect(visitor.left.href).toBe(HOME);
    await comeBackSignedOut(visitor, state);
    expect(visitor.page.step).toBe('signed-out');

    await stayIn(scene, stay, { at: visitor });
    const late = await leave();
    await vestibule.advanceClock(601);
    await comeBackSignedOut(visitor, late);
    expect(visitor.page.step).toBe('signed-out');
  });

  test('leads to registered addresses alone', async () => {
    const { id_token = '' } = await scene.portal.exchange(visitor.left);
    const parameters = { id_token_hint: id_token, post_logout_redirect_uri: 'https://elsewhere.example/' };
    await visitor.visit(scene.portal.endSessionUrl(parameters));
    expect([visitor.page.status, visitor.page.step]).toEqual([400, 'error']);
    expect(await isSignedIn(scene, visitor)).toBe(true);
  });
});

test('25 the cookie that binds the way back can be planted by no other host', async () => {
  // Its own: the clock of the others was moved.
  const punctual = await EvilUpstream.start(CLIENT_ID, Date.now);
  const behindProxy = await startVestibule({
    settings: { issuer: 'https://login.example', proxy: { trusted: ['127.0.0.1'] }, development: null },
    clients: [mutuelle],
    providers: { evil: providerFile(punctual, BOTH) },
    people: people.everybody.slice(0, 1),
  });
  try {
    const portal = await Portal.discover(behindProxy, mutuelle);
    const person = people.everybody[0] as (typeof people.everybody)[number];
    const at = await link({ vestibule: behindProxy, evil: punctual, portal }, newStay(), person);
    await at.visit('/session/end');
    await at.submit();
    const { state } = askedOf(at);
    expect(at.cookies.all.filter(({ name }) => name.includes('sign_out'))).toEqual([
      expect.objectContaining({ name: '__Host-vestibule_sign_out', value: state, secure: true, sameSite: 'lax' }),
    ]);
    await comeBackSignedOut(at, state);
    expect(at.page.step).toBe('signed-out');
    expect(at.cookies.all.filter(({ name }) => name.includes('sign_out'))).toEqual([]);
  } finally {
    await Promise.all([behindProxy.stop(), punctual.stop()]);
  }
});

test('55 neither tokens nor people nor sessions of a provider are written in clear', async () => {
  await scene.portal.exchange(visitor.left);
  await visitor.visit('/session/end');
  await visitor.submit();
  const { hint, state } = askedOf(visitor);
  expect(hint).toMatchObject(stay);
  const idToken = visitor.left.searchParams.get('id_token_hint') ?? '';
  await announce(vestibule, await told());
  const [disk, logs] = [await bytesOnDisk(vestibule), JSON.stringify(vestibule.logs)];
  expect(disk.includes('UpstreamSignOut')).toBe(true);
  for (const secret of [idToken, idToken.split('.')[1] ?? '', stay.sub, stay.sid, state]) {
    expect([secret.length > 5, disk.includes(secret), logs.includes(secret)]).toEqual([true, false, false]);
  }
});
