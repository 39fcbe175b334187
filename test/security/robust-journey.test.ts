import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { Page } from '../support/page.ts';
import { Portal } from '../support/portal.ts';
import { startVestibule, type Vestibule } from '../support/vestibule.ts';
import { Visitor } from '../support/visitor.ts';
import { expectErrorPage } from './support/answers.ts';
import { alice, bruno, isSignedIn, mutuelle, stranger } from './support/people.ts';

let vestibule: Vestibule;
let portal: Portal;
let visitor: Visitor;

beforeAll(async () => {
  vestibule = await startVestibule({
    clients: [mutuelle, stranger],
    people: [alice, bruno],
    settings: { limits: { lockout: { tries: 1000 } } },
  });
  portal = await Portal.discover(vestibule, mutuelle);
});
afterAll(() => vestibule?.stop());
beforeEach(async () => {
  visitor = new Visitor(vestibule);
  await visitor.visit(await portal.authorizationUrl());
});

const interaction = (of = visitor): string => of.page.url.pathname.split('/').slice(0, 3).join('/');

/** The form of the present page, to be sent later, again, or twice. */
function formOf(of: Visitor, fields: Readonly<Record<string, string>>): { readonly url: URL; readonly body: string } {
  const form = of.page.forms.find(({ names }) => Object.keys(fields).every((name) => names.includes(name)));
  if (!form) throw new Error(`no such form: ${of.page.describe()}`);
  const values = form.fields.map(({ name, value }): [string, string] => [name, fields[name] ?? value]);
  return { url: form.action, body: new URLSearchParams(values).toString() };
}

const sendAgain = (form: { readonly url: URL; readonly body: string }, by = visitor): Promise<Page> =>
  by.request('POST', form.url, form.body, { origin: vestibule.issuer });

/** The reader is told what happened and can get back to where they came from. */
async function expectWayBack(page: Page, status = 400): Promise<void> {
  await expectErrorPage(vestibule, page, status);
  expect(page.links.map(({ url }) => url.href)).toContain(mutuelle.client_uri);
}

describe('1 the journey stands on the server, whatever the browser does', () => {
  test('a page asked for out of turn shows the one that is due', async () => {
    for (const step of ['password', 'consent', 'totp', '..%2f..%2fme', '%00', 'x'.repeat(5000)]) {
      await visitor.visit(`${interaction()}/${step}`);
      expect([visitor.page.status, visitor.page.step]).toEqual([200, 'identify']);
    }
    await visitor.submit({ username: 'alice' });
    await visitor.visit(`${interaction()}/identify`);
    expect(visitor.page.step).toBe('password');
  });

  test('a stale tab cannot put another person in front of the password', async () => {
    const stale = formOf(visitor, { username: 'bruno' });
    await visitor.submit({ username: 'alice' });
    const answer = await sendAgain(stale);
    expect([answer.status, answer.location?.pathname]).toEqual([303, `${interaction()}/password`]);
    await visitor.visit(interaction());
    expect(visitor.page.text).toContain('alice');
    await visitor.submit({ password: bruno.password });
    expect([visitor.page.step, visitor.page.status]).toEqual(['password', 400]);
    await visitor.submit({ password: alice.password });
    expect((await portal.exchange(visitor.left)).claims()?.sub).toBeTruthy();
  });

  test('two names sent at the same moment: one of them is asked for the password', async () => {
    const forms = ['alice', 'bruno'].map((username) => formOf(visitor, { username }));
    const answers = await Promise.all(forms.map((form) => sendAgain(form)));
    expect(answers.map(({ status }) => status)).toEqual([303, 303]);
    await visitor.visit(interaction());
    const person = visitor.page.text.includes('alice') ? alice : bruno;
    const another = person === alice ? bruno : alice;
    await visitor.submit({ password: another.password });
    expect(visitor.page.status).toBe(400);
    await visitor.submit({ password: person.password });
    const tokens = await portal.exchange(visitor.left);
    const claims = await portal.userinfo(tokens.access_token);
    expect(claims.sub).toBe(tokens.claims()?.sub);
  });

  test('back button: the page before shows the step that is due; after the end, the way back', async () => {
    const first = visitor.page.url;
    await visitor.submit({ username: 'alice' });
    const second = visitor.page.url;
    await visitor.visit(first);
    expect(visitor.page.step).toBe('password');
    await visitor.submit({ password: alice.password });
    expect(visitor.left.searchParams.has('code')).toBe(true);
    for (const page of [first, second]) await expectWayBack(await visitor.visit(page));
  });

  test('double click: both answers lead on, and the person arrives once', async () => {
    await visitor.submit({ username: 'alice' });
    const form = formOf(visitor, { password: alice.password });
    const answers = await Promise.all([sendAgain(form), sendAgain(form)]);
    expect(answers.map(({ status }) => status)).toEqual([303, 303]);
    expect(answers[0]?.location?.href).toBe(answers[1]?.location?.href);
    await visitor.visit(answers[1]?.location ?? '');
    await portal.exchange(visitor.left);
    await expectErrorPage(vestibule, await visitor.visit(answers[0]?.location ?? ''), 400);
  });

  test('two tabs sign in side by side, in either order', async () => {
    const page = visitor.page;
    await visitor.visit(await portal.authorizationUrl());
    expect(visitor.page.url.href).not.toBe(page.url.href);
    await visitor.submit({ username: 'alice' });
    await visitor.submit({ password: alice.password });
    await portal.exchange(visitor.left);
    await visitor.visit(page.url);
    await visitor.submit({ username: 'alice' });
    await visitor.submit({ password: alice.password });
    await portal.exchange(visitor.left);
    expect(await isSignedIn(visitor, portal)).toBe(true);
  });

  test('a finished journey’s form sent again ends in a page, and signs nobody in', async () => {
    await visitor.submit({ username: 'alice' });
    const form = formOf(visitor, { password: alice.password });
    await visitor.submit({ password: alice.password });
    await portal.exchange(visitor.left);
    await expectWayBack(await sendAgain(form));
    const without = new Visitor(vestibule);
    await expectWayBack(await sendAgain(form, without));
    expect(await isSignedIn(without, portal)).toBe(false);
  });

  test('a lost cookie: the page says so and leads back', async () => {
    await visitor.submit({ username: 'alice' });
    const form = formOf(visitor, { password: alice.password });
    visitor.cookies.clear();
    await expectWayBack(await sendAgain(form));
    await expectWayBack(await visitor.visit(form.url));
  });

  test.each(['identify', 'password'])(
    'an interaction that expired at %s: the page says so and leads back, a day later too',
    async (step) => {
      if (step === 'password') await visitor.submit({ username: 'alice' });
      const form = formOf(visitor, step === 'password' ? { password: alice.password } : { username: 'alice' });
      const cookie = visitor.cookies.header(form.url);
      await vestibule.advanceClock(3700);
      for (const elapsed of [0, 20 * 3600]) {
        await vestibule.advanceClock(elapsed);
        const answer = await visitor.request('POST', form.url, form.body, { origin: vestibule.issuer, cookie });
        await expectWayBack(answer);
      }
    },
  );

  test('a server that was killed in the middle: the journey goes on where it stood', async () => {
    await visitor.submit({ username: 'alice' });
    await vestibule.kill();
    await vestibule.restart();
    await visitor.submit({ password: alice.password });
    await portal.exchange(visitor.left);
  });

  test('another language in the middle changes the language and nothing else', async () => {
    await visitor.submit({ username: 'alice' });
    const address = visitor.page.url.pathname;
    for (const lang of ['fr', 'de', 'xx', '%00', 'fr&lang=nl', '']) {
      await visitor.visit(`${address}?lang=${lang}`);
      expect([visitor.page.status, visitor.page.step, visitor.page.url.pathname]).toEqual([200, 'password', address]);
    }
    expect(visitor.page.lang).toBe('de');
    await visitor.submit({ password: 'not-her-password' });
    expect([visitor.page.status, visitor.page.lang]).toEqual([400, 'de']);
    // The page with the complaint was the answer to a form; its language links still lead to a page.
    const italian = visitor.page.links.find(({ url }) => url.search === '?lang=it');
    await visitor.visit(italian?.url ?? '');
    expect([visitor.page.status, visitor.page.step, visitor.page.lang]).toEqual([200, 'password', 'it']);
    await visitor.submit({ password: alice.password });
    await portal.exchange(visitor.left);
    await visitor.visit(await portal.authorizationUrl({ prompt: 'login' }));
    expect(visitor.page.lang).toBe('it');
  });

  test('cancel goes back to the portal with an error, and stays cancelled', async () => {
    await visitor.submit({ username: 'alice' });
    const form = formOf(visitor, { password: alice.password });
    await visitor.choose('cancel');
    expect(visitor.left.searchParams.get('error')).toBe('access_denied');
    await expectWayBack(await sendAgain(form));
    expect(await isSignedIn(visitor, portal)).toBe(false);
  });

  test('consent: an old page sent again, and a double click, allow once', async () => {
    const third = await Portal.discover(vestibule, stranger);
    await visitor.visit(await third.authorizationUrl());
    await visitor.submit({ username: 'alice' });
    await visitor.submit({ password: alice.password });
    expect(visitor.page.step).toBe('consent');
    const form = formOf(visitor, {});
    const answers = await Promise.all([sendAgain(form), sendAgain(form)]);
    expect(answers.map(({ status }) => status)).toEqual([303, 303]);
    await visitor.visit(answers[0]?.location ?? '');
    await third.exchange(visitor.left);
    await expectErrorPage(vestibule, await sendAgain(form), 400);
  });
});
