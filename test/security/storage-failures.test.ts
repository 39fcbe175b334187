import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { Page } from '../support/page.ts';
import { Portal } from '../support/portal.ts';
import { startVestibule, type Vestibule } from '../support/vestibule.ts';
import { Visitor } from '../support/visitor.ts';
import { expectDiscreet, expectErrorPage } from './support/answers.ts';
import { post, userinfo } from './support/http.ts';
import { alice, isSignedIn, mutuelle, redemption, signIn, stranger } from './support/people.ts';
import { type Half, takeAway } from './support/storage.ts';

let vestibule: Vestibule;
let portal: Portal;
let third: Portal;
let visitor: Visitor;
let tokens: Awaited<ReturnType<Portal['exchange']>>;

beforeAll(async () => {
  vestibule = await startVestibule({ clients: [mutuelle, stranger], people: [alice], breakable: true });
  portal = await Portal.discover(vestibule, mutuelle);
  third = await Portal.discover(vestibule, stranger);
});
afterAll(() => vestibule?.stop());
beforeEach(async () => {
  visitor = new Visitor(vestibule);
  tokens = await portal.exchange(await signIn(visitor, portal, alice));
});

interface Outcome {
  readonly status: number;
  readonly retryAfter: unknown;
  readonly body: string;
}
const ofPage = ({ status, headers, body }: Page): Outcome => ({ status, retryAfter: headers['retry-after'], body });
const program = async (path: string, form: Readonly<Record<string, string>>): Promise<Outcome> => {
  const { status, headers, text } = await post(vestibule, path, form, mutuelle);
  return { status, retryAfter: headers.get('retry-after'), body: text };
};

/** Prepares something while all is well, and says how to do it and how to see whether it worked. */
type Deed = () => Promise<{ readonly act: () => Promise<Outcome>; readonly done?: () => Promise<boolean> }>;

async function atPassword(by: Visitor): Promise<void> {
  await by.visit(await portal.authorizationUrl());
  await by.submit({ username: 'alice' });
}

const DEEDS: Readonly<Record<string, Deed>> = {
  'the name': async () => {
    const somebody = new Visitor(vestibule);
    await somebody.visit(await portal.authorizationUrl());
    return { act: async () => ofPage(await somebody.submit({ username: 'alice' })) };
  },
  'the password': async () => {
    const somebody = new Visitor(vestibule);
    await atPassword(somebody);
    const { pathname } = somebody.page.url;
    return {
      act: async () => {
        const outcome = ofPage(await somebody.submit({ password: alice.password }));
        // Nor does coming back get a code for what was not recorded.
        await somebody.visit(pathname.split('/').slice(0, 3).join('/'));
        expect(somebody.page.location?.searchParams.get('code') ?? undefined).toBeUndefined();
        return outcome;
      },
      done: () => isSignedIn(somebody, portal),
    };
  },
  consent: async () => {
    const somebody = new Visitor(vestibule);
    await somebody.visit(await third.authorizationUrl({ prompt: 'consent' }));
    await somebody.submit({ username: 'alice' });
    await somebody.submit({ password: alice.password });
    expect(somebody.page.step).toBe('consent');
    return { act: async () => ofPage(await somebody.submit()) };
  },
  'single sign-on': async () => {
    const address = await portal.authorizationUrl();
    return { act: async () => ofPage(await visitor.visit(address)) };
  },
  'the sign-out': async () => {
    await visitor.visit('/session/end');
    return { act: async () => ofPage(await visitor.submit()) };
  },
  'a code': async () => {
    await visitor.visit(await portal.authorizationUrl());
    const form = redemption(portal, visitor.left);
    return { act: () => program('/token', form) };
  },
  'a refresh': async () => ({
    act: () => program('/token', { grant_type: 'refresh_token', refresh_token: String(tokens.refresh_token) }),
  }),
  userinfo: async () => ({
    act: async () => {
      const { status, headers, text } = await userinfo(vestibule, tokens.access_token);
      return { status, retryAfter: headers.get('retry-after'), body: text };
    },
  }),
  introspection: async () => ({ act: () => program('/token/introspection', { token: tokens.access_token }) }),
  revocation: async () => ({
    act: () => program('/token/revocation', { token: tokens.access_token }),
    done: async () => (await userinfo(vestibule, tokens.access_token)).status === 401,
  }),
};

/** What needs what. */
const NEEDS: readonly (readonly [half: Half, table: string, deeds: readonly (keyof typeof DEEDS)[]])[] = [
  ['ephemeral', 'artifacts', Object.keys(DEEDS)],
  ['ephemeral', 'journeys', ['the name', 'the password', 'consent']],
  ['ephemeral', 'counters', ['the password']],
  [
    'durable',
    'artifacts',
    ['consent', 'single sign-on', 'a code', 'a refresh', 'userinfo', 'introspection', 'the sign-out'],
  ],
  [
    'durable',
    'accounts',
    ['the name', 'the password', 'single sign-on', 'a code', 'a refresh', 'userinfo', 'introspection'],
  ],
  ['durable', 'identifiers', ['the name']],
  ['durable', 'credentials', ['the password']],
  ['durable', 'consents', ['consent']],
  ['durable', 'audit_events', ['the password', 'consent']],
];

describe('56 fail-open storage', () => {
  test.each(NEEDS.flatMap(([half, table, deeds]) => deeds.map((deed) => [half, table, deed] as const)))(
    'without the %s %s, %s: 503 and nothing granted; with it again, all is well',
    async (half, table, deed) => {
      const { act, done } = await (DEEDS[deed] as Deed)();
      const putBack = await takeAway(vestibule, half, table);
      let outcome: Outcome;
      try {
        outcome = await act();
      } finally {
        await putBack();
      }
      const { status, retryAfter, body } = outcome;
      expect({ status, retryAfter: Number(retryAfter) > 0 }).toEqual({ status: 503, retryAfter: true });
      expect(body).not.toMatch(/access_token|"active"|invalid_|code=/);
      expectDiscreet(new Headers(), body);
      if (done) expect(await done()).toBe(false);
      // Recovery: the same thing done anew works.
      const again = await (DEEDS[deed] as Deed)();
      expect((await again.act()).status).toBeLessThan(400);
      if (again.done) expect(await again.done()).toBe(true);
    },
  );

  test('a page says when to try again', async () => {
    const putBack = await takeAway(vestibule, 'ephemeral', 'artifacts');
    try {
      await visitor.visit(await portal.authorizationUrl());
      await expectErrorPage(vestibule, visitor.page, 503);
      expect(visitor.page.heading).toMatch(/not possible right now/);
    } finally {
      await putBack();
    }
  });
});
