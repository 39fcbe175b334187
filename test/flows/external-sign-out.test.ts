import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { decodeJwt } from 'jose';
import * as client from 'openid-client';
import { EvilUpstream } from '../support/evil-upstream.ts';
import {
  appoint,
  arrive,
  CLIENT_ID,
  claimsAt,
  link,
  type Place,
  passBy,
  providerFile,
  SUBSTANTIAL,
  wantLink,
} from '../support/external.ts';
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
import { clientFile, Portal } from '../support/portal.ts';
import { codeOf, crowd, nextCode, passPassword, withApp } from '../support/second-factor.ts';
import { type Person, startVestibule, type Vestibule } from '../support/vestibule.ts';
import type { Visitor } from '../support/visitor.ts';
import { auditOf, giveUsernameAndPassword } from './arrange.ts';

const HOME = 'http://localhost:9/mutuelle';
const BOTH = { logout: { rp_initiated: true, back_channel: true } };
const people = crowd({ plain: {}, app: withApp });
/** Looks like a place of ours, at the portal's. */
const FAREWELL = 'http://localhost:9/auth/farewell';
const mutuelle = clientFile('mutuelle', {
  post_logout_redirect_uris: [HOME, FAREWELL],
  vestibule: { first_party: true, refresh_token_without_offline_access: true },
});

let evil: EvilUpstream;
/** Has no place to sign out at. */
let mute: EvilUpstream;
/** Is there, and then isn't. */
let fading: EvilUpstream;
let listening: Server;
let heard: Record<string, unknown>[] = [];
let vestibule: Vestibule;
let place: Place & { readonly vestibule: Vestibule };

beforeAll(async () => {
  const now = () => vestibule?.now() ?? Date.now();
  [evil, mute, fading] = await Promise.all([
    EvilUpstream.start(CLIENT_ID, now),
    EvilUpstream.start(CLIENT_ID, now),
    EvilUpstream.start(CLIENT_ID, now),
  ]);
  listening = createServer(async (request, response) => {
    heard.push(decodeJwt(new URLSearchParams(await text(request)).get('logout_token') ?? ''));
    response.end();
  });
  await new Promise<void>((resolve) => listening.listen(0, '127.0.0.1', resolve));
  const origin = `http://127.0.0.1:${(listening.address() as AddressInfo).port}`;
  vestibule = await startVestibule({
    clients: [
      mutuelle,
      clientFile('listening', { backchannel_logout_uri: `${origin}/`, backchannel_logout_session_required: true }),
    ],
    providers: {
      evil: providerFile(evil, BOTH),
      second: providerFile(evil, { ...BOTH, name: 'Second eID' }),
      quiet: providerFile(evil, { name: 'Quiet eID' }),
      mute: providerFile(mute, { ...BOTH, name: 'Mute eID' }),
      fails: providerFile(fading, { ...BOTH, name: 'Failing eID' }),
      drips: providerFile(fading, { ...BOTH, name: 'Slow eID' }),
    },
    people: people.everybody,
    settings: { development: { logout_origins: [origin] } },
  });
  place = { vestibule, evil, portal: await Portal.discover(vestibule, mutuelle) };
});
afterAll(async () => {
  await vestibule?.stop();
  await Promise.all([evil, mute, fading].map((upstream) => upstream?.stop()));
  listening?.closeAllConnections();
  listening?.close();
});
beforeEach(() => {
  for (const upstream of [evil, mute, fading]) upstream.reset();
  mute.script = { metadata: { end_session_endpoint: undefined } };
  heard = [];
});

/** Somebody with a password, linked to a new citizen. */
async function linked() {
  const person = people.next('plain');
  const stay = newStay();
  return { person, stay, sub: await linkFirst(place, stay, person) };
}

/** The same at any provider. @returns signed in by it alone */
async function signedInAt(provider: string, upstream = evil, person = people.next('plain')) {
  const [at, stay] = [{ ...place, evil: upstream }, newStay()];
  const first = await stayIn(at, stay, { provider });
  await first.submit();
  await giveUsernameAndPassword(first, person);
  return { stay, visitor: await stayIn(at, stay, { provider }) };
}

async function giveUsernameAndCode(visitor: Visitor, person: Person): Promise<void> {
  await passPassword(visitor, person);
  await nextCode(vestibule);
  await visitor.submit({ code: await codeOf(vestibule) });
}

/** By the portal, which shows an ID token of the session: nothing is asked. */
async function signOut(visitor: Visitor, idToken: string | undefined, parameters = {}): Promise<void> {
  const shown = { id_token_hint: idToken ?? '', post_logout_redirect_uri: HOME, state: 'of the portal' };
  await visitor.visit(place.portal.endSessionUrl({ ...shown, ...parameters }));
}
const atHome = `${HOME}?state=of+the+portal`;
const tokensAt = (visitor: Visitor) => place.portal.exchange(visitor.left);

describe('signing out here after signing in with a provider', () => {
  test('leads to the provider with what it takes, and back to the portal; the session here has ended before', async () => {
    const { stay } = await linked();
    const visitor = await stayIn(place, stay);
    await signOut(visitor, (await tokensAt(visitor)).id_token);
    // By way of a page: a portal's form may be answered by this server, not by the provider (CSP `form-action`).
    expect([visitor.page.status, visitor.page.step, visitor.page.location]).toEqual([200, 'signed-out', undefined]);
    const { state, hint, ...asked } = askedOf(visitor);
    expect(asked).toEqual({
      address: `${evil.issuer}/logout`,
      parameters: {
        client_id: CLIENT_ID,
        post_logout_redirect_uri: `${vestibule.issuer}/external/evil/logged-out`,
      },
    });
    expect(hint).toMatchObject({ iss: evil.issuer, aud: CLIENT_ID, ...stay, at_hash: expect.any(String) });
    expect(state).toMatch(/^[0-9a-f]{64}$/);
    expect(await isSignedIn(place, visitor)).toBe(false);
    await comeBackSignedOut(visitor, state);
    expect(visitor.left.href).toBe(atHome);
    expect(visitor.cookies.all.filter(({ name }) => /session|sign_out/.test(name))).toEqual([]);
  });

  test('leads back to whatever address of the portal it names', async () => {
    const { stay } = await linked();
    const visitor = await stayIn(place, stay);
    await signOut(visitor, (await tokensAt(visitor)).id_token, { post_logout_redirect_uri: FAREWELL });
    await comeBackSignedOut(visitor, askedOf(visitor).state);
    expect(visitor.left.href).toBe(`${FAREWELL}?state=of+the+portal`);
  });

  test('asked on a page, and with nowhere to return to: ends on the page that says so', async () => {
    const { stay } = await linked();
    const visitor = await stayIn(place, stay);
    await visitor.visit('/session/end');
    expect(visitor.page.step).toBe('sign-out');
    await visitor.submit();
    expect(visitor.left.origin).toBe(evil.issuer);
    await comeBackSignedOut(visitor, askedOf(visitor).state);
    expect([visitor.page.status, visitor.page.step]).toEqual([200, 'signed-out']);
  });

  test('asked on a page, and staying signed in: leads nowhere', async () => {
    const { stay } = await linked();
    const visitor = await stayIn(place, stay);
    await visitor.visit('/session/end');
    await visitor.submit({}, { button: 'cancel' });
    expect(visitor.page.location).toBeUndefined();
    expect(await isSignedIn(place, visitor)).toBe(true);
    await visitor.visit('/session/end');
    await visitor.submit();
    expect(askedOf(visitor).address).toBe(`${evil.issuer}/logout`);
  });

  test('which was linked on the way: the same', async () => {
    const stay = newStay();
    const visitor = await link(place, stay, people.next('plain'));
    await signOut(visitor, (await tokensAt(visitor)).id_token);
    expect(askedOf(visitor).hint).toMatchObject({ sub: stay.sub });
  });

  test('at two providers, one after the other', async () => {
    const { stay, person } = await linked();
    const { stay: other } = await signedInAt('second', evil, person);
    const visitor = await stayIn(place, stay);
    await stayIn(place, other, { provider: 'second', parameters: { prompt: 'login' }, at: visitor });
    await signOut(visitor, (await tokensAt(visitor)).id_token);
    const first = askedOf(visitor);
    expect(first.hint).toMatchObject({ sub: stay.sub });
    await comeBackSignedOut(visitor, first.state);
    const second = askedOf(visitor);
    expect(second.hint).toMatchObject({ sub: other.sub });
    expect(second.parameters.post_logout_redirect_uri).toBe(`${vestibule.issuer}/external/second/logged-out`);
    await comeBackSignedOut(visitor, second.state, 'second');
    expect(visitor.left.href).toBe(atHome);
  });

  test.each(['quiet', 'mute'])('that has no such place, or is not to be told: leads to the portal (%s)', async (id) => {
    const { visitor } = await signedInAt(id, id === 'mute' ? mute : evil);
    await signOut(visitor, (await tokensAt(visitor)).id_token);
    expect(visitor.left.href).toBe(atHome);
  });

  test('by the password alone: does not lead to the provider that is linked', async () => {
    const { person } = await linked();
    const visitor = await arrive(place);
    await giveUsernameAndPassword(visitor, person);
    await signOut(visitor, (await tokensAt(visitor)).id_token);
    expect(visitor.left.href).toBe(atHome);
  });

  test.each(['fails', 'drips'] as const)(
    'that does not answer (it %s): leads on, and says so in the log',
    async (how) => {
      const { visitor } = await signedInAt(how, fading);
      const { id_token } = await tokensAt(visitor);
      // From here on nothing is known of the provider.
      await vestibule.restart();
      fading.script = { [how]: 'metadata' };
      await signOut(visitor, id_token);
      expect(visitor.left.href).toBe(atHome);
      expect(await isSignedIn(place, visitor)).toBe(false);
      await vestibule.logged('logout.upstream.failed', ({ provider }) => provider === how);
    },
  );

  test('somebody else signs in in the same browser: they come to the portal, by way of no provider', async () => {
    const { stay } = await linked();
    const visitor = await stayIn(place, stay);
    const other = people.next('plain');
    await visitor.visit(await place.portal.authorizationUrl({ prompt: 'login' }));
    await visitor.choose('switch');
    await giveUsernameAndPassword(visitor, other);
    expect((await claimsAt(place, visitor))?.amr).toEqual(['pwd']);
    await visitor.visit('/session/end');
    await visitor.submit();
    expect(visitor.page.step).toBe('signed-out');
  });
});

describe('signing out at the provider', () => {
  const told = async (over: Partial<Stay>, provider?: string): Promise<Response> =>
    announce(vestibule, await logoutToken(evil, vestibule, over), provider);

  test('ends the session here that rests on that one, and no other', async () => {
    const { stay, person, sub } = await linked();
    const again = elsewhere(stay);
    const [visitor, other] = [await stayIn(place, stay), await stayIn(place, again)];
    const byPassword = await arrive(place);
    await giveUsernameAndPassword(byPassword, person);
    const answer = await told(stay);
    expect([answer.status, answer.headers.get('cache-control'), await answer.text()]).toEqual([200, 'no-store', '']);
    expect(await Promise.all([visitor, other, byPassword].map((one) => isSignedIn(place, one)))).toEqual([
      false,
      true,
      true,
    ]);
    const lines = (await auditOf(vestibule, 'session.ended_by_provider')).filter(({ accountId }) => accountId === sub);
    expect(lines.map(({ details }) => details)).toEqual([{ provider: 'evil' }]);
    // Whoever was signed out there stays signed out here: no hint is left to sign out with.
    await visitor.visit('/session/end');
    expect(visitor.page.step).toBe('signed-out');
  });

  test('of a person ends all that rests on that provider, and what rests on another stays', async () => {
    const { stay, person } = await linked();
    const there = [await stayIn(place, stay), await stayIn(place, elsewhere(stay))];
    const byPassword = await arrive(place);
    await giveUsernameAndPassword(byPassword, person);
    expect((await told({ sub: stay.sub }, 'second')).status).toBe(200);
    expect(await Promise.all(there.map((one) => isSignedIn(place, one)))).toEqual([true, true]);
    expect((await told({ sub: stay.sub })).status).toBe(200);
    expect(await Promise.all(there.map((one) => isSignedIn(place, one)))).toEqual([false, false]);
    expect(await isSignedIn(place, byPassword)).toBe(true);
  });

  test('takes the tokens that were to live as long as the session; those for offline access stay', async () => {
    const { stay } = await linked();
    const { portal } = place;
    const tokens = await tokensAt(await stayIn(place, stay));
    const again = elsewhere(stay);
    const offline = await stayIn(place, again, {
      parameters: { scope: 'openid offline_access', prompt: 'consent' },
    });
    if (offline.page.step === 'consent') await offline.submit();
    const kept = await tokensAt(offline);
    expect((await told({ sub: stay.sub })).status).toBe(200);
    await expect(portal.refresh(tokens.refresh_token ?? '')).rejects.toMatchObject({ error: 'invalid_grant' });
    await expect(portal.userinfo(tokens.access_token)).rejects.toThrow();
    expect(await client.tokenIntrospection(portal.configuration, tokens.access_token)).toEqual({ active: false });
    expect(await client.tokenIntrospection(portal.configuration, kept.access_token)).toMatchObject({ active: true });
    expect(await isSignedIn(place, offline)).toBe(false);
    expect((await portal.refresh(kept.refresh_token ?? '')).access_token).toBeTruthy();
  });

  test('is told to the portals of the session', async () => {
    const { stay, sub } = await linked();
    const listener = await Portal.discover(vestibule, clientFile('listening'));
    const visitor = await stayIn({ ...place, portal: listener }, stay);
    const claims = (await listener.exchange(visitor.left)).claims();
    await told({ sid: stay.sid });
    expect(heard).toEqual([expect.objectContaining({ sub, sid: claims?.sid, aud: 'listening' })]);
    expect(claims?.sid).toBeTruthy();
  });

  test('ends a sign-in that is under way', async () => {
    const person = people.next('app');
    const stay = newStay();
    const first = await wantLink(place, stay);
    await giveUsernameAndCode(first, person);
    expect((await claimsAt(place, first))?.sub).toBeTruthy();
    // Of the lowest level: the code is asked for as well.
    const visitor = await arrive(place);
    appoint(evil, { sub: stay.sub, acr: 'low' }, { claims: { sid: stay.sid } });
    await passBy(visitor, evil);
    expect(visitor.page.step).toBe('totp');
    expect((await told(stay)).status).toBe(200);
    await nextCode(vestibule);
    await visitor.submit({ code: await codeOf(vestibule) });
    expect([visitor.page.status, visitor.page.step]).toEqual([400, 'error']);
    expect(await isSignedIn(place, visitor)).toBe(false);
  });

  test('of somebody who is not signed in here is fine', async () => {
    expect((await told(newStay())).status).toBe(200);
    const { stay } = await linked();
    const visitor = await stayIn(place, stay);
    await signOut(visitor, (await tokensAt(visitor)).id_token);
    expect((await told(stay)).status).toBe(200);
    await comeBackSignedOut(visitor, askedOf(visitor).state);
    expect(visitor.left.href).toBe(atHome);
  });

  test('a new sign-in there is a new session here', async () => {
    const { stay, sub } = await linked();
    const visitor = await stayIn(place, stay);
    await told(stay);
    await stayIn(place, elsewhere(stay), { at: visitor });
    expect(await claimsAt(place, visitor)).toMatchObject({ sub, acr: SUBSTANTIAL });
    await told(stay);
    expect(await isSignedIn(place, visitor)).toBe(true);
  });
});
