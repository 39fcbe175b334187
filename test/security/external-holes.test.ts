import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { EvilUpstream } from '../support/evil-upstream.ts';
import {
  appoint,
  arrive,
  bring,
  CLIENT_ID,
  claimsAt,
  comeBack,
  leaveFor,
  link,
  passBy,
  providerFile,
  SUBSTANTIAL,
  signInAs,
} from '../support/external.ts';
import { announce, logoutToken } from '../support/external-sign-out.ts';
import { clientFile, Portal } from '../support/portal.ts';
import { crowd, nextCode, passPassword } from '../support/second-factor.ts';
import { startVestibule, type Vestibule } from '../support/vestibule.ts';
import { Visitor } from '../support/visitor.ts';
import type { Scene } from './support/external.ts';
import { mutuelle } from './support/people.ts';
import { accountOf, withDurable } from './support/storage.ts';

const people = crowd({ plain: {} });
const everybody = people.everybody.map((person) => ({
  ...person,
  email: `${person.username}@strasse.example`,
  emailVerified: true,
}));
const extranet = clientFile('extranet');

let evil: EvilUpstream;
let vestibule: Vestibule;
let scene: Scene;
let visitor: Visitor;
let citizens = 0;

beforeAll(async () => {
  evil = await EvilUpstream.start(CLIENT_ID, () => vestibule?.now() ?? Date.now());
  const number = {
    subject: [{ path: 'national_number', confidential: true }],
    mapping: { national_number: 'national_number' },
  };
  vestibule = await startVestibule({
    clients: [mutuelle, extranet],
    providers: {
      evil: providerFile(evil, { logout: { back_channel: true } }),
      numbers: providerFile(evil, { name: 'Numbers eID', ...number }),
      making: providerFile(evil, {
        name: 'Making eID',
        link: { create_accounts: true },
        release: { mutuelle: ['birthdate'] },
      }),
      trusting: providerFile(evil, { name: 'Trusting eID', link: { automatic_by_email: true } }),
      lasting: providerFile(evil, { name: 'Lasting eID', reauthenticates: false }),
    },
    people: everybody,
    settings: { limits: { address: { count: 10_000 } } },
  });
  scene = { vestibule, evil, portal: await Portal.discover(vestibule, mutuelle) };
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

function newcomer(): string {
  citizens += 1;
  return `citizen-${citizens}`;
}
const identitiesOf = async (username: string) => {
  const id = await accountOf(vestibule, { username });
  return withDurable(vestibule, ({ credentials }) => credentials.list(id, 'external'));
};
const linksOf = async (username: string): Promise<number> => (await identitiesOf(username)).length;

/** Holds the upstream's next token back until it is let go. */
function holdToken(): { readonly asked: Promise<void>; letGo(): void } {
  const token = evil.token.bind(evil);
  let letGo = () => {};
  let isAsked = () => {};
  const asked = new Promise<void>((done) => {
    isAsked = done;
  });
  const gate = new Promise<void>((done) => {
    letGo = done;
  });
  evil.token = async (...given) => {
    evil.token = token;
    const made = await token(...given);
    isAsked();
    await gate;
    return made;
  };
  return { asked, letGo };
}

/** All that whoever began knows, by whatever name it may be asked for. */
const knownOf = (address: URL): string => {
  const state = address.searchParams.get('state') ?? '';
  return String(new URLSearchParams({ state, answer: `${state}.` }));
};

/** From the address of the first page to where the answer is taken. */
const resumeOf = (first: URL, address: URL, provider = 'evil'): string =>
  `${first.pathname.replace(/\/identify$/, '')}/external/${provider}?${knownOf(address)}`;

async function inAccountArea(person: { username: string; password: string }, at = visitor): Promise<Visitor> {
  await at.visit('/account/identities');
  await passPassword(at, person);
  return at;
}

describe('42 somebody is sent to the provider with an address that another browser made', () => {
  test('the other browser is not signed in as them', async () => {
    const sub = newcomer();
    await link(scene, { sub }, people.next('plain'));
    const attacker = await arrive(scene);
    const first = attacker.page.url;
    await leaveFor(attacker);
    const address = attacker.left;
    // The victim follows that link, and signs in at the provider.
    appoint(evil, { sub });
    const victim = new Visitor(vestibule);
    await bring(victim, evil, evil.approve(address.href));
    expect(victim.page.status).toBe(400);
    await attacker.visit(resumeOf(first, address));
    expect(attacker.page.location).toBeUndefined();
    expect(evil.count('/token')).toBe(1);
  });

  test('nor with an account made of them, or asked to link them', async () => {
    const attacker = await arrive(scene);
    const first = attacker.page.url;
    await leaveFor(attacker, 'making');
    const address = attacker.left;
    appoint(evil, { sub: newcomer() });
    await bring(new Visitor(vestibule), evil, evil.approve(address.href), { provider: 'making' });
    await attacker.visit(resumeOf(first, address, 'making'));
    expect(evil.count('/token')).toBe(0);
  });

  test('nor is their identity linked to the account of whoever began', async () => {
    const person = people.next('plain');
    await inAccountArea(person);
    await leaveFor(visitor);
    const address = visitor.left;
    appoint(evil, { sub: newcomer() });
    await bring(new Visitor(vestibule), evil, evil.approve(address.href));
    await visitor.visit(`/account/identities/return/evil?${knownOf(address)}`);
    expect(await linksOf(person.username)).toBe(0);
  });
});

describe('41 automatic linking', () => {
  test.each([
    ['ß for ss', (email: string) => email.replace('ss', 'ß')],
    ['a dotless ı', (email: string) => email.replace('i', 'ı')],
    ['full width', (email: string) => email.replace('p', 'ｐ')],
    ['an invisible character', (email: string) => email.replace('p', 'p\u00ad')],
  ])('an address that only reads alike is another one: %s', async (_what, near) => {
    const person = people.next('plain');
    const email = `${person.username}@strasse.example`;
    expect(near(email)).not.toBe(email);
    await arrive(scene, {}, visitor);
    appoint(evil, { sub: newcomer(), claims: { email: near(email), email_verified: true } });
    await passBy(visitor, evil, { provider: 'trusting' });
    expect(await linksOf(person.username)).toBe(0);
  });

  test('to an account that signs in with an identity already: not without it', async () => {
    const email = `${newcomer()}@mail.example`;
    appoint(evil, { sub: newcomer(), acr: 'high', claims: { email, email_verified: true } });
    await arrive(scene, {}, visitor);
    await passBy(visitor, evil, { provider: 'making' });
    await visitor.choose('create');
    await claimsAt(scene, visitor);
    expect(await linksOf(email)).toBe(1);
    // The address has gone to somebody else since.
    appoint(evil, { sub: newcomer(), acr: null, claims: { email, email_verified: true } });
    const other = await arrive(scene);
    await passBy(other, evil, { provider: 'trusting' });
    expect(await linksOf(email)).toBe(1);
  });
});

describe('41 linking on the way to a portal', () => {
  test('signed out everywhere while the provider answers: nothing is linked', async () => {
    const person = people.next('plain');
    await arrive(scene, { acr_values: SUBSTANTIAL }, visitor);
    await passPassword(visitor, person);
    expect(visitor.page.step).toBe('external');
    appoint(evil, { sub: newcomer(), acr: 'high' });
    await leaveFor(visitor);
    const { asked, letGo } = holdToken();
    const back = comeBack(visitor, evil);
    await asked;
    // What a new password does, first of all.
    await withDurable(vestibule, async ({ accounts }) => {
      const account = await accounts.findByIdentifier(person.username);
      if (!account) throw new Error('gone');
      const changed = { ...account, generation: account.generation + 1 };
      await accounts.replace(changed, [account.username, account.email ?? ''], account.version);
    });
    letGo();
    await back;
    expect(await linksOf(person.username)).toBe(0);
  });

  test('a password that was proven long ago links nothing', async () => {
    const person = people.next('plain');
    await arrive(scene, { acr_values: SUBSTANTIAL }, visitor);
    await passPassword(visitor, person);
    await vestibule.advanceClock(3000);
    appoint(evil, { sub: newcomer(), acr: 'high' });
    await passBy(visitor, evil);
    expect(visitor.page.location).toBeUndefined();
    expect(await linksOf(person.username)).toBe(0);
  });

  test('whoever may be about to link is asked anew there, as in the account area', async () => {
    await arrive(scene, { acr_values: SUBSTANTIAL }, visitor);
    await passPassword(visitor, people.next('plain'));
    expect((await leaveFor(visitor)).searchParams.get('prompt')).toBe('login');
  });

  test('of two providers in two windows, each identity counts as its own provider’s', async () => {
    const sub = newcomer();
    const claims = { email: undefined };
    await arrive(scene, {}, visitor);
    const first = visitor.page.url;
    await leaveFor(visitor, 'evil');
    const slow = visitor.left;
    await visitor.visit(first);
    await leaveFor(visitor, 'making');
    const quick = visitor.left;
    appoint(evil, { sub, claims });
    const { asked, letGo } = holdToken();
    const request = visitor.request(
      'GET',
      new URL(`/external/evil/callback?${evil.approve(slow.href)}`, vestibule.issuer),
      undefined,
    );
    const resume = (await request).location;
    const returning = visitor.request('GET', resume ?? slow, undefined);
    await asked;
    appoint(evil, { sub: newcomer(), claims });
    await bring(visitor, evil, evil.approve(quick.href), { provider: 'making' });
    expect(visitor.page.step).toBe('external');
    expect([...visitor.page.alternatives.keys()]).toContain('create');
    appoint(evil, { sub, claims });
    letGo();
    await returning;
    await visitor.choose('create');
    // Its people may not make accounts.
    const again = await signInAs(scene, { sub });
    expect(again.page.step).toBe('external');
  });

  test('ended at the provider while it waits to be linked: it does not sign in', async () => {
    const sub = newcomer();
    const sid = `stay-${sub}`;
    const person = people.next('plain');
    appoint(evil, { sub }, { claims: { sid } });
    await arrive(scene, {}, visitor);
    await passBy(visitor, evil);
    await visitor.submit();
    expect((await announce(vestibule, await logoutToken(evil, vestibule, { sub, sid }))).status).toBe(200);
    await visitor.submit({ username: person.username });
    if (visitor.page.step === 'password') await visitor.submit({ password: person.password });
    const claims = visitor.page.location ? await claimsAt(scene, visitor) : undefined;
    expect(claims?.acr).not.toBe(SUBSTANTIAL);
  });
});

describe('who somebody is', () => {
  test('a sub is not what another file of the same issuer calls a national number', async () => {
    const number = '85073003328';
    const person = people.next('plain');
    await arrive(scene, {}, visitor);
    appoint(evil, { sub: newcomer(), claims: { national_number: number } });
    await passBy(visitor, evil, { provider: 'numbers' });
    await visitor.submit();
    await passPassword(visitor, person);
    expect(await linksOf(person.username)).toBe(1);
    const other = await signInAs(scene, { sub: number });
    expect(other.page.step).toBe('external');
  });

  test('begun by one person, brought back when another is signed in in that browser: linked to neither', async () => {
    const [one, two] = [people.next('plain'), people.next('plain')];
    await inAccountArea(one);
    await leaveFor(visitor);
    const address = visitor.left;
    await arrive(scene, { prompt: 'login' }, visitor);
    await visitor.submit({}, { button: 'switch' });
    await passPassword(visitor, two);
    await claimsAt(scene, visitor);
    appoint(evil, { sub: newcomer() });
    await bring(visitor, evil, evil.approve(address.href));
    expect([await linksOf(one.username), await linksOf(two.username)]).toEqual([0, 0]);
  });
});

describe('an account that is made', () => {
  const make = async (claims: Readonly<Record<string, unknown>>, sub = newcomer()) => {
    await arrive(scene, { scope: 'openid profile email' }, visitor);
    appoint(evil, { sub, claims });
    await passBy(visitor, evil, { provider: 'making' });
    await visitor.choose('create');
    return sub;
  };

  test('keeps no novel as a name', async () => {
    await make({ name: 'x'.repeat(100_000) });
    const tokens = await scene.portal.exchange(visitor.left);
    expect(JSON.stringify(await scene.portal.userinfo(tokens.access_token)).length).toBeLessThan(10_000);
  });

  test.each(['administrator', 'a@x.example, b@x.example', 'a@x.example\r\nBcc: b@x.example', '<b@x.example>'])(
    'is called by no address that is none: %s',
    async (email) => {
      await make({ email, email_verified: true });
      const known = await withDurable(vestibule, ({ accounts }) => accounts.findByIdentifier(email.toLowerCase()));
      expect(known).toBeUndefined();
      if (visitor.page.location) await claimsAt(scene, visitor);
      else expect(visitor.page.step).toBe('external');
    },
  );

  test('tells no portal what the provider’s file releases to another', async () => {
    const sub = await make({ birthdate: '1985-07-30', email: undefined });
    await claimsAt(scene, visitor);
    const portal = await Portal.discover(vestibule, extranet);
    await visitor.visit(await portal.authorizationUrl({ scope: 'openid profile email' }));
    const tokens = await portal.exchange(visitor.left);
    expect(JSON.stringify(await portal.userinfo(tokens.access_token))).not.toContain('1985');
    expect(sub).toBeDefined();
  });
});
