import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { linkIn, type MailSink, startMailSink } from '../support/mail-sink.ts';
import type { Page } from '../support/page.ts';
import { Portal } from '../support/portal.ts';
import { crowd } from '../support/second-factor.ts';
import type { Person } from '../support/seed.ts';
import { startVestibule, type Vestibule } from '../support/vestibule.ts';
import { Visitor } from '../support/visitor.ts';
import { expectGuarded } from './support/answers.ts';
import { isSignedIn, mutuelle, signIn } from './support/people.ts';
import {
  BETTER,
  CHOOSE,
  choose,
  LINK_COOKIE,
  linkFor,
  mailOf,
  NEW,
  NOT_ME,
  notMeLinkFor,
  open,
  type Post,
  RESUME_COOKIE,
  sendNew,
  tokenIn,
  UNLIMITED,
  withMailbox,
} from './support/recovery.ts';
import { accountOf, changeAccount } from './support/storage.ts';

const { everybody, next } = crowd({ person: {} }, 30);
const someone = (): Person => withMailbox(next('person'));

let vestibule: Vestibule;
let sink: MailSink;
let post: Post;
let portal: Portal;

beforeAll(async () => {
  sink = await startMailSink();
  vestibule = await startVestibule({
    clients: [mutuelle],
    people: everybody.map(withMailbox),
    settings: { mail: sink.settings, limits: UNLIMITED },
  });
  post = { vestibule, sink };
  portal = await Portal.discover(vestibule, mutuelle);
});
afterAll(async () => {
  await vestibule?.stop();
  await sink?.close();
});

/** Somebody at a portal's sign-in. @returns with the number of that sign-in */
async function atSignIn(): Promise<{ visitor: Visitor; uid: string }> {
  const visitor = new Visitor(vestibule);
  await visitor.visit(await portal.authorizationUrl());
  return { visitor, uid: visitor.page.url.pathname.split('/')[2] ?? '' };
}
const resumeIn = ({ cookies }: Visitor) => cookies.all.find(({ name }) => name === RESUME_COOKIE);
const goesOn = async (visitor: Visitor, uid: string): Promise<Page> => visitor.visit(`/interaction/${uid}/resume`);
const gotCode = ({ page }: Visitor): boolean => page.location?.searchParams.has('code') === true;

describe('19 reset without proof, and the sign-in it leads back to', () => {
  test('in the browser of the sign-in: signed in, back at its portal', async () => {
    const person = someone();
    const { visitor, uid } = await atSignIn();
    const link = await linkFor(post, person, `?interaction=${uid}`);
    await open(vestibule, link, visitor);
    await choose(visitor);
    expect(gotCode(visitor)).toBe(true);
    expect((await portal.exchange(visitor.left)).claims()?.sub).toBeTruthy();
    expect(visitor.cookies.all.map(({ name }) => name)).not.toContain(LINK_COOKIE);
  });

  test('in another: the password counts, and nobody is signed in, there or here', async () => {
    const person = someone();
    const { visitor: attacker, uid } = await atSignIn();
    const owner = await open(vestibule, await linkFor(post, person, `?interaction=${uid}`));
    expect((await choose(owner)).step).toBe('recovery-done');
    expect(await isSignedIn(owner, portal)).toBe(false);
    // Whoever began that sign-in is where they were.
    await attacker.visit(`/interaction/${uid}`);
    expect(attacker.page.step).toBe('identify');
    await goesOn(attacker, uid);
    expect([gotCode(attacker), attacker.page.step]).toEqual([false, 'identify']);
    expect(await isSignedIn(attacker, portal)).toBe(false);
  });

  test('the proof to go on with is for one sign-in, once, for five minutes', async () => {
    const person = someone();
    const { visitor: mine, uid } = await atSignIn();
    const link = await linkFor(post, person, `?interaction=${uid}`);
    const elsewhere = await open(vestibule, link);
    expect((await sendNew(elsewhere)).location?.pathname).toBe(`/interaction/${uid}/resume`);
    const proof = resumeIn(elsewhere);
    expect(proof).toMatchObject({ httpOnly: true, sameSite: 'lax', path: '/', expiresAt: undefined });

    // Another sign-in of the same server, even with the proof in its hands.
    const other = await atSignIn();
    const plant = ({ cookies }: Visitor) =>
      cookies.store(new URL(vestibule.issuer), [`${RESUME_COOKIE}=${proof?.value}; Path=/`]);
    plant(other.visitor);
    await goesOn(other.visitor, other.uid);
    expect([gotCode(other.visitor), other.visitor.page.step]).toEqual([false, 'identify']);
    // It was used up by that.
    plant(mine);
    await goesOn(mine, uid);
    expect([gotCode(mine), mine.page.step]).toEqual([false, 'identify']);
  });

  test('without it, with a made-up one, or late, the sign-in stands where it stood', async () => {
    const person = someone();
    const { visitor, uid } = await atSignIn();
    for (const value of ['', 'x', 'A'.repeat(43), 'x'.repeat(5000)]) {
      visitor.cookies.store(new URL(vestibule.issuer), [`${RESUME_COOKIE}=${value}; Path=/`]);
      await goesOn(visitor, uid);
      expect([value, visitor.page.step]).toEqual([value, 'identify']);
    }
    await open(vestibule, await linkFor(post, person, `?interaction=${uid}`), visitor);
    await sendNew(visitor);
    await vestibule.advanceClock(301);
    await goesOn(visitor, uid);
    expect([gotCode(visitor), visitor.page.step]).toEqual([false, 'identify']);
  });

  test('a proof and what it stands for end with the account’s next signing out, or its suspension', async () => {
    for (const end of ['not me', 'suspended'] as const) {
      const person = someone();
      await signIn(new Visitor(vestibule), portal, person);
      const notMe = await notMeLinkFor(post, person);
      const { visitor, uid } = await atSignIn();
      await open(vestibule, await linkFor(post, person, `?interaction=${uid}`), visitor);
      await sendNew(visitor);
      if (end === 'suspended') await changeAccount(vestibule, person.username, { state: 'suspended' });
      else await (await open(vestibule, notMe)).submit();
      await goesOn(visitor, uid);
      expect([end, gotCode(visitor), visitor.page.step]).toEqual([end, false, 'identify']);
    }
  });

  test('somebody else’s sign-in is not taken over: who is signed in there and asked again stays', async () => {
    const [person, other] = [someone(), someone()];
    const visitor = new Visitor(vestibule);
    await signIn(visitor, portal, other);
    await visitor.visit(await portal.authorizationUrl({ prompt: 'login' }));
    const uid = visitor.page.url.pathname.split('/')[2] ?? '';
    expect(visitor.page.step).toBe('password');
    await open(vestibule, await linkFor(post, person, `?interaction=${uid}`), visitor);
    await choose(visitor);
    expect([gotCode(visitor), visitor.page.step]).toEqual([false, 'password']);
    expect(visitor.page.text).toContain(other.username);
  });

  test('a proof of one person does not lend what another proved in the same sign-in', async () => {
    const [person, other] = [someone(), someone()];
    const { visitor, uid } = await atSignIn();
    await visitor.submit({ username: other.username });
    await open(vestibule, await linkFor(post, person, `?interaction=${uid}`), visitor);
    await choose(visitor);
    const { sub } = (await portal.exchange(visitor.left)).claims() ?? {};
    expect(sub).toBe(await accountOf(vestibule, person));
  });

  test('an attacker’s link, asked for the victim’s sign-in, needs the victim to use it', async () => {
    const attacker = someone();
    const { visitor: victim, uid } = await atSignIn();
    const mine = await open(vestibule, await linkFor(post, attacker, `?interaction=${uid}`));
    await choose(mine);
    await victim.visit(`/interaction/${uid}`);
    expect([victim.page.step, gotCode(victim)]).toEqual(['identify', false]);
  });

  test.each(['../../evil', '//evil.example', 'x'.repeat(65), 'a b', '%0d%0aX: y', '<script>'])(
    'an address that names no sign-in (%s) leads nowhere else',
    async (uid) => {
      const visitor = new Visitor(vestibule);
      for (const path of ['/recovery', '/recovery/password', '/recovery/username', '/recovery/password/done']) {
        await visitor.visit(`${path}?interaction=${encodeURIComponent(uid)}`);
        expect(visitor.page.status).toBe(200);
        for (const { url } of visitor.page.links) expect(url.origin).toBe(vestibule.issuer);
        expect(visitor.page.body).not.toContain('<script>');
      }
    },
  );
});

describe('19 the token of a link', () => {
  test('leaves the address at once; no page with it is kept, framed or named to others', async () => {
    const person = someone();
    await signIn(new Visitor(vestibule), portal, person);
    const links = [
      [NOT_ME, await notMeLinkFor(post, person)],
      [NEW, await linkFor(post, person)],
    ] as const;
    for (const [path, link] of links) {
      const visitor = new Visitor(vestibule);
      const moved = await visitor.request('GET', link, undefined);
      expect([moved.status, moved.location?.href]).toEqual([303, `${vestibule.issuer}${path}`]);
      expect(moved.body).not.toContain(tokenIn(link));
      expect(visitor.cookies.all).toEqual([
        expect.objectContaining({
          name: LINK_COOKIE,
          httpOnly: true,
          sameSite: 'lax',
          path: '/',
          expiresAt: undefined,
        }),
      ]);
      const page = await visitor.visit(path);
      expect([page.status, page.body.includes(tokenIn(link))]).toEqual([200, false]);
      for (const { headers } of [moved, page]) {
        expect(headers['cache-control']).toContain('no-store');
        expect(headers['referrer-policy']).toMatch(/^(same-origin|no-referrer)$/);
        expectGuarded(headers);
      }
      // Not even the languages of the footer repeat it.
      for (const { url } of page.links) expect(url.href).not.toContain(tokenIn(link));
    }
  });

  test('another link in the same browser takes the place of the first', async () => {
    const [one, other] = [someone(), someone()];
    const visitor = await open(vestibule, await linkFor(post, one));
    const form = visitor.page;
    await open(vestibule, await linkFor(post, other), visitor);
    expect(visitor.page.text).toContain(other.username);
    // The form of the first, sent now, is not the second’s.
    const csrf = form.forms.flatMap(({ fields }) => fields).find(({ name }) => name === '_csrf')?.value ?? '';
    await visitor.post(NEW, { _csrf: csrf, new_password: BETTER, new_password_again: BETTER });
    expect(visitor.page.status).toBe(400);
    await signIn(new Visitor(vestibule), portal, one);
    await signIn(new Visitor(vestibule), portal, other);
  });

  test('the mail’s link is whole in both forms of the mail, and only the owner gets it', async () => {
    const person = someone();
    const link = await linkFor(post, person);
    const mail = sink.to(mailOf(person)).findLast(({ subject }) => CHOOSE.test(subject));
    expect(mail?.recipients).toEqual([mailOf(person)]);
    expect(mail?.html).toContain(`href="${link.href}"`);
    expect(linkIn(mail as NonNullable<typeof mail>, NEW).href).toBe(link.href);
    expect(mail?.subject).not.toContain(tokenIn(link));
  });
});
