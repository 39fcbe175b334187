import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { SoftwareAuthenticator } from '../support/authenticator/index.ts';
import { EvilUpstream } from '../support/evil-upstream.ts';
import { type MailSink, startMailSink } from '../support/mail-sink.ts';
import { PasskeyBrowser } from '../support/passkeys.ts';
import { clientFile, Portal } from '../support/portal.ts';
import { freePort } from '../support/ports.ts';
import { crowd, passPassword, sentenceOf } from '../support/second-factor.ts';
import { type Person, startVestibule, type Vestibule } from '../support/vestibule.ts';
import { Visitor } from '../support/visitor.ts';
import { auditOf, removePassword, until } from './arrange.ts';
import { addressOf, reachable } from './mails.ts';

const LIST = '/account/identities';
const MINUTE = 60;
const LOW = 'http://eidas.europa.eu/LoA/low';

const mutuelle = clientFile('mutuelle');
const people = crowd({ plain: {} });
let subjects = 0;

let upstream: EvilUpstream;
/** What the providers’ files have in common. */
let eid: Readonly<Record<string, unknown>>;
let mail: MailSink;
let vestibule: Vestibule;
let portal: Portal;
let visitor: Visitor;

beforeAll(async () => {
  upstream = await EvilUpstream.start('vestibule', () => vestibule.now());
  mail = await startMailSink();
  eid = {
    preset: 'generic',
    name: { en: 'Test eID', fr: 'eID d’essai' },
    issuer: upstream.issuer,
    client_id: 'vestibule',
    client_secret: 'a-secret-of-the-test-eid-of-some-length',
    token_endpoint_auth_method: 'client_secret_post',
    levels: [{ upstream: 'substantial', acr: LOW }],
  };
  vestibule = await startVestibule({
    clients: [mutuelle],
    people: reachable(people.everybody),
    settings: { mail: { ...mail.settings, from: 'no-reply@eid.test' } },
    files: {
      'providers/eid.yaml': eid,
      'providers/second.yaml': { ...eid, name: 'Second eID' },
      'providers/silent.yaml': { ...eid, name: 'Silent eID', issuer: `http://localhost:${await freePort()}` },
      'providers/off.yaml': { ...eid, name: 'Switched off', enabled: false },
    },
  });
  portal = await Portal.discover(vestibule, mutuelle);
});
afterAll(async () => {
  await vestibule?.stop();
  await mail?.close();
  await upstream?.stop();
});
beforeEach(() => {
  upstream.reset();
  visitor = new Visitor(vestibule);
});

/** Another citizen: the upstream tells of them from now on. */
function citizen(): string {
  const sub = `citizen-${++subjects}`;
  upstream.script = { idToken: { claims: { sub } }, userinfo: { claims: { sub } } };
  return sub;
}

/** Opens a page of the account area in a new browser. */
async function signInTo(path: string): Promise<Person> {
  const person = people.next('plain');
  await visitor.visit(path);
  await passPassword(visitor, person);
  return person;
}

/** Presses the button of the test's eID. @returns where its answer goes */
async function leave(by = visitor, provider = 'eid'): Promise<string> {
  await by.choose(`external:${provider}`);
  return `/external/${provider}/callback?${upstream.approve(by.left.href)}`;
}

/** Presses the button and approves there. */
async function link(by = visitor, provider = 'eid'): Promise<void> {
  await by.visit(await leave(by, provider));
}

/** While the second eID is switched off. */
async function withoutSecond(work: () => Promise<void>): Promise<void> {
  const set = async (enabled: boolean) => {
    const count = () => vestibule.logs.filter(({ event }) => event === 'config.reloaded').length;
    const before = count();
    await vestibule.configure({ providers: { second: { ...eid, name: 'Second eID', enabled } } });
    vestibule.signal('SIGHUP');
    await until(
      () => count() > before,
      () => 'the files were not loaded anew',
    );
  };
  await set(false);
  try {
    await work();
  } finally {
    await set(true);
  }
}

const linked = (by = visitor): readonly URL[] =>
  by.page.links.map(({ url }) => url).filter(({ pathname }) => pathname.endsWith('/unlink'));
/** Of the only one. */
const unlinkPath = (): string => linked()[0]?.pathname ?? 'nothing is linked';
const query = (): string => visitor.page.url.pathname + visitor.page.url.search;
const expectFailure = (status: number): void =>
  expect([visitor.page.status, visitor.page.heading]).toEqual([status, expect.stringContaining('did not work')]);
const expectLinks = async (count: number, by = visitor): Promise<void> => {
  await by.visit(LIST);
  expect(linked(by)).toHaveLength(count);
};
const csrfOf = (by: Visitor): string =>
  by.page.forms.flatMap(({ fields }) => fields).find(({ name }) => name === '_csrf')?.value ?? '';

/** In a browser of its own, at a portal, with the eID alone. @returns what the portal is told, or the page shown */
async function signInByEid(path?: string): Promise<Visitor> {
  const other = new Visitor(vestibule);
  await other.visit(path ?? (await portal.authorizationUrl()));
  await link(other);
  return other;
}

/** Somebody who has nothing but a linked identity. */
async function becomeEidAlone(): Promise<void> {
  citizen();
  const person = await signInTo(LIST);
  await link();
  await removePassword(vestibule, person);
}

describe('link', () => {
  test('from the list, and from then on the eID signs in; its owner is told', async () => {
    const person = await signInTo(LIST);
    expect([visitor.page.step, linked()]).toEqual(['account-identities', []]);
    expect(visitor.page.text).toContain('Link Test eID');
    expect(visitor.page.text).not.toContain('Switched off');
    const sub = citizen();
    const answer = await leave();
    // A session that somebody left open there is not to be linked.
    expect(visitor.left.searchParams.get('prompt')).toBe('login');
    await visitor.visit(answer);
    expect([query(), linked()]).toEqual([`${LIST}?done=linked`, [expect.any(URL)]]);
    expect(visitor.page.text).toContain('The identity is linked.');

    expect((await portal.exchange((await signInByEid()).left)).claims()?.acr).toBe(LOW);
    const notice = await mail.next(addressOf(person), /was linked/);
    expect(notice.text).toContain('Test eID was linked to the account');
    const event = (await auditOf(vestibule, 'identity.linked')).at(-1);
    expect(event).toBeDefined();
    expect(JSON.stringify([event, vestibule.logs])).not.toContain(sub);
  });

  test('speaks the page’s language', async () => {
    await signInTo(LIST);
    await visitor.visit(`${LIST}?lang=fr`);
    expect(visitor.page.text).toContain('eID d’essai');
    citizen();
    const answer = await leave();
    expect(visitor.left.searchParams.get('ui_locales')).toBe('fr');
    await visitor.visit(answer);
    expect([visitor.page.lang, visitor.page.text]).toEqual(['fr', expect.stringContaining('eID d’essai')]);
  });

  test('the same one again changes nothing; another one stands beside it', async () => {
    citizen();
    await signInTo(LIST);
    await link();
    await link();
    expect([query(), linked().length]).toEqual([`${LIST}?done=linked`, 1]);
    citizen();
    await link();
    expect(linked()).toHaveLength(2);
  });

  test('is refused where it is somebody else’s already; the page can be loaded again', async () => {
    citizen();
    await signInTo(LIST);
    await link();
    const first = visitor;
    visitor = new Visitor(vestibule);
    await signInTo(LIST);
    await link();
    expect(visitor.page.error).toMatch(sentenceOf('external_taken'));
    expect([visitor.page.step, linked()]).toEqual(['account-identities', []]);
    await visitor.visit(`${query()}&lang=fr`);
    expect([visitor.page.status, visitor.page.error]).toEqual([200, expect.stringContaining('déjà liée')]);
    await expectLinks(1, first);
  });

  test('is refused where there are as many as an account can have, and works again with one less', async () => {
    await signInTo(LIST);
    for (let count = 0; count < 20; count += 1) {
      citizen();
      await link();
    }
    expect(linked()).toHaveLength(20);
    citizen();
    await link();
    expect(visitor.page.error).toMatch(sentenceOf('external_too_many'));
    expect(linked()).toHaveLength(20);
    const refused = (await auditOf(vestibule, 'identity.refused')).at(-1);
    expect(JSON.stringify(refused?.details)).toContain('too_many');
    await visitor.visit(unlinkPath());
    await visitor.submit();
    await link();
    expect([query(), linked().length]).toEqual([`${LIST}?done=linked`, 20]);
  });

  test('cancelled there changes nothing, and can be tried again', async () => {
    await signInTo(LIST);
    upstream.script = { answer: { code: null, error: 'access_denied' } };
    await link();
    expect(visitor.page.error).toMatch(sentenceOf('external_not_linked'));
    citizen();
    await link();
    expect(linked()).toHaveLength(1);
  });

  test.each([
    ['a token endpoint that fails', { fails: 'token' }],
    ['an ID token of another issuer', { idToken: { claims: { iss: 'https://other.example' } } }],
    ['another error', { answer: { code: null, error: 'server_error' } }],
  ] as const)('%s is a page with a reference, and can be tried again', async (_what, script) => {
    await signInTo(LIST);
    upstream.script = script;
    await link();
    expectFailure(502);
    await expectLinks(0);
    citizen();
    await link();
    expect(linked()).toHaveLength(1);
  });

  test('a provider that can’t be reached is a page with a reference', async () => {
    await signInTo(LIST);
    await visitor.choose('external:silent');
    expectFailure(502);
    expect(await vestibule.logged('identity.refused', ({ provider }) => provider === 'silent')).toMatchObject({
      reason: 'unreachable',
    });
  });

  test('a provider that is switched off is not begun, nor one that never was', async () => {
    await signInTo(LIST);
    for (const alternative of ['external:off', 'external:made-up', '']) {
      await visitor.post(LIST, { _csrf: csrfOf(visitor), alternative });
      expect([visitor.page.status, visitor.page.error]).toEqual([400, expect.stringContaining('not possible here')]);
    }
  });
});

describe('the answer', () => {
  test('is worth nothing in another browser, and is still there for its own', async () => {
    citizen();
    await signInTo(LIST);
    const answer = await leave();
    const owner = visitor;
    visitor = new Visitor(vestibule);
    await visitor.visit(answer);
    expect(visitor.page.step).toBe('identify');
    await signInTo(LIST);
    await visitor.visit(answer);
    expectFailure(400);
    await expectLinks(0);
    await owner.visit(answer);
    expect(linked(owner)).toHaveLength(1);
  });

  test('to a sign-in links nothing, and that to a link signs nobody in', async () => {
    citizen();
    await signInTo(LIST);
    const toLink = new URL(await leave(), vestibule.issuer).searchParams;
    const other = new Visitor(vestibule);
    await other.visit(await portal.authorizationUrl());
    const { pathname } = other.page.url;
    const signIn = await leave(other);
    await other.request('GET', new URL(signIn, vestibule.issuer), undefined);
    const state = new URL(signIn, vestibule.issuer).searchParams.get('state') ?? '';
    await visitor.visit(`${LIST}/return/eid?${new URLSearchParams({ state })}`);
    expectFailure(400);
    await visitor.request('GET', new URL(`/external/eid/callback?${toLink}`, vestibule.issuer), undefined);
    const uid = pathname.split('/')[2];
    await other.visit(`/interaction/${uid}/external/eid?state=${toLink.get('state')}`);
    expect(other.page.status).toBe(400);
    await expectLinks(0);
  });

  test('counts once, and not without a transaction or of a provider nobody knows', async () => {
    citizen();
    await signInTo(LIST);
    const answer = await leave();
    const state = new URL(answer, vestibule.issuer).searchParams.get('state') ?? '';
    await visitor.visit(answer);
    for (const path of [`eid?state=${state}`, 'eid', `eid?state=${state}&state=${state}`, `made-up?state=${state}`]) {
      await visitor.visit(`${LIST}/return/${path}`);
      expectFailure(400);
    }
    await expectLinks(1);
  });

  test('may take ten minutes from the button, however old the proof is by then, and no longer', async () => {
    citizen();
    await signInTo(LIST);
    await vestibule.advanceClock(4 * MINUTE);
    const slow = await leave();
    await vestibule.advanceClock(9 * MINUTE);
    await visitor.visit(slow);
    expect(linked()).toHaveLength(1);

    visitor = new Visitor(vestibule);
    citizen();
    await signInTo(LIST);
    const tooSlow = await leave();
    await vestibule.advanceClock(11 * MINUTE);
    await visitor.visit(tooSlow);
    expect([visitor.page.status, visitor.page.heading]).toEqual([400, 'That took too long']);
    await expectLinks(0);
  });

  test('is worth nothing once the session is over', async () => {
    citizen();
    const person = await signInTo(LIST);
    const answer = await leave();
    visitor.cookies.clear();
    await visitor.visit(answer);
    await passPassword(visitor, person);
    expect([visitor.page.step, linked()]).toEqual(['account-identities', []]);
    await visitor.visit(answer);
    expectFailure(400);
  });
});

test('an old proof is not enough to leave for the provider, nor to unlink', async () => {
  citizen();
  const person = await signInTo(LIST);
  await link();
  await vestibule.advanceClock(6 * MINUTE);
  await visitor.choose('external:eid');
  expect(visitor.page.step).toBe('password');
  await visitor.submit({ password: person.password });
  expect([visitor.page.url.pathname, linked()]).toEqual([LIST, [expect.any(URL)]]);
  await vestibule.advanceClock(6 * MINUTE);
  await visitor.choose('unlink');
  expect(visitor.page.step).toBe('password');
  await visitor.submit({ password: person.password });
  expect(visitor.page.step).toBe('account-identity-unlink');
});

describe('unlink', () => {
  test('after a question, and then it signs nobody in; its owner is told', async () => {
    citizen();
    const person = await signInTo(LIST);
    await link();
    await visitor.choose('unlink');
    expect([visitor.page.step, visitor.page.heading]).toEqual(['account-identity-unlink', 'Unlink Test eID?']);
    expect(visitor.page.text).toContain('your last linked identity');
    await visitor.submit();
    expect([query(), linked()]).toEqual([`${LIST}?done=unlinked`, []]);
    expect(visitor.page.text).toContain('The identity is unlinked.');
    expect((await signInByEid()).page.step).toBe('external');
    const notice = await mail.next(addressOf(person), /was unlinked/);
    expect(notice.text).toContain('Test eID was unlinked');
    expect(JSON.stringify((await auditOf(vestibule, 'identity.unlinked')).at(-1))).toContain('eid');
  });

  test('never the last way in; one of two goes', async () => {
    await becomeEidAlone();
    await visitor.visit(LIST);
    const pathname = unlinkPath();
    await visitor.visit(pathname);
    expect([visitor.page.step, visitor.page.heading]).toEqual(['account-refused', 'This is your only way to sign in']);
    await visitor.visit(LIST);
    await visitor.post(pathname, { _csrf: csrfOf(visitor) });
    expect([visitor.page.status, visitor.page.step]).toEqual([409, 'account-refused']);
    await expectLinks(1);

    citizen();
    await link();
    await visitor.visit(pathname);
    expect(visitor.page.text).not.toContain('your last linked identity');
    await visitor.submit();
    expect(linked()).toHaveLength(1);
  });

  test('an identity of a provider that is switched off is no way in: the last that works stays', async () => {
    await becomeEidAlone();
    await vestibule.advanceClock(1);
    citizen();
    await link(visitor, 'second');
    const [working, off] = linked().map(({ pathname }) => pathname) as [string, string];
    await withoutSecond(async () => {
      await visitor.visit(working);
      expect([visitor.page.step, visitor.page.heading]).toEqual([
        'account-refused',
        'This is your only way to sign in',
      ]);
      await visitor.visit(LIST);
      await visitor.post(working, { _csrf: csrfOf(visitor) });
      expect([visitor.page.status, visitor.page.step]).toEqual([409, 'account-refused']);
      await visitor.visit(off);
      await visitor.submit();
      expect(linked().map(({ pathname }) => pathname)).toEqual([working]);
    });
  });

  test('nor does a passkey go while nothing but such an identity is left', async () => {
    const person = await signInTo(LIST);
    citizen();
    await link(visitor, 'second');
    const device = new SoftwareAuthenticator({ origin: vestibule.issuer });
    const passkeys = new PasskeyBrowser(visitor, vestibule.issuer, device);
    await visitor.visit('/account/passkeys/add');
    await passkeys.create();
    await removePassword(vestibule, person);
    await visitor.visit(`/account/passkeys/${device.credentials[0]?.id}/delete`);
    await passkeys.use();
    const { pathname } = visitor.page.url;
    const _csrf = csrfOf(visitor);
    await withoutSecond(async () => {
      await visitor.post(pathname, { _csrf });
      expect([visitor.page.status, visitor.page.step]).toEqual([409, 'account-refused']);
    });
    await visitor.post(pathname, { _csrf });
    expect(visitor.page.url.search).toBe('?done=deleted');
  });

  test('another’s is as absent as one that never was', async () => {
    citizen();
    await signInTo(LIST);
    await link();
    const pathname = unlinkPath();
    const first = visitor;
    visitor = new Visitor(vestibule);
    await signInTo(LIST);
    const _csrf = csrfOf(visitor);
    for (const path of [pathname, `${LIST}/made-up/unlink`]) {
      await visitor.visit(path);
      expect([visitor.page.status, visitor.page.heading]).toEqual([404, 'This identity is no longer linked']);
      await visitor.post(path, { _csrf });
      expect(visitor.page.status).toBe(404);
    }
    await expectLinks(1, first);
  });
});

test('whoever has nothing but an eID comes in with it, and proves with it again who they are', async () => {
  await becomeEidAlone();
  visitor = await signInByEid(LIST);
  const pathname = unlinkPath();
  await vestibule.advanceClock(6 * MINUTE);
  await visitor.visit(pathname);
  expect(visitor.page.url.pathname).toMatch(/^\/interaction\//);
  const answer = await leave();
  expect(visitor.left.searchParams.get('prompt')).toBe('login');
  await visitor.visit(answer);
  expect([visitor.page.url.pathname, visitor.page.step]).toEqual([pathname, 'account-refused']);
});

test('who is not signed in gets nowhere, and a form from elsewhere changes nothing', async () => {
  for (const path of [LIST, `${LIST}/some-id/unlink`, `${LIST}/return/eid?state=made-up`]) {
    await visitor.visit(path);
    expect(visitor.page.step).toBe('identify');
  }
  citizen();
  await signInTo(LIST);
  await link();
  const pathname = unlinkPath();
  for (const path of [LIST, pathname]) {
    await visitor.post(path, { _csrf: 'made-up', ...(path === LIST ? { alternative: 'external:eid' } : {}) });
    expect(visitor.page.status).toBe(400);
  }
  await visitor.visit(LIST);
  await visitor.post(LIST, { _csrf: csrfOf(visitor), alternative: 'external:eid', acr: 'high' });
  expect(visitor.page.status).toBe(400);
  await expectLinks(1);
});
