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
import { PasskeyBrowser } from '../support/passkeys.ts';
import { clientFile, Portal } from '../support/portal.ts';
import { codeOf, crowd, MFA, nextCode, passPassword, SFA, sentenceOf, withApp } from '../support/second-factor.ts';
import { type Person, startVestibule, type Vestibule } from '../support/vestibule.ts';
import { Visitor } from '../support/visitor.ts';
import { errorAt } from './arrange.ts';

const mutuelle = clientFile('mutuelle');
const demanding = clientFile('demanding', { default_acr_values: [SUBSTANTIAL] });
const people = crowd({ plain: {}, app: withApp });

let evil: EvilUpstream;
let vestibule: Vestibule;
let place: Place;
let visitor: Visitor;
let citizens = 0;

beforeAll(async () => {
  evil = await EvilUpstream.start(CLIENT_ID, () => vestibule?.now() ?? Date.now());
  vestibule = await startVestibule({
    clients: [mutuelle, demanding],
    providers: { evil: providerFile(evil), lowly: providerFile(evil, { levels: [{ upstream: 'low', acr: LOW }] }) },
    people: people.everybody,
  });
  place = { vestibule, evil, portal: await Portal.discover(vestibule, mutuelle) };
});
afterAll(async () => {
  await vestibule?.stop();
  await evil?.stop();
});
beforeEach(async () => {
  evil.reset();
  visitor = new Visitor(vestibule);
  await nextCode(vestibule);
});

/** Somebody the upstream knows, and nobody else does yet. */
function newcomer(): string {
  citizens += 1;
  return `citizen-${citizens}`;
}

async function signIn(person: Person): Promise<void> {
  await arrive(place, {}, visitor);
  await passPassword(visitor, person);
}

/** Signed in with the password alone, an identity linked. */
async function signedIn() {
  const person = people.next('plain');
  const sub = newcomer();
  await link(place, { sub, acr: 'low' }, person);
  await signIn(person);
  const first = await claimsAt(place, visitor);
  expect(first).toMatchObject({ amr: ['pwd'], acr: SFA });
  return { person, sub, first };
}

const stepUp = (acr: string = SUBSTANTIAL) => arrive(place, { acr_values: acr }, visitor);

describe('somebody who is signed in, at a portal that wants what only a provider vouches for', () => {
  test('is told so, and offered the providers that can; comes back with the level, and keeps it', async () => {
    const { sub, first } = await signedIn();
    await stepUp();
    expect(visitor.page.step).toBe('external');
    expect([...visitor.page.alternatives.keys()]).toContain('external:evil');
    expect([...visitor.page.alternatives.keys()]).not.toContain('external:lowly');
    appoint(evil, { sub, acr: 'substantial' });
    await passBy(visitor, evil);
    const claims = await claimsAt(place, visitor);
    expect(claims).toMatchObject({ sub: first?.sub, acr: SUBSTANTIAL });
    expect(claims?.amr).toEqual(['pwd']);
    await arrive(place, { prompt: 'none', acr_values: SUBSTANTIAL }, visitor);
    expect((await claimsAt(place, visitor))?.acr).toBe(SUBSTANTIAL);
    // What was proven so far satisfies every lower demand, and no higher one.
    await arrive(place, { prompt: 'none', acr_values: MFA }, visitor);
    expect((await claimsAt(place, visitor))?.acr).toBe(SUBSTANTIAL);
    await arrive(place, { prompt: 'none', acr_values: HIGH }, visitor);
    expect(errorAt(visitor.left)).not.toBeNull();
  });

  test('the same where the portal’s file demands it', async () => {
    const { sub } = await signedIn();
    const portal = await Portal.discover(vestibule, demanding);
    await visitor.visit(await portal.authorizationUrl());
    expect(visitor.page.step).toBe('external');
    appoint(evil, { sub, acr: 'high' });
    await passBy(visitor, evil);
    expect((await portal.exchange(visitor.left)).claims()?.acr).toBe(HIGH);
  });

  test('from a session of a lower level at the provider, to a higher one', async () => {
    const { sub } = await signedIn();
    visitor = await signInAs(place, { sub, acr: 'substantial' });
    await stepUp(HIGH);
    expect(visitor.page.step).toBe('external');
    appoint(evil, { sub, acr: 'high' });
    await passBy(visitor, evil);
    expect((await claimsAt(place, visitor))?.acr).toBe(HIGH);
  });

  test('by a passkey, which is worth more here, and nothing to the state', async () => {
    const { person, sub, first } = await signedIn();
    visitor = new Visitor(vestibule);
    const browser = new PasskeyBrowser(visitor, vestibule.issuer);
    await signIn(person);
    await browser.create();
    visitor.cookies.clear('vestibule_session');
    await arrive(place, {}, visitor);
    await visitor.submit({ username: person.username });
    await browser.use();
    expect((await claimsAt(place, visitor))?.acr).toBe('phr');
    await stepUp();
    expect(visitor.page.location && errorAt(visitor.left)).toBeUndefined();
    expect(visitor.page.step).toBe('external');
    appoint(evil, { sub, acr: 'substantial' });
    await passBy(visitor, evil);
    expect(await claimsAt(place, visitor)).toMatchObject({ sub: first?.sub, acr: SUBSTANTIAL });
  });

  test('a level below the demanded one: a sentence, on a page that leads on', async () => {
    const { sub } = await signedIn();
    await stepUp(HIGH);
    appoint(evil, { sub, acr: 'substantial' });
    await passBy(visitor, evil);
    expect(visitor.page.step).toBe('external');
    expect(visitor.page.error).toMatch(sentenceOf('external_level'));
    appoint(evil, { sub, acr: 'high' });
    await passBy(visitor, evil);
    expect((await claimsAt(place, visitor))?.acr).toBe(HIGH);
  });

  test('cancelled there: the page it began on; cancelled here: the portal hears of it, the session stays', async () => {
    const { first } = await signedIn();
    await stepUp();
    await leaveFor(visitor);
    await comeBack(visitor, evil, {
      change: (answer) => {
        answer.delete('code');
        answer.set('error', 'access_denied');
      },
    });
    expect(visitor.page.step).toBe('external');
    expect(visitor.page.error).toMatch(sentenceOf('external_cancelled'));
    await visitor.choose('cancel');
    expect(errorAt(visitor.left)).toBe('access_denied');
    await arrive(place, { prompt: 'none' }, visitor);
    expect(await claimsAt(place, visitor)).toMatchObject({ sub: first?.sub, acr: SFA });
  });

  test('who is somebody else there is told so, and neither signed in as that person nor raised', async () => {
    const { first } = await signedIn();
    const other = newcomer();
    await link(place, { sub: other, acr: 'high' }, people.next('plain'));
    await stepUp();
    appoint(evil, { sub: other, acr: 'high' });
    await passBy(visitor, evil);
    expect(visitor.page.step).toBe('external');
    expect(visitor.page.error).toMatch(sentenceOf('external_other_person'));
    await arrive(place, { prompt: 'none' }, visitor);
    expect(await claimsAt(place, visitor)).toMatchObject({ sub: first?.sub, acr: SFA });
  });

  test('who is nobody’s there is not raised by it, as long as the account was not proven anew', async () => {
    const { sub, first } = await signedIn();
    await vestibule.advanceClock(7200);
    const unknown = newcomer();
    await stepUp();
    appoint(evil, { sub: unknown, acr: 'high' });
    await passBy(visitor, evil);
    expect(visitor.page.location).toBeUndefined();
    expect((await signInAs(place, { sub: unknown })).page.step).toBe('external');
    expect((await claimsAt(place, await signInAs(place, { sub })))?.sub).toBe(first?.sub);
  });

  test('whom no offered provider can vouch for that is refused at once', async () => {
    await signedIn();
    await stepUp('urn:nobody-knows');
    expect(errorAt(visitor.left)).toBe('unmet_authentication_requirements');
  });
});

describe('somebody who is not signed in yet, at such a portal', () => {
  test('goes to the provider at once, or proves the password first', async () => {
    const { person, sub, first } = await signedIn();
    visitor = await signInAs(place, { sub, acr: 'substantial' }, { acr_values: SUBSTANTIAL });
    expect(await claimsAt(place, visitor)).toMatchObject({ sub: first?.sub, acr: SUBSTANTIAL });

    visitor = new Visitor(vestibule);
    await stepUp();
    await passPassword(visitor, person);
    expect(visitor.page.step).toBe('external');
    appoint(evil, { sub, acr: 'substantial' });
    await passBy(visitor, evil);
    const claims = await claimsAt(place, visitor);
    expect(claims).toMatchObject({ sub: first?.sub, acr: SUBSTANTIAL });
    expect(claims?.amr).toEqual(['pwd']);
  });

  test('with a password and a code falls short: no level of ours is one of the state’s', async () => {
    const person = people.next('app');
    await stepUp();
    await passPassword(visitor, person);
    if (visitor.page.step === 'totp') await visitor.submit({ code: await codeOf(vestibule) });
    expect(visitor.page.step).toBe('external');
  });
});

describe('somebody asked again (prompt=login)', () => {
  test('may prove it at the provider; the identity must be one of theirs', async () => {
    const { sub, first } = await signedIn();
    const other = newcomer();
    await link(place, { sub: other, acr: 'high' }, people.next('plain'));
    await vestibule.advanceClock(100);
    await arrive(place, { prompt: 'login' }, visitor);
    expect(visitor.page.step).toBe('password');
    appoint(evil, { sub: other, acr: 'high' });
    await passBy(visitor, evil);
    expect(visitor.page.step).toBe('password');
    expect(visitor.page.error).toMatch(sentenceOf('external_other_person'));
    appoint(evil, { sub, acr: 'high' });
    await passBy(visitor, evil);
    const claims = await claimsAt(place, visitor);
    expect(claims).toMatchObject({ sub: first?.sub, acr: HIGH });
    expect(Number(claims?.auth_time)).toBeGreaterThanOrEqual(Number(first?.auth_time) + 100);
  });
});
