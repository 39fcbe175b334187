import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { EvilUpstream } from '../support/evil-upstream.ts';
import { appoint, CLIENT_ID, link, type Place, passBy, providerFile, signInAs } from '../support/external.ts';
import { clientFile, Portal } from '../support/portal.ts';
import { crowd } from '../support/second-factor.ts';
import { type ClientFileContents, startVestibule, type Vestibule } from '../support/vestibule.ts';
import type { Visitor } from '../support/visitor.ts';
import { call, errorAt, jsonOf, signInSilently, until } from './arrange.ts';

const PROFILE = { given_name: 'Profile', birthdate: '1990-02-28', phone_number: '+41790000001' };
const people = crowd({ plain: { profile: { ...PROFILE, phone_number_verified: false } } });

const mutuelle = clientFile('mutuelle', {
  vestibule: { first_party: true, refresh_token_without_offline_access: true },
});
/** Nothing is released to it. */
const caisse = clientFile('caisse');
const reader = clientFile('reader', { vestibule: { first_party: true, profile_in_id_token: true } });
const extranet = clientFile('extranet');
/** Others’: they ask first. */
const agenda = clientFile('agenda', { vestibule: { first_party: false } });
const growing = clientFile('growing', { vestibule: { first_party: false } });
const stranger = clientFile('stranger', { vestibule: { first_party: false } });

const EVIL_RELEASE = {
  mutuelle: ['national_number', 'birthdate', 'phone_number', 'phone_number_verified'],
  reader: ['national_number'],
  agenda: ['national_number', 'birthdate', 'municipality'],
  growing: ['birthdate'],
};
const SAID = { national_number: '85073003328', birthdate: '1985-07-30', employer: 'Lemac', municipality: 'Ixelles' };
const EID = 'openid eid';
const NAMED = JSON.stringify({
  userinfo: { national_number: null, birthdate: null },
  id_token: { national_number: { essential: true }, birthdate: null },
});

let evil: EvilUpstream;
let other: EvilUpstream;
let vestibule: Vestibule;
let place: Place;
let citizens = 0;

const evilFile = (over: Readonly<Record<string, unknown>> = {}) =>
  providerFile(evil, {
    order: 20,
    mapping: { national_number: 'national_number', employer: 'employer', municipality: 'municipality' },
    release: EVIL_RELEASE,
    ...over,
  });

beforeAll(async () => {
  const now = () => vestibule?.now() ?? Date.now();
  evil = await EvilUpstream.start(CLIENT_ID, now);
  other = await EvilUpstream.start(CLIENT_ID, now);
  vestibule = await startVestibule({
    clients: [mutuelle, caisse, reader, extranet, agenda, growing, stranger],
    providers: {
      evil: evilFile(),
      other: providerFile(other, {
        name: 'Other eID',
        order: 10,
        release: { mutuelle: ['birthdate'], extranet: ['birthdate', 'family_name'] },
      }),
    },
    people: people.everybody,
  });
  place = { vestibule, evil, portal: await Portal.discover(vestibule, mutuelle) };
});
afterAll(async () => {
  await vestibule?.stop();
  await evil?.stop();
  await other?.stop();
});
beforeEach(() => {
  evil.reset();
  other.reset();
});

const newcomer = (claims: Readonly<Record<string, unknown>> = SAID) => ({ sub: `citizen-${++citizens}`, claims });

/** Somebody of whom the eID says that, linked and signed in. */
const somebody = (claims?: Readonly<Record<string, unknown>>): Promise<Visitor> =>
  link(place, newcomer(claims), people.next('plain'));

/** What a portal is told of whoever is signed in: no page, or the test fails. */
async function told(visitor: Visitor, file: ClientFileContents, parameters: Readonly<Record<string, string>>) {
  const portal = await Portal.discover(vestibule, file);
  const tokens = await portal.exchange(await signInSilently(visitor, portal, parameters));
  const idToken: Record<string, unknown> = { ...tokens.claims() };
  const userinfo: Record<string, unknown> = await portal.userinfo(tokens.access_token, tokens.claims()?.sub);
  const { sub: _sub, ...claims } = userinfo;
  return { idToken, userinfo: claims, tokens, portal };
}

/** Says something else of the provider, until it is put back. */
async function meanwhile(over: Readonly<Record<string, unknown>>, work: () => Promise<void>): Promise<void> {
  const reload = async (file: Readonly<Record<string, unknown>>) => {
    const count = () => vestibule.logs.filter(({ event }) => event === 'config.reloaded').length;
    const before = count();
    await vestibule.configure({ providers: { evil: file } });
    vestibule.signal('SIGHUP');
    await until(
      () => count() > before,
      () => 'the files were not loaded anew',
    );
  };
  await reload(evilFile(over));
  try {
    await work();
  } finally {
    await reload(evilFile());
  }
}

test('the scope and the claims are offered, those that nobody is released are not', async () => {
  const metadata = await jsonOf(await call(vestibule, '/.well-known/openid-configuration'));
  expect(metadata.scopes_supported).toContain('eid');
  expect(metadata.claims_supported).toEqual(expect.arrayContaining(['national_number', 'municipality']));
  expect(metadata.claims_supported).not.toContain('employer');
});

describe('a portal that is released claims is told them', () => {
  test('by userinfo for the scope, and none that it is not released', async () => {
    const { idToken, userinfo } = await told(await somebody(), mutuelle, { scope: EID });
    expect(userinfo).toEqual({ national_number: SAID.national_number, birthdate: SAID.birthdate });
    expect(idToken).not.toHaveProperty('national_number');
  });

  test('by name, where it asks for them', async () => {
    const { idToken, userinfo } = await told(await somebody(), mutuelle, { claims: NAMED });
    const { national_number, birthdate } = SAID;
    expect(idToken).toMatchObject({ national_number, birthdate });
    expect(userinfo).toEqual({ national_number, birthdate });
    const inToken = JSON.stringify({ id_token: { national_number: null } });
    const alone = await told(await somebody(), mutuelle, { claims: inToken });
    expect(alone.idToken).toMatchObject({ national_number });
    expect(alone.userinfo).toEqual({});
  });

  test('in the ID token for the scope, where its file says so', async () => {
    const { idToken } = await told(await somebody(), reader, { scope: EID });
    expect(idToken).toMatchObject({ national_number: SAID.national_number });
    expect(idToken).not.toHaveProperty('birthdate');
  });

  test('only if it asks', async () => {
    const { idToken, userinfo } = await told(await somebody(), mutuelle, { scope: 'openid profile email' });
    expect({ ...idToken, ...userinfo }).not.toHaveProperty('national_number');
    expect(userinfo).toMatchObject({ birthdate: PROFILE.birthdate });
  });

  test('with the sign-in that links, with later ones, and by a refresh token', async () => {
    const citizen = newcomer();
    const visitor = await link(place, citizen, people.next('plain'));
    const { national_number } = SAID;
    const linked = await place.portal.exchange(visitor.left);
    expect(linked.claims()).not.toHaveProperty('national_number');
    const again = await signInAs(place, citizen, { scope: EID, claims: NAMED });
    const tokens = await place.portal.exchange(again.left);
    expect(tokens.claims()).toMatchObject({ national_number });
    const refreshed = await place.portal.refresh(tokens.refresh_token ?? '');
    expect(refreshed.claims()).toMatchObject({ national_number });
    expect(await place.portal.userinfo(refreshed.access_token)).toMatchObject({ national_number });
  });
});

describe('a claim that the account has, too', () => {
  test('is told as the provider says where it is asked for by the scope or by name', async () => {
    const visitor = await somebody();
    const of = async (parameters: Readonly<Record<string, string>>) =>
      (await told(visitor, mutuelle, parameters)).userinfo;
    expect(await of({ scope: 'openid profile' })).toMatchObject({
      birthdate: PROFILE.birthdate,
      given_name: 'Profile',
    });
    expect(await of({ scope: 'openid profile eid' })).toMatchObject({
      birthdate: SAID.birthdate,
      given_name: 'Profile',
    });
    expect(await of({ claims: NAMED })).toMatchObject({ birthdate: SAID.birthdate });
  });

  test('is the account’s where the provider says nothing of it, but never for the scope alone', async () => {
    const visitor = await somebody({ national_number: SAID.national_number });
    const of = async (parameters: Readonly<Record<string, string>>) =>
      (await told(visitor, mutuelle, parameters)).userinfo;
    expect(await of({ scope: 'openid profile eid' })).toMatchObject({ birthdate: PROFILE.birthdate });
    expect(await of({ claims: NAMED })).toMatchObject({ birthdate: PROFILE.birthdate });
    expect(await of({ scope: EID })).toEqual({ national_number: SAID.national_number });
    expect(await of({ scope: EID, claims: NAMED })).toEqual({ national_number: SAID.national_number });
    const { idToken } = await told(visitor, mutuelle, { scope: EID, claims: NAMED });
    expect(idToken).not.toHaveProperty('birthdate');
  });

  test('is never called verified by the other of the two', async () => {
    const asked = { scope: 'openid phone eid' };
    const unsaid = await somebody({ phone_number: '+32470000001' });
    expect((await told(unsaid, mutuelle, asked)).userinfo).toEqual({ phone_number: '+32470000001' });
    const said = await somebody({ phone_number: '+32470000002', phone_number_verified: 'true' });
    expect((await told(said, mutuelle, asked)).userinfo).toEqual({
      phone_number: '+32470000002',
      phone_number_verified: true,
    });
    const flagAlone = JSON.stringify({ userinfo: { phone_number_verified: null } });
    const { userinfo } = await told(said, mutuelle, { scope: 'openid', claims: flagAlone });
    expect(userinfo).toEqual({ phone_number_verified: false });
  });
});

describe('a portal that is released nothing', () => {
  test('is told nothing of it, whatever it asks', async () => {
    const visitor = await somebody();
    for (const parameters of [{ scope: EID }, { scope: EID, claims: NAMED }, { claims: NAMED }]) {
      const { idToken, userinfo, tokens } = await told(visitor, caisse, parameters);
      expect(JSON.stringify([idToken, userinfo])).not.toContain(SAID.national_number);
      expect(JSON.stringify([idToken, userinfo])).not.toContain(SAID.birthdate);
      expect(tokens.scope).toBe('openid');
    }
  });

  test('gets of the account what its own scopes and names bring, as ever', async () => {
    const visitor = await somebody();
    const { birthdate } = PROFILE;
    expect((await told(visitor, caisse, { scope: EID })).userinfo).toEqual({});
    expect((await told(visitor, caisse, { scope: EID, claims: NAMED })).userinfo).toEqual({ birthdate });
    expect((await told(visitor, caisse, { scope: 'openid eid phone' })).userinfo).toEqual({
      phone_number: PROFILE.phone_number,
      phone_number_verified: false,
    });
  });

  test('is told nothing that another provider’s release to it names alike', async () => {
    // It is released the birthdate by the other provider, where this person has no identity.
    const { userinfo } = await told(await somebody(), extranet, { scope: EID });
    expect(userinfo).toEqual({});
  });
});

describe('told is what was said last', () => {
  test('anew with each sign-in; what is no longer said is gone', async () => {
    const citizen = newcomer();
    await link(place, citizen, people.next('plain'));
    const claims = { birthdate: '1985-07-31' };
    const visitor = await signInAs(place, { ...citizen, claims });
    expect((await told(visitor, mutuelle, { scope: EID })).userinfo).toEqual(claims);
  });

  test('and not what no portal was released at the time', async () => {
    const citizen = newcomer();
    const visitor = await link(place, citizen, people.next('plain'));
    await meanwhile({ release: { mutuelle: ['national_number', 'employer'] } }, async () => {
      const { national_number, employer } = SAID;
      expect((await told(visitor, mutuelle, { scope: EID })).userinfo).toEqual({ national_number });
      const later = await signInAs(place, citizen);
      expect((await told(later, mutuelle, { scope: EID })).userinfo).toEqual({ national_number, employer });
    });
  });

  test('without what is too long, which the log names', async () => {
    const claims = { national_number: SAID.national_number, municipality: 'x'.repeat(5000) };
    await somebody(claims);
    const { claims: names } = await vestibule.logged('identity.claims_left_out');
    expect(names).toEqual(['municipality']);
    expect(JSON.stringify(vestibule.logs)).not.toContain('xxxxx');
  });
});

describe('nothing is told any more', () => {
  test('of a provider that is switched off; from the token that is out already, too', async () => {
    const visitor = await somebody();
    const { tokens, portal, userinfo } = await told(visitor, mutuelle, { scope: EID });
    expect(userinfo).toHaveProperty('national_number');
    await meanwhile({ enabled: false }, async () => {
      expect(Object.keys(await portal.userinfo(tokens.access_token))).toEqual(['sub']);
      expect((await told(visitor, mutuelle, { claims: NAMED })).idToken).not.toHaveProperty('national_number');
    });
    expect((await told(visitor, mutuelle, { scope: EID })).userinfo).toHaveProperty('national_number');
  });

  test('of what is no longer released', async () => {
    const visitor = await somebody();
    const { tokens, portal } = await told(visitor, mutuelle, { scope: EID });
    await meanwhile({ release: { mutuelle: ['birthdate'], caisse: ['national_number'] } }, async () => {
      const { sub, ...claims } = await portal.userinfo(tokens.access_token);
      expect([sub, claims]).toEqual([expect.any(String), { birthdate: SAID.birthdate }]);
    });
  });

  test('once the identity is unlinked', async () => {
    const visitor = await somebody();
    const { tokens, portal } = await told(visitor, mutuelle, { scope: EID });
    await visitor.visit('/account/identities');
    await visitor.choose('unlink');
    await visitor.submit();
    expect(visitor.page.url.search).toBe('?done=unlinked');
    expect(Object.keys(await portal.userinfo(tokens.access_token))).toEqual(['sub']);
    expect((await told(visitor, mutuelle, { scope: EID })).userinfo).toEqual({});
  });
});

test('of several identities the first provider’s word counts, and the other’s where that one says nothing', async () => {
  const visitor = await somebody();
  await visitor.visit('/account/identities');
  appoint(other, newcomer({ birthdate: '1985-12-24', family_name: 'Other', national_number: 'not-released' }));
  await passBy(visitor, other, { provider: 'other' });
  expect(visitor.page.url.search).toBe('?done=linked');
  const { userinfo } = await told(visitor, mutuelle, { scope: EID });
  expect(userinfo).toEqual({ national_number: SAID.national_number, birthdate: '1985-12-24' });
  const elsewhere = await told(visitor, extranet, { scope: EID });
  expect(elsewhere.userinfo).toEqual({ birthdate: '1985-12-24', family_name: 'Other' });
});

describe('a third party', () => {
  const ask = async (visitor: Visitor, file: ClientFileContents, parameters: Readonly<Record<string, string>>) => {
    const portal = await Portal.discover(vestibule, file);
    await visitor.visit(await portal.authorizationUrl(parameters));
    return portal;
  };

  test.each([
    ['en', 'See what your electronic identity confirms: national number, date of birth, and municipality'],
    ['fr', 'Voir ce que votre identité électronique confirme : numéro national, date de naissance et municipality'],
    ['nl', 'Bekijken wat uw elektronische identiteit bevestigt: nationaal nummer, geboortedatum en municipality'],
    [
      'de',
      'Sehen, was Ihre elektronische Identität bestätigt: nationale Personennummer, Geburtsdatum und municipality',
    ],
    ['it', 'Vedere ciò che la Sua identità elettronica conferma: numero nazionale, data di nascita e municipality'],
  ])('is told nothing before the person knows what, in words where there are some (%s)', async (language, sentence) => {
    const visitor = await somebody();
    await ask(visitor, agenda, { scope: EID, ui_locales: language });
    expect([visitor.page.step, visitor.page.lang]).toEqual(['consent', language]);
    expect(visitor.page.text).toContain(sentence);
    expect(visitor.page.text).not.toContain(SAID.national_number);
    expect(visitor.page.text).not.toContain('“eid”');
  });

  test('that was allowed is told, and not asked about again', async () => {
    const visitor = await somebody();
    const portal = await ask(visitor, agenda, { scope: EID });
    await visitor.submit();
    const { national_number, birthdate, municipality } = SAID;
    const tokens = await portal.exchange(visitor.left);
    expect(await portal.userinfo(tokens.access_token)).toMatchObject({ national_number, birthdate, municipality });
    expect((await told(visitor, agenda, { scope: EID })).userinfo).toEqual({
      national_number,
      birthdate,
      municipality,
    });
  });

  test('that asks by name has the names on the page, and gets those and no others', async () => {
    const visitor = await somebody();
    const claims = JSON.stringify({ userinfo: { national_number: null, birthdate: null } });
    const portal = await ask(visitor, agenda, { claims });
    expect(visitor.page.text).toContain('See what your electronic identity confirms: national number');
    expect(visitor.page.text).toContain('See these details: date of birth');
    await visitor.submit();
    const tokens = await portal.exchange(visitor.left);
    const { sub: _sub, ...userinfo } = await portal.userinfo(tokens.access_token);
    expect(userinfo).toEqual({ national_number: SAID.national_number, birthdate: SAID.birthdate });
  });

  test('that is released more later is asked about again', async () => {
    const citizen = newcomer();
    const visitor = await link(place, citizen, people.next('plain'));
    const portal = await ask(visitor, growing, { scope: EID });
    expect(visitor.page.text).toContain('confirms: date of birth');
    await visitor.submit();
    const tokens = await portal.exchange(visitor.left);
    await meanwhile({ release: { growing: ['birthdate', 'national_number'] } }, async () => {
      await signInAs(place, citizen);
      const { sub: _sub, ...before } = await portal.userinfo(tokens.access_token);
      expect(before).toEqual({ birthdate: SAID.birthdate });
      await ask(visitor, growing, { scope: EID, prompt: 'none' });
      expect(errorAt(visitor.left)).toBe('consent_required');
      const again = await ask(visitor, growing, { scope: EID });
      expect(visitor.page.text).toContain('confirms: national number');
      await visitor.submit();
      const after = await again.exchange(visitor.left);
      expect(await portal.userinfo(after.access_token)).toMatchObject({ national_number: SAID.national_number });
    });
  });

  test('that is released nothing has nothing of it on the page', async () => {
    const visitor = await somebody();
    const portal = await ask(visitor, stranger, { scope: 'openid eid email', claims: NAMED });
    expect(visitor.page.step).toBe('consent');
    expect(visitor.page.text).not.toMatch(/electronic identity|national|“eid”/);
    expect(visitor.page.text).toContain('See these details: date of birth');
    await visitor.submit();
    const tokens = await portal.exchange(visitor.left);
    expect(tokens.scope?.split(' ').toSorted()).toEqual(['email', 'openid']);
    expect(tokens.claims()).not.toHaveProperty('national_number');
    // Nothing is left to ask about.
    await ask(visitor, stranger, { scope: 'openid eid email', claims: NAMED, prompt: 'none' });
    expect(errorAt(visitor.left)).toBeNull();
  });
});
