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
} from '../support/external.ts';
import { Portal } from '../support/portal.ts';
import { crowd } from '../support/second-factor.ts';
import { startVestibule, type Vestibule } from '../support/vestibule.ts';
import { Visitor } from '../support/visitor.ts';
import { expectErrorPage } from './support/answers.ts';
import { begin, expectRefused, expectUsable, type Scene } from './support/external.ts';
import { mutuelle } from './support/people.ts';

const SUB = 'citizen-with-an-account';
const people = crowd({ plain: {} }, 60);

let evil: EvilUpstream;
let other: EvilUpstream;
let vestibule: Vestibule;
let scene: Scene;
let owner: string;

beforeAll(async () => {
  const now = () => vestibule?.now() ?? Date.now();
  [evil, other] = await Promise.all([EvilUpstream.start(CLIENT_ID, now), EvilUpstream.start(CLIENT_ID, now)]);
  vestibule = await startVestibule({
    clients: [mutuelle],
    providers: {
      evil: providerFile(evil),
      other: providerFile(other, { name: 'Other eID' }),
      posting: providerFile(evil, { name: 'Posting eID', response_mode: 'form_post' }),
    },
    people: people.everybody,
    settings: { limits: { address: { count: 10_000 } } },
  });
  scene = { vestibule, evil, portal: await Portal.discover(vestibule, mutuelle) };
  owner = (await claimsAt(scene, await link(scene, { sub: SUB }, people.next('plain'))))?.sub ?? 'nobody';
});
afterAll(async () => {
  await vestibule?.stop();
  await Promise.all([evil?.stop(), other?.stop()]);
});
beforeEach(() => {
  evil.reset();
  other.reset();
  appoint(evil, { sub: SUB });
  appoint(other, { sub: SUB });
});

const usable = (visitor: Visitor, first: URL) => expectUsable(scene, visitor, first, people.next('plain'));

/** Somebody at the upstream, with the answer they are about to bring back. */
async function underWay(provider = 'evil', at = evil) {
  const begun = await begin(scene);
  await leaveFor(begun.visitor, provider);
  return { ...begun, answer: at.approve(begun.visitor.left.href) };
}

/** Leaves the answer at the callback. @returns where the browser is sent then */
async function deliver(visitor: Visitor, answer: URLSearchParams): Promise<URL> {
  const url = new URL(`/external/evil/callback?${answer}`, vestibule.issuer);
  const { location } = await visitor.request('GET', url, undefined);
  if (!location) throw new Error('not taken');
  return location;
}

describe('42 upstream validation: an answer', () => {
  test.each([
    ['with a state that nobody drew', (answer: URLSearchParams) => answer.set('state', '0'.repeat(64)), /transaction/],
    ['with an empty state', (answer: URLSearchParams) => answer.set('state', ''), /state/],
    ['without a state', (answer: URLSearchParams) => answer.delete('state'), /state/],
    ['with two states', (answer: URLSearchParams) => answer.append('state', '0'.repeat(64)), /state/],
    [
      'with the same state twice',
      (answer: URLSearchParams) => answer.append('state', answer.get('state') ?? ''),
      /state/,
    ],
    ['with two codes', (answer: URLSearchParams) => answer.append('code', 'another'), /parameters/],
    ['with anything twice', (answer: URLSearchParams) => ['a', 'b'].map((x) => answer.append('x', x)), /parameters/],
    ['without a code', (answer: URLSearchParams) => answer.delete('code'), /parameters/],
    ['of another issuer (RFC 9207)', (answer: URLSearchParams) => answer.set('iss', 'https://other.example'), /issuer/],
    ['of two issuers', (answer: URLSearchParams) => ['a', 'b'].map((x) => answer.append('iss', x)), /parameters/],
    ['with an error', (answer: URLSearchParams) => answer.set('error', 'server_error'), /refused.*server_error/],
    ['with an error that is no word', (answer: URLSearchParams) => answer.set('error', '<b>x</b>\n'), /refused/],
    ['with an ID token', (answer: URLSearchParams) => answer.set('id_token', 'x.y.z'), /token_endpoint/],
  ] as const)('%s', async (_what, change, reason) => {
    const { visitor, first } = await begin(scene);
    await passBy(visitor, evil, { change: (answer) => void change(answer) });
    await expectRefused(scene, visitor.page, reason);
    await usable(visitor, first);
  });

  test('by form, longer than any, is refused', async () => {
    const { visitor, first } = await begin(scene);
    await leaveFor(visitor, 'posting');
    const answer = evil.approve(visitor.left.href);
    answer.set('x', 'y'.repeat(100_000));
    await bring(visitor, evil, answer, { provider: 'posting', byForm: true });
    await expectErrorPage(vestibule, visitor.page, visitor.page.status);
    expect([400, 413]).toContain(visitor.page.status);
    await usable(visitor, first);
  });

  test('of a provider that there is not', async () => {
    const { visitor, first, answer } = await underWay();
    await bring(visitor, evil, answer, { provider: 'nobody' });
    await expectRefused(scene, visitor.page, /transaction/);
    await usable(visitor, first);
  });

  test('after more than ten minutes is too late', async () => {
    const { visitor, first, answer } = await underWay();
    await vestibule.advanceClock(601);
    await bring(visitor, evil, answer);
    await expectRefused(scene, visitor.page, /expired/, 'external_expired');
    await usable(visitor, first);
  });

  test('left in time, taken too late', async () => {
    const { visitor, first, answer } = await underWay();
    const resume = await deliver(visitor, answer);
    await vestibule.advanceClock(601);
    await visitor.visit(resume);
    await expectRefused(scene, visitor.page, /expired/, 'external_expired');
    await usable(visitor, first);
    expect(evil.count('/token')).toBe(0);
  });

  test('taken before it was given', async () => {
    const { visitor, first, answer } = await underWay();
    await visitor.visit(`${first.pathname.replace(/\/identify$/, '')}/external/evil?state=${answer.get('state')}`);
    await expectRefused(scene, visitor.page, /transaction/);
    // It may still come.
    await bring(visitor, evil, answer);
    expect((await claimsAt(scene, visitor))?.sub).toBe(owner);
    expect(first).toBeDefined();
  });
});

describe('42 replay', () => {
  test('the same answer again, after it signed somebody in, signs in nobody', async () => {
    const { visitor, answer } = await underWay();
    await bring(visitor, evil, answer);
    await claimsAt(scene, visitor);
    for (const browser of [visitor, new Visitor(vestibule)]) {
      await bring(browser, evil, answer);
      await expectRefused(scene, browser.page, /transaction/);
    }
    expect(evil.count('/token')).toBe(1);
  });

  test('the same answer again, after it was refused', async () => {
    const { visitor, first, answer } = await underWay();
    appoint(evil, { sub: SUB }, { claims: { nonce: 'another' } });
    await bring(visitor, evil, answer);
    await expectRefused(scene, visitor.page, /nonce/);
    appoint(evil, { sub: SUB }, {});
    await bring(visitor, evil, answer);
    await expectRefused(scene, visitor.page, /transaction/);
    await usable(visitor, first);
  });

  test('taken many times at once, it is redeemed once', async () => {
    const { visitor, answer } = await underWay();
    const resume = await deliver(visitor, answer);
    const pages = await Promise.all(Array.from({ length: 8 }, () => visitor.request('GET', resume, undefined)));
    expect(evil.count('/token')).toBe(1);
    expect(pages.filter(({ status }) => status >= 500 && status !== 502)).toEqual([]);
    const ways = new Set(pages.flatMap(({ location }) => location?.pathname ?? []));
    expect(ways.size).toBe(1);
  });

  test('brought many times at once, by the same browser', async () => {
    const { visitor, answer } = await underWay();
    const url = new URL(`/external/evil/callback?${answer}`, vestibule.issuer);
    const pages = await Promise.all(Array.from({ length: 8 }, () => visitor.request('GET', url, undefined)));
    expect(new Set(pages.map(({ location }) => location?.href)).size).toBe(1);
    await visitor.visit(pages[0]?.location ?? url);
    expect((await claimsAt(scene, visitor))?.sub).toBe(owner);
  });

  test('another answer to the same request does not take the place of the first', async () => {
    const { visitor, answer } = await underWay();
    const resume = await deliver(visitor, answer);
    const planted = new URLSearchParams(answer);
    planted.set('code', 'planted');
    const attacker = new Visitor(vestibule);
    await bring(attacker, evil, planted);
    await expectRefused(scene, attacker.page, /transaction/);
    await visitor.visit(resume);
    expect((await claimsAt(scene, visitor))?.sub).toBe(owner);
  });

  test('a code that was redeemed, in a request of its own', async () => {
    const first = await underWay();
    await bring(first.visitor, evil, first.answer);
    await claimsAt(scene, first.visitor);
    const second = await underWay();
    second.answer.set('code', first.answer.get('code') ?? '');
    await bring(second.visitor, evil, second.answer);
    await expectRefused(scene, second.visitor.page, /token_endpoint.*invalid_grant/);
    await usable(second.visitor, second.first);
  });

  test('a stolen code, in a request of the thief’s', async () => {
    const victim = await underWay();
    const thief = await underWay();
    thief.answer.set('code', victim.answer.get('code') ?? '');
    await bring(thief.visitor, evil, thief.answer);
    await expectRefused(scene, thief.visitor.page, /token_endpoint.*invalid_grant/);
    await usable(thief.visitor, thief.first);
  });
});

describe('42 another browser', () => {
  test('gets nothing for the answer, and takes nothing away', async () => {
    const { visitor, answer } = await underWay();
    const stranger = new Visitor(vestibule);
    await bring(stranger, evil, answer);
    await expectErrorPage(vestibule, stranger.page, 400);
    expect(evil.count('/token')).toBe(0);
    await bring(visitor, evil, answer);
    expect((await claimsAt(scene, visitor))?.sub).toBe(owner);
  });

  test('with a sign-in of its own gets nothing for it there, either', async () => {
    const { visitor, answer } = await underWay();
    const thief = await begin(scene);
    await deliver(thief.visitor, answer);
    const own = thief.first.pathname.replace(/\/identify$/, '');
    await thief.visitor.visit(`${own}/external/evil?state=${answer.get('state')}`);
    await expectRefused(scene, thief.visitor.page, /transaction/);
    expect(evil.count('/token')).toBe(0);
    await usable(thief.visitor, thief.first);
    await bring(visitor, evil, answer);
    expect((await claimsAt(scene, visitor))?.sub).toBe(owner);
  });

  test('is not signed in by somebody else’s answer that it was made to bring', async () => {
    const attacker = await underWay();
    const victim = await arrive(scene);
    await bring(victim, evil, attacker.answer);
    await expectErrorPage(vestibule, victim.page, 400);
    await victim.visit(await scene.portal.authorizationUrl({ prompt: 'none' }));
    expect(victim.left.searchParams.get('error')).toBe('login_required');
  });

  test('an answer to a sign-in links nothing in the account area', async () => {
    const { visitor, first } = await begin(scene);
    await usable(visitor, first);
    await arrive(scene, { prompt: 'login' }, visitor);
    await leaveFor(visitor);
    const answer = evil.approve(visitor.left.href);
    await deliver(visitor, answer);
    await visitor.visit(`/account/identities/return/evil?state=${answer.get('state')}`);
    await expectRefused(scene, visitor.page, /transaction/);
    expect(evil.count('/token')).toBe(0);
  });
});

describe('42 mix-up', () => {
  test('an answer at the callback of another provider is refused there', async () => {
    const { visitor, first, answer } = await underWay();
    await bring(visitor, evil, answer, { provider: 'other' });
    await expectRefused(scene, visitor.page, /transaction/);
    expect([evil.count('/token'), other.count('/token')]).toEqual([0, 0]);
    await usable(visitor, first);
  });

  test('the code of an honest provider that names itself is not handed to the attacker’s', async () => {
    const { visitor, first, answer } = await underWay('other', other);
    const honest = evil.approve(visitor.left.href);
    honest.set('iss', evil.issuer);
    honest.set('state', answer.get('state') ?? '');
    await bring(visitor, evil, honest, { provider: 'other' });
    await expectRefused(scene, visitor.page, /issuer/);
    expect(other.count('/token')).toBe(0);
    await usable(visitor, first);
  });

  test('a token of one provider is none of the other, and the same sub there is somebody else', async () => {
    const { visitor, first } = await begin(scene);
    await leaveFor(visitor, 'other');
    appoint(other, { sub: SUB }, { claims: { iss: evil.issuer }, key: evil.signing.get('RS256')?.key as never });
    await comeBack(visitor, other, { provider: 'other' });
    await expectRefused(scene, visitor.page, /id_token/);
    await visitor.visit(first);
    appoint(other, { sub: SUB });
    await passBy(visitor, other, { provider: 'other' });
    expect(visitor.page.step).toBe('external');
  });
});
