import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { EvilUpstream } from '../support/evil-upstream.ts';
import {
  appoint,
  arrive,
  bring,
  CLIENT_ID,
  claimsAt,
  leaveFor,
  link,
  passBy,
  providerFile,
  SUBSTANTIAL,
  signInAs,
  wantLink,
} from '../support/external.ts';
import { clientFile, Portal } from '../support/portal.ts';
import { codeOf, crowd, nextCode, passPassword, sentenceOf, withApp } from '../support/second-factor.ts';
import { startVestibule, type Vestibule } from '../support/vestibule.ts';
import { Visitor } from '../support/visitor.ts';
import { begin, expectRefused, expectUsable, type Scene } from './support/external.ts';
import { mutuelle } from './support/people.ts';
import { accountOf, bytesOnDisk, changeAccount, withDurable } from './support/storage.ts';

const NATIONAL_NUMBER = '85073003328-NN';
const people = crowd({ plain: {}, app: withApp, named: { emailVerified: true } });
const victims = people.everybody.map((person, n) => ({ ...person, email: `victim-${n}@example.org` }));
const extranet = clientFile('extranet');

let evil: EvilUpstream;
let vestibule: Vestibule;
let scene: Scene;
let visitor: Visitor;
let citizens = 0;

const providers = (over: Readonly<Record<string, unknown>> = {}) => ({
  evil: providerFile(evil, over),
  numbers: providerFile(evil, {
    name: 'Numbers eID',
    subject: [{ path: 'national_number', confidential: true }],
    mapping: { national_number: 'national_number' },
  }),
});

beforeAll(async () => {
  evil = await EvilUpstream.start(CLIENT_ID, () => vestibule?.now() ?? Date.now());
  vestibule = await startVestibule({
    clients: [mutuelle, extranet],
    providers: providers(),
    people: victims,
    settings: { limits: { address: { count: 10_000 } }, log: { level: 'trace' } },
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
const linksOf = async (username: string): Promise<number> => {
  const id = await accountOf(vestibule, { username });
  return withDurable(vestibule, async ({ credentials }) => (await credentials.list(id, 'external')).length);
};
/** Loads the files anew, and waits until they count. */
async function reload(files: Parameters<Vestibule['configure']>[0]): Promise<void> {
  const count = () => vestibule.logs.filter(({ event }) => event === 'config.reloaded').length;
  const before = count();
  await vestibule.configure(files);
  vestibule.signal('SIGHUP');
  await vestibule.logged('config.reloaded', () => count() > before);
}

describe('41 unsafe linking', () => {
  test.each([true, 'true', false, undefined])(
    'the same e-mail address, verified there: %s, is nobody’s account',
    async (email_verified) => {
      const { username, email } = victims.find(({ username: name }) => name.startsWith('named')) ?? {
        username: '',
        email: '',
      };
      for (const claims of [
        { email, email_verified },
        { email: email.toUpperCase(), email_verified },
      ]) {
        visitor = await signInAs(scene, { sub: newcomer(), acr: 'high', claims });
        expect(visitor.page.step).toBe('external');
      }
      appoint(evil, { sub: newcomer() }, { claims: { email, email_verified, preferred_username: username } });
      await arrive(scene, {}, visitor);
      await passBy(visitor, evil);
      expect(visitor.page.step).toBe('external');
      expect(await linksOf(username)).toBe(0);
    },
  );

  test.each([
    ['an account’s name', (id: string, username: string) => [username, id][0]],
    ['an account’s own subject', (id: string) => id],
  ])('a sub that is %s is nobody’s account', async (_what, of) => {
    const { username } = people.next('plain');
    const sub = of(await accountOf(vestibule, { username }), username) ?? '';
    visitor = await signInAs(scene, { sub });
    expect(visitor.page.step).toBe('external');
  });

  test('a sub that differs in case or by a space is somebody else', async () => {
    const sub = newcomer();
    await link(scene, { sub }, people.next('plain'));
    for (const near of [sub.toUpperCase(), `${sub} `, ` ${sub}`, `${sub}\u0000`]) {
      expect((await signInAs(scene, { sub: near })).page.step).toBe('external');
    }
  });

  test('an old session alone adds no way in: not even where a portal wants more than it has', async () => {
    const person = people.next('plain');
    await arrive(scene, {}, visitor);
    await passPassword(visitor, person);
    await vestibule.advanceClock(7200);
    await arrive(scene, { acr_values: SUBSTANTIAL }, visitor);
    // Whoever sits there now has an eID of their own.
    appoint(evil, { sub: newcomer(), acr: 'high' });
    await passBy(visitor, evil);
    expect(await linksOf(person.username)).toBe(0);
  });

  test('an old session with both factors adds none, either', async () => {
    const person = people.next('app');
    await arrive(scene, {}, visitor);
    await passPassword(visitor, person);
    await visitor.submit({ code: await codeOf(vestibule) });
    await vestibule.advanceClock(7200);
    await arrive(scene, { acr_values: SUBSTANTIAL }, visitor);
    appoint(evil, { sub: newcomer(), acr: 'high' });
    await passBy(visitor, evil);
    expect(await linksOf(person.username)).toBe(0);
  });

  test('another identity of the provider is no proof of an account: a password or a passkey is', async () => {
    const person = people.next('plain');
    const mine = newcomer();
    await link(scene, { sub: mine, acr: 'low' }, person);
    await arrive(scene, {}, visitor);
    const { url } = visitor.page;
    // A tab that stays at the provider: while the account is being proven, no page leads there.
    const asked = await leaveFor(visitor);
    await visitor.visit(url);
    appoint(evil, { sub: newcomer(), acr: 'high' });
    await passBy(visitor, evil);
    await visitor.submit();
    appoint(evil, { sub: mine, acr: 'low' });
    await bring(visitor, evil, evil.approve(asked.href));
    expect(visitor.page.location).toBeDefined();
    expect(await linksOf(person.username)).toBe(1);
  });

  test('what is held for one sign-in is nothing in another, or in another browser', async () => {
    const person = people.next('plain');
    visitor = await wantLink(scene, { sub: newcomer() });
    const elsewhere = await arrive(scene);
    await passPassword(elsewhere, person);
    await claimsAt(scene, elsewhere);
    await arrive(scene, {}, visitor);
    await passPassword(visitor, person);
    await claimsAt(scene, visitor);
    expect(await linksOf(person.username)).toBe(0);
  });

  test('a form that says more than it may links nothing', async () => {
    const person = people.next('plain');
    await arrive(scene, {}, visitor);
    await visitor.submit({ username: person.username }, { extra: { linking: 'evil', linkWanted: 'true' } });
    if (visitor.page.step === 'password') await visitor.submit({ password: person.password });
    expect(await linksOf(person.username)).toBe(0);
    visitor = await signInAs(scene, { sub: newcomer() });
    await visitor.submit({}, { extra: { alternative: 'create' } });
    expect(visitor.page.location).toBeUndefined();
  });
});

describe('43 disabled IdP', () => {
  const onAgain = () => reload({ providers: providers() });
  const off = () => reload({ providers: providers({ enabled: false }) });

  test('switched off while somebody is there: the answer is refused, at the callback and after it', async () => {
    const sub = newcomer();
    await link(scene, { sub }, people.next('plain'));
    appoint(evil, { sub });
    const { visitor: early, first } = await begin(scene);
    await leaveFor(early);
    const answer = evil.approve(early.left.href);
    const late = await begin(scene);
    await leaveFor(late.visitor);
    const url = new URL(`/external/evil/callback?${evil.approve(late.visitor.left.href)}`, vestibule.issuer);
    const { location } = await late.visitor.request('GET', url, undefined);
    const before = evil.count('/token');
    await off();
    try {
      await early.visit(`/external/evil/callback?${answer}`);
      await expectRefused(scene, early.page, /transaction/);
      await late.visitor.visit(location ?? url);
      await expectRefused(scene, late.visitor.page, /transaction/);
      expect(evil.count('/token')).toBe(before);
      await expectUsable(scene, early, first, people.next('plain'));
      await arrive(scene, {}, visitor);
      expect([...visitor.page.alternatives.keys()]).not.toContain('external:evil');
      await visitor.submit({}, { extra: { alternative: 'external:evil' } });
      expect(visitor.page.step).toBe('identify');
    } finally {
      await onAgain();
    }
  });

  test('switched off while an identity waits to be linked: it is not', async () => {
    const person = people.next('plain');
    visitor = await wantLink(scene, { sub: newcomer() });
    await off();
    try {
      await passPassword(visitor, person);
      expect(await linksOf(person.username)).toBe(0);
    } finally {
      await onAgain();
    }
  });

  test('taken from a portal while somebody is there: the answer is refused', async () => {
    const sub = newcomer();
    await link(scene, { sub }, people.next('plain'));
    const { visitor: there } = await begin(scene);
    await leaveFor(there);
    appoint(evil, { sub });
    const answer = evil.approve(there.left.href);
    await reload({ providers: providers({ clients: ['extranet'] }) });
    try {
      await there.visit(`/external/evil/callback?${answer}`);
      await expectRefused(scene, there.page, /transaction/);
    } finally {
      await onAgain();
    }
  });
});

describe('26 suspension', () => {
  test('a suspended person is not signed in by an identity, before it was sent there or after', async () => {
    const person = people.next('plain');
    const sub = newcomer();
    await link(scene, { sub }, person);
    const { visitor: there } = await begin(scene);
    await leaveFor(there);
    appoint(evil, { sub });
    const answer = evil.approve(there.left.href);
    await changeAccount(vestibule, person.username, { state: 'suspended' });
    await there.visit(`/external/evil/callback?${answer}`);
    expect(there.page.step).toBe('identify');
    expect(there.page.error).toMatch(sentenceOf('external_refused'));
    visitor = await signInAs(scene, { sub });
    expect(visitor.page.error).toMatch(sentenceOf('external_refused'));
    await changeAccount(vestibule, person.username, { state: 'active' });
    await claimsAt(scene, await signInAs(scene, { sub }));
  });

  test('suspended between the proof and the end: nothing is linked', async () => {
    const person = people.next('app');
    visitor = await wantLink(scene, { sub: newcomer() });
    await passPassword(visitor, person);
    await changeAccount(vestibule, person.username, { state: 'suspended' });
    await visitor.submit({ code: await codeOf(vestibule) });
    expect(visitor.page.location).toBeUndefined();
    expect(await linksOf(person.username)).toBe(0);
  });
});

test('55 neither the log at its loudest nor the disk holds a token, a code, a secret or a number in clear', async () => {
  const national = {
    sub: 'sub-nobody-shall-read',
    claims: { national_number: NATIONAL_NUMBER, name: 'Zoe Unreadable' },
  };
  const person = people.next('plain');
  await arrive(scene, {}, visitor);
  appoint(evil, national);
  const { searchParams } = await leaveFor(visitor, 'numbers');
  const answer = evil.approve(visitor.left.href);
  await visitor.visit(`/external/numbers/callback?${answer}`);
  // What is held until an account is proven, too.
  const held = await bytesOnDisk(vestibule);
  await visitor.submit();
  await passPassword(visitor, person);
  await claimsAt(scene, visitor);
  expect(await linksOf(person.username)).toBe(1);
  const again = await arrive(scene);
  await passBy(again, evil, { provider: 'numbers' });
  await claimsAt(scene, again);
  const wrong = await arrive(scene);
  await passBy(wrong, evil, { provider: 'numbers', change: (one) => one.set('code', 'code-nobody-shall-read') });
  await expectRefused(scene, wrong.page, /token_endpoint/);

  const secrets = [
    NATIONAL_NUMBER,
    national.sub,
    'code-nobody-shall-read',
    'access-token-of-the-evil-upstream',
    'a-secret-that-is-longer-than-thirty-two-octets',
    'mellon',
    searchParams.get('state') ?? '',
    searchParams.get('nonce') ?? '',
  ];
  const log = vestibule.logs.map((line) => JSON.stringify(line)).join('\n') + vestibule.complaints;
  const disk = await bytesOnDisk(vestibule);
  for (const secret of secrets) {
    expect(secret).not.toBe('');
    expect({ secret, log: log.includes(secret) }).toEqual({ secret, log: false });
    expect({ secret, disk: disk.includes(secret), held: held.includes(secret) }).toEqual({
      secret,
      disk: false,
      held: false,
    });
  }
  expect(log).not.toContain('Unreadable');
  expect(log).not.toMatch(/eyJ[\w-]{20,}\.[\w-]+\./);
});
