import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { EvilUpstream } from '../support/evil-upstream.ts';
import {
  appoint,
  arrive,
  CLIENT_ID,
  claimsAt,
  LOW,
  link,
  type Place,
  passBy,
  providerFile,
  SUBSTANTIAL,
  signInAs,
  wantLink,
} from '../support/external.ts';
import { type MailSink, startMailSink } from '../support/mail-sink.ts';
import { PasskeyBrowser } from '../support/passkeys.ts';
import { clientFile, Portal } from '../support/portal.ts';
import { codeOf, crowd, MFA, nextCode, passPassword, sentenceOf, withApp } from '../support/second-factor.ts';
import { type Person, startVestibule, type Vestibule } from '../support/vestibule.ts';
import { Visitor } from '../support/visitor.ts';
import { auditOf, errorAt } from './arrange.ts';
import { addressOf, reachable } from './mails.ts';

const NAME = 'National eID';
const mutuelle = clientFile('mutuelle');
const people = crowd({ plain: {}, app: withApp });

let evil: EvilUpstream;
let mails: MailSink;
let vestibule: Vestibule;
let place: Place;
let visitor: Visitor;
let citizens = 0;

beforeAll(async () => {
  mails = await startMailSink();
  evil = await EvilUpstream.start(CLIENT_ID, () => vestibule?.now() ?? Date.now());
  vestibule = await startVestibule({
    clients: [mutuelle],
    providers: {
      evil: providerFile(evil, {
        name: { en: NAME, fr: 'eID nationale' },
        mapping: { name: 'full_name' },
      }),
      social: providerFile(evil, { name: 'Social', levels: [], userinfo: { fetched: false } }),
    },
    settings: { mail: mails.settings, trusted_devices: { enabled: true } },
    people: [...reachable(people.everybody)],
  });
  place = { vestibule, evil, portal: await Portal.discover(vestibule, mutuelle) };
});
afterAll(async () => {
  await vestibule?.stop();
  await Promise.all([evil?.stop(), mails?.close()]);
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
const giveCode = async (at = visitor) => at.submit({ code: await codeOf(vestibule) });
/** What a person who signs in with that identity is told: nobody's, or signed in. */
const isKnown = async (sub: string): Promise<boolean> => (await signInAs(place, { sub })).page.step !== 'external';

describe('somebody whom nobody knows here', () => {
  test('is told who they are there, and asked what is to become of it', async () => {
    visitor = await signInAs(place, { sub: newcomer(), claims: { full_name: 'Ada Lovelace' } });
    expect(visitor.page.step).toBe('external');
    expect(visitor.page.heading).toContain(NAME);
    expect(visitor.page.text).toContain('Ada Lovelace');
    expect([...visitor.page.alternatives.keys()]).toEqual(expect.arrayContaining(['back', 'cancel']));
    // No account is made of it unless the configuration says so.
    expect([...visitor.page.alternatives.keys()]).not.toContain('create');
  });

  test('proves an account with its password, and from then on is signed in without a page', async () => {
    const person = people.next('plain');
    const sub = newcomer();
    visitor = await wantLink(place, { sub, acr: 'substantial' });
    expect(visitor.page.step).toBe('identify');
    await passPassword(visitor, person);
    const claims = await claimsAt(place, visitor);
    expect(claims).toMatchObject({ amr: ['pwd'], acr: SUBSTANTIAL });
    const mail = await mails.next(addressOf(person), /linked/);
    expect(mail.text).toContain(NAME);
    expect(mail.text).not.toContain(sub);
    const lines = await auditOf(vestibule, 'identity.linked');
    expect(lines.filter(({ accountId }) => accountId === claims?.sub)).toHaveLength(1);

    const again = await signInAs(place, { sub });
    expect((await claimsAt(place, again))?.sub).toBe(claims?.sub);
  });

  test('goes back: the first page, and nothing of it is remembered', async () => {
    const person = people.next('plain');
    const sub = newcomer();
    visitor = await signInAs(place, { sub });
    await visitor.choose('back');
    expect(visitor.page.step).toBe('identify');
    await passPassword(visitor, person);
    expect((await claimsAt(place, visitor))?.acr).toBe('https://refeds.org/profile/sfa');
    expect(await isKnown(sub)).toBe(false);
  });

  test('says that they are somebody else after all: the link is not theirs', async () => {
    const [first, second] = [people.next('plain'), people.next('plain')];
    const sub = newcomer();
    visitor = await wantLink(place, { sub });
    await visitor.submit({ username: first.username });
    await visitor.choose('switch');
    expect(visitor.page.step).toBe('identify');
    await passPassword(visitor, second);
    await claimsAt(place, visitor);
    expect(await isKnown(sub)).toBe(false);
  });

  test('who can not prove an account gets none', async () => {
    const person = people.next('plain');
    const sub = newcomer();
    visitor = await wantLink(place, { sub });
    await visitor.submit({ username: person.username });
    await visitor.submit({ password: 'not-their-password' });
    expect(visitor.page.step).toBe('password');
    await visitor.choose('cancel');
    expect(errorAt(visitor.left)).toBe('access_denied');
    expect(await isKnown(sub)).toBe(false);
  });

  test('has half an hour to prove it', async () => {
    const person = people.next('plain');
    const sub = newcomer();
    visitor = await wantLink(place, { sub });
    await vestibule.advanceClock(1801);
    await passPassword(visitor, person);
    expect(visitor.page.location).toBeDefined();
    expect(await isKnown(sub)).toBe(false);
  });

  test('the page reads in the language of the person', async () => {
    visitor.headers = { 'accept-language': 'fr' };
    visitor = await signInAs(place, { sub: newcomer() }, {}, visitor);
    expect(visitor.page.lang).toBe('fr');
    expect(visitor.page.heading).toContain('eID nationale');
  });

  test('who proved an account on the way, then came from there, has nothing more to say', async () => {
    const person = people.next('plain');
    const sub = newcomer();
    visitor = await arrive(place);
    await visitor.submit({ username: person.username });
    appoint(evil, { sub });
    await passBy(visitor, evil);
    await visitor.submit();
    // The name was typed before: it is still theirs to prove.
    if (visitor.page.step === 'identify') await visitor.submit({ username: person.username });
    await visitor.submit({ password: person.password });
    expect((await claimsAt(place, visitor))?.acr).toBe(SUBSTANTIAL);
    expect(await isKnown(sub)).toBe(true);
  });
});

describe('an account with a second factor', () => {
  test('an app: linking demands the code', async () => {
    const person = people.next('app');
    const sub = newcomer();
    visitor = await wantLink(place, { sub, acr: 'high' });
    await passPassword(visitor, person);
    expect(visitor.page.step).toBe('totp');
    expect(await isKnown(sub)).toBe(false);
    await nextCode(vestibule);
    await giveCode();
    expect((await claimsAt(place, visitor))?.amr).toEqual(['pwd', 'otp', 'mfa']);
    expect(await isKnown(sub)).toBe(true);
  });

  test('an app, on a device that is trusted: the code, all the same', async () => {
    const person = people.next('app');
    await arrive(place, {}, visitor);
    await passPassword(visitor, person);
    await visitor.submit({ code: await codeOf(vestibule), trust: 'yes' });
    visitor.cookies.clear('vestibule_session');
    await nextCode(vestibule);
    const sub = newcomer();
    await arrive(place, {}, visitor);
    appoint(evil, { sub });
    await passBy(visitor, evil);
    await visitor.submit();
    await passPassword(visitor, person);
    expect(visitor.page.step).toBe('totp');
    await giveCode();
    await claimsAt(place, visitor);
    expect(await isKnown(sub)).toBe(true);
  });

  /** Somebody with a passkey besides the password. */
  async function withPasskey(): Promise<{ person: Person; device: PasskeyBrowser['device'] }> {
    const person = people.next('plain');
    await arrive(place, {}, visitor);
    const browser = new PasskeyBrowser(visitor, vestibule.issuer);
    await passPassword(visitor, person);
    if (visitor.page.step !== 'offer-passkey') throw new Error(visitor.page.describe());
    await browser.create();
    return { person, device: browser.device };
  }

  test('a passkey: it must be used, the password is not enough', async () => {
    const { person, device } = await withPasskey();
    const sub = newcomer();
    visitor = await wantLink(place, { sub });
    const browser = new PasskeyBrowser(visitor, vestibule.issuer, device);
    await visitor.submit({ username: person.username });
    if (visitor.page.step === 'passkey') await visitor.choose('password');
    await visitor.submit({ password: person.password });
    expect(visitor.page.step).toBe('passkey');
    expect(await isKnown(sub)).toBe(false);
    await browser.use();
    expect((await claimsAt(place, visitor))?.amr).toEqual(expect.arrayContaining(['mfa', 'pwd']));
    expect(await isKnown(sub)).toBe(true);
  });

  test('a passkey, and a browser that can do none: a page that says so, and the sign-in goes on without a link', async () => {
    const { person } = await withPasskey();
    const sub = newcomer();
    visitor = await wantLink(place, { sub });
    new PasskeyBrowser(visitor, vestibule.issuer).say('', vestibule.issuer);
    await passPassword(visitor, person);
    expect([visitor.page.step, visitor.page.heading]).toEqual(['external', 'Not possible here']);
    expect(visitor.page.text).toContain(NAME);
    await visitor.submit();
    expect((await claimsAt(place, visitor))?.amr).toEqual(['pwd']);
    expect(await isKnown(sub)).toBe(false);
  });

  test('a passkey at once: that is all', async () => {
    const { person, device } = await withPasskey();
    const sub = newcomer();
    visitor = await wantLink(place, { sub });
    const browser = new PasskeyBrowser(visitor, vestibule.issuer, device);
    await visitor.submit({ username: person.username });
    expect(visitor.page.step).toBe('passkey');
    await browser.use();
    expect((await claimsAt(place, visitor))?.amr).toEqual(expect.arrayContaining(['mfa']));
    expect(await isKnown(sub)).toBe(true);
  });
});

describe('later, on an account with an app', () => {
  async function linkedWithApp(acr: string | null, provider = 'evil') {
    const person = people.next('app');
    const sub = newcomer();
    visitor = await arrive(place);
    appoint(evil, { sub, acr });
    await passBy(visitor, evil, { provider });
    await visitor.submit();
    await passPassword(visitor, person);
    await giveCode();
    const first = await claimsAt(place, visitor);
    await nextCode(vestibule);
    return { person, sub, first };
  }

  test.each(['substantial', 'high'])('%s stands for both factors: no code', async (acr) => {
    const { sub, first } = await linkedWithApp(acr);
    expect((await claimsAt(place, await signInAs(place, { sub, acr })))?.sub).toBe(first?.sub);
  });

  test('low is one factor: the code is asked for', async () => {
    const { sub, first } = await linkedWithApp('low');
    visitor = await signInAs(place, { sub, acr: 'low' });
    expect(visitor.page.step).toBe('totp');
    await giveCode();
    const claims = await claimsAt(place, visitor);
    expect(claims?.sub).toBe(first?.sub);
    expect(claims?.amr).toEqual(['otp']);
  });

  test('a provider that says nothing of a level is no reason to skip it', async () => {
    const { sub } = await linkedWithApp(null, 'social');
    visitor = await arrive(place);
    appoint(evil, { sub, acr: null });
    await passBy(visitor, evil, { provider: 'social' });
    expect(visitor.page.location).toBeUndefined();
    expect(['totp', 'password']).toContain(visitor.page.step);
  });

  test('low where two factors are demanded: refused, as the provider was asked for more', async () => {
    const { sub } = await linkedWithApp('high');
    visitor = await signInAs(place, { sub, acr: 'low' }, { acr_values: MFA });
    expect(visitor.page.error).toMatch(sentenceOf('external_level'));
  });
});

describe('an identity that is linked already', () => {
  test('signs in its owner, whoever else’s name was typed before', async () => {
    const [owner, other] = [people.next('plain'), people.next('plain')];
    const sub = newcomer();
    const first = await claimsAt(place, await link(place, { sub, acr: 'low' }, owner));
    visitor = await arrive(place);
    await visitor.submit({ username: other.username });
    appoint(evil, { sub, acr: 'low' });
    await passBy(visitor, evil);
    expect(await claimsAt(place, visitor)).toMatchObject({ sub: first?.sub, acr: LOW });
  });

  test('of two accounts that are proven at the same moment, one gets it', async () => {
    const pair = [people.next('plain'), people.next('plain')];
    const sub = newcomer();
    const visitors: Visitor[] = [];
    for (const person of pair) {
      const one = await wantLink(place, { sub });
      await one.submit({ username: person.username });
      visitors.push(one);
    }
    await Promise.all(visitors.map((one, n) => one.submit({ password: pair[n]?.password ?? '' })));
    const subjects = await Promise.all(visitors.map(async (one) => (await claimsAt(place, one))?.sub));
    expect(new Set(subjects).size).toBe(2);
    const linked = (await auditOf(vestibule, 'identity.refused')).filter(({ accountId }) =>
      subjects.includes(String(accountId)),
    );
    expect(linked).toHaveLength(1);
    expect(subjects).toContain((await claimsAt(place, await signInAs(place, { sub })))?.sub);
  });
});
