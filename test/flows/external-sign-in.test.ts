import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { EvilUpstream } from '../support/evil-upstream.ts';
import {
  appoint,
  arrive,
  CLIENT_ID,
  claimsAt,
  comeBack,
  HIGH,
  LOW,
  leaveFor,
  link,
  type Place,
  passBy,
  providerFile,
  SUBSTANTIAL,
  signInAs,
} from '../support/external.ts';
import { clientFile, Portal } from '../support/portal.ts';
import { crowd, MFA, sentenceOf } from '../support/second-factor.ts';
import { startVestibule, type Vestibule } from '../support/vestibule.ts';
import { Visitor } from '../support/visitor.ts';
import { auditOf, call, errorAt } from './arrange.ts';

const NAME = { en: 'National eID', fr: 'eID nationale', nl: 'Nationale eID', de: 'Nationale eID', it: 'eID nazionale' };
const mutuelle = clientFile('mutuelle');
const caisse = clientFile('caisse');
const people = crowd({ plain: {} });

let evil: EvilUpstream;
let vestibule: Vestibule;
let place: Place;
let visitor: Visitor;
let citizens = 0;

beforeAll(async () => {
  evil = await EvilUpstream.start(CLIENT_ID, () => vestibule?.now() ?? Date.now());
  vestibule = await startVestibule({
    clients: [mutuelle, caisse],
    providers: {
      evil: providerFile(evil, { name: NAME }),
      posting: providerFile(evil, { name: 'Posting eID', response_mode: 'form_post', clients: ['mutuelle'] }),
      silent: providerFile(evil, { name: 'Social', levels: [], clients: ['mutuelle'] }),
    },
    people: people.everybody,
  });
  place = { vestibule, evil, portal: await Portal.discover(vestibule, mutuelle) };
});
afterAll(async () => {
  await vestibule?.stop();
  await evil?.stop();
});
beforeEach(() => {
  evil.reset();
  visitor = new Visitor(vestibule);
});

/** Somebody the upstream knows, and nobody else does yet. */
function newcomer(): string {
  citizens += 1;
  return `citizen-${citizens}`;
}

/** Somebody with a password alone, linked to a new citizen. */
async function linked() {
  const person = people.next('plain');
  const sub = newcomer();
  const first = await claimsAt(place, await link(place, { sub, acr: 'substantial' }, person));
  return { person, sub, first };
}

describe('somebody whose identity is linked', () => {
  test.each([
    ['low', LOW],
    ['substantial', SUBSTANTIAL],
    ['high', HIGH],
  ])('signs in without a page, at the level that the provider asserts: %s', async (acr, level) => {
    const { sub, first } = await linked();
    const claims = await claimsAt(place, await signInAs(place, { sub, acr }));
    expect(claims).toMatchObject({ sub: first?.sub, acr: level });
    // Nothing was performed here, and what was there is not ours to say.
    expect(claims?.amr ?? []).toEqual([]);
    expect(evil.faults).toEqual([]);
  });

  test('of a level that is not in the list, is signed in, and of no level', async () => {
    const { sub, first } = await linked();
    const claims = await claimsAt(place, await signInAs(place, { sub, acr: 'magnificent' }));
    expect(claims?.sub).toBe(first?.sub);
    expect(claims?.acr).toBeUndefined();
  });

  test('was authenticated when the provider says, not when they came back', async () => {
    const { sub } = await linked();
    const then = Math.floor(vestibule.now() / 1000) - 600;
    appoint(evil, { sub }, { claims: { auth_time: then } });
    visitor = await arrive(place);
    await passBy(visitor, evil);
    expect((await claimsAt(place, visitor))?.auth_time).toBe(then);
  });

  test('stays signed in, here and for other portals', async () => {
    const { sub, first } = await linked();
    visitor = await signInAs(place, { sub });
    const other = await Portal.discover(vestibule, caisse);
    await visitor.visit(await other.authorizationUrl({ prompt: 'none' }));
    expect((await other.exchange(visitor.left)).claims()).toMatchObject({ sub: first?.sub, acr: SUBSTANTIAL });
  });

  test('answers by a page that sends itself (form_post), which brings no cookie', async () => {
    const { sub, first } = await linked();
    visitor = await arrive(place);
    appoint(evil, { sub });
    const { searchParams } = await leaveFor(visitor, 'posting');
    expect(searchParams.get('response_mode')).toBe('form_post');
    await comeBack(visitor, evil, { provider: 'posting', byForm: true });
    expect((await claimsAt(place, visitor))?.sub).toBe(first?.sub);
  });

  test('leaves a line in the audit trail that names the provider and nothing of them there', async () => {
    const { sub, first } = await linked();
    await signInAs(place, { sub });
    const lines = (await auditOf(vestibule, 'login.succeeded')).filter(({ accountId }) => accountId === first?.sub);
    const last = JSON.stringify(lines.at(-1));
    expect(last).toContain('evil');
    expect(last).not.toContain(sub);
  });
});

describe('the request', () => {
  test('has state and nonce of 64 hexadecimal digits, PKCE, and the language of the page', async () => {
    visitor.headers = { 'accept-language': 'fr' };
    await arrive(place, {}, visitor);
    const { searchParams } = await leaveFor(visitor);
    const asked = Object.fromEntries(searchParams);
    expect(asked).toMatchObject({
      client_id: CLIENT_ID,
      redirect_uri: `${vestibule.issuer}/external/evil/callback`,
      response_type: 'code',
      scope: 'openid profile email',
      code_challenge_method: 'S256',
      ui_locales: 'fr',
    });
    expect(asked.state).toMatch(/^[0-9a-f]{64}$/);
    expect(asked.nonce).toMatch(/^[0-9a-f]{64}$/);
    expect(asked.acr_values).toBeUndefined();
  });

  test('names the levels that would do, no lower one', async () => {
    await arrive(place, { acr_values: SUBSTANTIAL }, visitor);
    expect((await leaveFor(visitor)).searchParams.get('acr_values')?.split(' ').toSorted()).toEqual([
      'high',
      'substantial',
    ]);
  });

  test.each([
    ['prompt', 'login'],
    ['max_age', '60'],
  ])('of a portal that wants a fresh sign-in tells the provider so: %s=%s', async (name, value) => {
    await arrive(place, { [name]: value }, visitor);
    expect((await leaveFor(visitor)).searchParams.get(name)).toBe(value);
  });

  test.each([
    ['prompt', 'login'],
    ['max_age', '60'],
  ])('the same of somebody who is signed in here: %s=%s', async (name, value) => {
    const { sub } = await linked();
    visitor = await signInAs(place, { sub });
    await vestibule.advanceClock(100);
    await arrive(place, { [name]: value }, visitor);
    expect((await leaveFor(visitor)).searchParams.get(name)).toBe(value);
  });

  test('an old sign-in there is none where a fresh one was asked for', async () => {
    const { sub } = await linked();
    appoint(evil, { sub }, { claims: { auth_time: Math.floor(vestibule.now() / 1000) - 600 } });
    await arrive(place, { max_age: '60' }, visitor);
    await passBy(visitor, evil);
    const told = visitor.page.location && (await claimsAt(place, visitor));
    expect(told).toBeUndefined();
    expect(visitor.page.step).toBe('error');
  });
});

describe('the button', () => {
  test.each(Object.entries(NAME))('has the provider’s name in the language of the page: %s', async (language, name) => {
    visitor.headers = { 'accept-language': language };
    await arrive(place, {}, visitor);
    const texts = visitor.page.forms.flatMap(({ buttons }) => buttons);
    expect(texts.find(({ alternative }) => alternative === 'external:evil')?.text).toContain(name);
  });

  test('stands on the first page and on the password’s', async () => {
    await arrive(place, {}, visitor);
    expect([...visitor.page.alternatives.keys()]).toContain('external:evil');
    await visitor.submit({ username: people.next('plain').username });
    expect(visitor.page.step).toBe('password');
    expect([...visitor.page.alternatives.keys()]).toContain('external:evil');
  });

  test('of a provider for some portals stands on their pages alone, and works there alone', async () => {
    await arrive(place, {}, visitor);
    expect([...visitor.page.alternatives.keys()]).toContain('external:posting');
    const other = await Portal.discover(vestibule, caisse);
    await visitor.visit(await other.authorizationUrl());
    expect([...visitor.page.alternatives.keys()]).toContain('external:evil');
    expect([...visitor.page.alternatives.keys()]).not.toContain('external:posting');
    await visitor.submit({}, { extra: { alternative: 'external:posting' } });
    expect(visitor.page.location).toBeUndefined();
    expect(visitor.page.step).toBe('identify');
    await visitor.submit({}, { extra: { alternative: 'external:nobody-knows' } });
    expect(visitor.page.step).toBe('identify');
  });
});

describe('no sign-in there', () => {
  const turnBack = (answer: URLSearchParams) => {
    answer.delete('code');
    answer.set('error', 'access_denied');
  };

  test('cancelled: the page it began on, with one plain sentence that names the provider', async () => {
    await arrive(place, {}, visitor);
    await passBy(visitor, evil, { change: turnBack });
    expect(visitor.page.step).toBe('identify');
    expect(visitor.page.error).toMatch(sentenceOf('external_cancelled'));
    expect(visitor.page.error).toContain(NAME.en);
    // Another way is open.
    const person = people.next('plain');
    await visitor.submit({ username: person.username });
    await visitor.submit({ password: person.password });
    expect((await claimsAt(place, visitor))?.amr).toEqual(['pwd']);
  });

  test('cancelled, from the password page: that one, for the same person', async () => {
    const person = people.next('plain');
    await arrive(place, {}, visitor);
    await visitor.submit({ username: person.username });
    await passBy(visitor, evil, { change: turnBack });
    expect(visitor.page.step).toBe('password');
    await visitor.submit({ password: person.password });
    expect((await claimsAt(place, visitor))?.amr).toEqual(['pwd']);
  });

  test('what was said of one visit is not said again after the next', async () => {
    await arrive(place, {}, visitor);
    await passBy(visitor, evil, { change: turnBack });
    expect(visitor.page.error).toBeDefined();
    appoint(evil, { sub: newcomer() });
    await passBy(visitor, evil);
    expect(visitor.page.step).toBe('external');
    expect(visitor.page.error).toBeUndefined();
  });

  test('a level below the demanded one: a sentence, and another try is open', async () => {
    const { sub } = await linked();
    visitor = await signInAs(place, { sub, acr: 'low' }, { acr_values: SUBSTANTIAL });
    expect(visitor.page.step).toBe('identify');
    expect(visitor.page.error).toMatch(sentenceOf('external_level'));
    expect(visitor.page.error).toContain(NAME.en);
    appoint(evil, { sub, acr: 'high' });
    await passBy(visitor, evil);
    expect((await claimsAt(place, visitor))?.acr).toBe(HIGH);
  });

  test('the portal hears of a cancelled sign-in only when it was cancelled here', async () => {
    await arrive(place, {}, visitor);
    await passBy(visitor, evil, { change: turnBack });
    await visitor.choose('cancel');
    expect(errorAt(visitor.left)).toBe('access_denied');
  });
});

describe('what a level is worth', () => {
  test.each([SUBSTANTIAL, HIGH])('two factors are demanded: %s will do', async (level) => {
    const { sub } = await linked();
    const acr = level.split('/').at(-1) ?? '';
    expect(await claimsAt(place, await signInAs(place, { sub, acr }, { acr_values: MFA }))).toMatchObject({
      acr: level,
    });
  });

  test('two factors are demanded: low is not enough', async () => {
    const { sub } = await linked();
    visitor = await signInAs(place, { sub, acr: 'low' }, { acr_values: MFA });
    expect(visitor.page.error).toMatch(sentenceOf('external_level'));
  });

  test('something phishing can not take is demanded: no level of a provider is that', async () => {
    const { sub } = await linked();
    visitor = await signInAs(place, { sub, acr: 'high' }, { acr_values: 'phr' });
    expect(visitor.page.location === undefined || errorAt(visitor.left) !== null).toBe(true);
  });

  test('a provider that says nothing of it is worth nothing: more is asked for', async () => {
    const { person } = await linked();
    visitor = await arrive(place);
    appoint(evil, { sub: newcomer(), acr: null });
    await passBy(visitor, evil, { provider: 'silent' });
    await visitor.submit();
    await visitor.submit({ username: person.username });
    await visitor.submit({ password: person.password });
    expect((await claimsAt(place, visitor))?.acr).toBe('https://refeds.org/profile/sfa');
  });
});

test('our keys for providers are public, for signatures and for encryption, and may be kept for a while', async () => {
  const answer = await call(vestibule, '/external/jwks');
  expect(answer.status).toBe(200);
  expect(answer.headers.get('content-type')).toMatch(/^application\/jwk-set\+json|^application\/json/);
  expect(answer.headers.get('cache-control')).toMatch(/public.*max-age=[1-9]/);
  const { keys } = (await answer.json()) as { keys: Record<string, unknown>[] };
  expect(new Set(keys.map(({ use }) => use))).toEqual(new Set(['sig', 'enc']));
  expect(new Set(keys.map(({ kid }) => kid)).size).toBe(keys.length);
  for (const key of keys)
    for (const secret of ['d', 'p', 'q', 'dp', 'dq', 'qi', 'k']) expect(key).not.toHaveProperty(secret);
  // Never those that our own tokens are signed with.
  const own = (await (await call(vestibule, '/jwks')).json()) as { keys: { n?: string; x?: string }[] };
  const texts = JSON.stringify(keys);
  for (const { n, x } of own.keys) expect(texts).not.toContain(n ?? x);
});
