import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { clientFile, Portal } from '../support/portal.ts';
import { startVestibule, type Vestibule } from '../support/vestibule.ts';
import { Visitor } from '../support/visitor.ts';
import { alice, bruno, errorAt, giveUsernameAndPassword, signIn, signInSilently } from './arrange.ts';

const mutuelle = clientFile('mutuelle');
const stranger = clientFile('stranger', { vestibule: { first_party: false } });
const strict = clientFile('strict', { default_max_age: 60, require_auth_time: true });

let vestibule: Vestibule;
let portal: Portal;
let visitor: Visitor;

beforeAll(async () => {
  vestibule = await startVestibule({ clients: [mutuelle, stranger, strict], people: [alice, bruno] });
  portal = await Portal.discover(vestibule, mutuelle);
});
afterAll(() => vestibule.stop());
beforeEach(() => {
  visitor = new Visitor(vestibule);
});

const authTime = async (callback: URL, from = portal): Promise<number> =>
  Number((await from.exchange(callback)).claims()?.auth_time);

describe('prompt=none', () => {
  test('with nobody signed in: login_required, and no page', async () => {
    expect(errorAt(await signInSilently(visitor, portal, { prompt: 'none' }))).toBe('login_required');
  });

  test('with somebody signed in: signed in', async () => {
    await signIn(visitor, portal);
    const tokens = await portal.exchange(await signInSilently(visitor, portal, { prompt: 'none' }));
    expect(tokens.claims()?.aud).toBe('mutuelle');
  });

  test('with consent missing: consent_required', async () => {
    await signIn(visitor, portal, {}, bruno);
    const other = await Portal.discover(vestibule, stranger);
    expect(errorAt(await signInSilently(visitor, other, { prompt: 'none' }))).toBe('consent_required');
  });

  test('cannot be combined', async () => {
    expect(errorAt(await signInSilently(visitor, portal, { prompt: 'none login' }))).toBe('invalid_request');
  });

  test('leaves nothing behind in a browser where nobody is signed in', async () => {
    await signInSilently(visitor, portal, { prompt: 'none' });
    expect(visitor.cookies.all).toEqual([]);
  });
});

describe('prompt=login', () => {
  test('asks the person who is signed in for the password only, and auth_time is the new sign-in', async () => {
    const first = await authTime(await signIn(visitor, portal));
    await vestibule.advanceClock(100);
    await visitor.visit(await portal.authorizationUrl({ prompt: 'login' }));
    expect(visitor.page.step).toBe('password');
    expect(visitor.page.text).toContain('alice');
    await visitor.submit({ password: alice.password });
    expect(await authTime(visitor.left)).toBeGreaterThanOrEqual(first + 100);
  });

  test('that is cancelled changes nothing', async () => {
    const first = await authTime(await signIn(visitor, portal));
    await vestibule.advanceClock(100);
    await visitor.visit(await portal.authorizationUrl({ prompt: 'login' }));
    await visitor.choose('cancel');
    expect(errorAt(visitor.left)).toBe('access_denied');
    expect(await authTime(await signInSilently(visitor, portal))).toBe(first);
  });

  test('is not answered by the session, whatever address is visited instead', async () => {
    await signIn(visitor, portal);
    await visitor.visit(await portal.authorizationUrl({ prompt: 'login' }));
    const resume = visitor.page.url.pathname.replace(/^\/interaction\/([^/]+).*/, '/auth/$1');
    await visitor.visit(resume);
    expect(visitor.page.step).toBe('password');
  });

  test('max_age=0 is the same', async () => {
    await signIn(visitor, portal);
    await visitor.visit(await portal.authorizationUrl({ max_age: '0' }));
    expect(visitor.page.step).toBe('password');
  });
});

describe('auth_time', () => {
  test('does not move with single sign-on', async () => {
    const first = await authTime(await signIn(visitor, portal));
    await vestibule.advanceClock(100);
    expect(await authTime(await signInSilently(visitor, portal))).toBe(first);
  });

  test('does not move with a consent', async () => {
    const first = await authTime(await signIn(visitor, portal));
    await vestibule.advanceClock(100);
    const other = await Portal.discover(vestibule, stranger);
    await visitor.visit(await other.authorizationUrl({ prompt: 'consent' }));
    await visitor.submit();
    expect(await authTime(visitor.left, other)).toBe(first);
  });

  test('does not move with a consent in the same request', async () => {
    const other = await Portal.discover(vestibule, stranger);
    await visitor.visit(await other.authorizationUrl({ prompt: 'consent' }));
    await visitor.submit({ username: 'alice' });
    await visitor.submit({ password: alice.password });
    expect(visitor.page.step).toBe('consent');
    const signedInAt = Math.floor(vestibule.now() / 1000);
    await vestibule.advanceClock(100);
    await visitor.submit();
    expect(await authTime(visitor.left, other)).toBeLessThanOrEqual(signedInAt);
  });
});

describe('max_age', () => {
  test('asks again when the sign-in is older', async () => {
    await signIn(visitor, portal);
    await vestibule.advanceClock(120);
    await visitor.visit(await portal.authorizationUrl({ max_age: '3600' }));
    expect(errorAt(visitor.left)).toBeNull();
    await visitor.visit(await portal.authorizationUrl({ max_age: '60' }));
    expect(visitor.page.step).toBe('password');
    await visitor.submit({ password: alice.password });
    const tokens = await portal.exchange(visitor.left, { maxAge: 60 });
    expect(tokens.claims()?.aud).toBe('mutuelle');
  });

  test('with prompt=none: login_required', async () => {
    await signIn(visitor, portal);
    await vestibule.advanceClock(120);
    expect(errorAt(await signInSilently(visitor, portal, { max_age: '60', prompt: 'none' }))).toBe('login_required');
  });

  test('can stand in the client’s file', async () => {
    await signIn(visitor, portal);
    await vestibule.advanceClock(120);
    const other = await Portal.discover(vestibule, strict);
    await visitor.visit(await other.authorizationUrl());
    expect(visitor.page.step).toBe('password');
  });

  test.each(['-1', 'soon', '1.5'])('of %s is refused', async (max_age) => {
    expect(errorAt(await signInSilently(visitor, portal, { max_age }))).toBe('invalid_request');
  });
});

describe('a portal that names the person', () => {
  const idTokenOf = async (person: typeof bruno): Promise<{ hint: string; sub: string }> => {
    const tokens = await portal.exchange(await signIn(new Visitor(vestibule), portal, {}, person));
    return { hint: tokens.id_token ?? '', sub: tokens.claims()?.sub ?? '' };
  };
  const by = {
    id_token_hint: ({ hint }: { hint: string }) => hint,
    claims: ({ sub }: { sub: string }) => JSON.stringify({ id_token: { sub: { value: sub } } }),
  };

  test.each(['id_token_hint', 'claims'] as const)('by %s gets who is signed in, without a page', async (how) => {
    const mine = await idTokenOf(alice);
    await signIn(visitor, portal);
    const tokens = await portal.exchange(
      await signInSilently(visitor, portal, { [how]: by[how](mine), prompt: 'none' }),
    );
    expect(tokens.claims()?.sub).toBe(mine.sub);
  });

  test.each(['id_token_hint', 'claims'] as const)(
    'by %s asks for that person when somebody else is signed in',
    async (how) => {
      const theirs = await idTokenOf(bruno);
      await signIn(visitor, portal);
      expect(errorAt(await signInSilently(visitor, portal, { [how]: by[how](theirs), prompt: 'none' }))).toBe(
        'login_required',
      );
      await visitor.visit(await portal.authorizationUrl({ [how]: by[how](theirs) }));
      expect(visitor.page.step).toBe('identify');
      const tokens = await portal.exchange(await giveUsernameAndPassword(visitor, bruno));
      expect(tokens.claims()?.sub).toBe(theirs.sub);
    },
  );

  test.each(['id_token_hint', 'claims'] as const)(
    'by %s is told when it was not that person who signed in',
    async (how) => {
      const theirs = await idTokenOf(bruno);
      expect(errorAt(await signIn(visitor, portal, { [how]: by[how](theirs) }, alice))).toBe('login_required');
    },
  );

  test('by an ID token that is none of ours is refused', async () => {
    expect(errorAt(await signInSilently(visitor, portal, { id_token_hint: 'a.b.c' }))).toBe('invalid_request');
  });
});

describe('hints', () => {
  test('login_hint fills in the username', async () => {
    await visitor.visit(await portal.authorizationUrl({ login_hint: 'alice@example.org' }));
    expect(visitor.page.forms[0]?.fields).toContainEqual({
      name: 'username',
      type: 'text',
      value: 'alice@example.org',
    });
  });

  test('login_hint signs nobody out and in', async () => {
    const { sub } = (await portal.exchange(await signIn(visitor, portal))).claims() ?? {};
    const tokens = await portal.exchange(await signInSilently(visitor, portal, { login_hint: 'bruno' }));
    expect(tokens.claims()?.sub).toBe(sub);
  });

  test.each([
    ['fr', 'fr'],
    ['de-CH fr', 'de-CH'],
    ['rm nl', 'nl'],
    ['rm', 'en'],
  ])('ui_locales=%s shows the pages in %s', async (ui_locales, language) => {
    await visitor.visit(await portal.authorizationUrl({ ui_locales }));
    expect(visitor.page.lang).toBe(language);
  });

  test('a prompt nobody knows is refused', async () => {
    expect(errorAt(await signInSilently(visitor, portal, { prompt: 'dance' }))).toBe('invalid_request');
  });
});
