import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type MailSink, startMailSink } from '../support/mail-sink.ts';
import { Portal } from '../support/portal.ts';
import { crowd } from '../support/second-factor.ts';
import type { Person } from '../support/seed.ts';
import type { Vestibule } from '../support/vestibule.ts';
import { Visitor } from '../support/visitor.ts';
import { post as postForm, userinfo } from './support/http.ts';
import { named, passwordForm } from './support/lockout.ts';
import { isSignedIn, mutuelle, redemption, signIn, spa } from './support/people.ts';
import { BETTER, linkFor, open, type Post, sendNew, UNLIMITED, withMailbox } from './support/recovery.ts';
import { startTwins } from './support/twin.ts';

const { everybody, next } = crowd({ person: {} }, 12);
const someone = (): Person => withMailbox(next('person'));

let one: Vestibule;
let other: Vestibule;
let sink: MailSink;
let post: Post;
let portal: Portal;

beforeAll(async () => {
  sink = await startMailSink();
  ({ one, other } = await startTwins({
    clients: [mutuelle, spa],
    people: everybody.map(withMailbox),
    settings: { mail: sink.settings, limits: { ...UNLIMITED, lockout: { tries: 10_000 } } },
  }));
  post = { vestibule: one, sink };
  portal = await Portal.discover(one, mutuelle);
});
afterAll(async () => {
  await other?.stop();
  await one?.stop();
  await sink?.close();
});

/** A browser that talks to one of the two processes. */
const browser = (n: number): Visitor => new Visitor(n % 2 ? { issuer: one.issuer, port: other.port } : one);

/** Who does the same over and over while the owner chooses a new password, so that every moment of that is met. */
async function whileReset(person: Person, attempt: (n: number) => Promise<unknown>): Promise<void> {
  const owner = await open(one, await linkFor(post, person));
  let chosen = false;
  let count = 0;
  const again = async (): Promise<void> => {
    while (!chosen) await attempt(count++);
  };
  const choosing = sendNew(owner).finally(() => {
    chosen = true;
  });
  const [answer] = await Promise.all([choosing, ...Array.from({ length: 6 }, again)]);
  expect(answer.status).toBe(303);
}

describe('27 incomplete revocation, in a race', () => {
  test('the old password, given while it is replaced, at either process', async () => {
    const person = someone();
    const thieves: Visitor[] = [];
    await whileReset(person, async (n) => {
      const thief = await named(portal, person.username, browser(n));
      thieves.push(thief);
      await thief.submit({ password: person.password });
    });
    expect(thieves.length).toBeGreaterThan(0);
    for (const thief of thieves) expect(await isSignedIn(thief, portal)).toBe(false);
  });

  test('passwords proven before, on their way back to the portal meanwhile', async () => {
    const person = someone();
    const ready = await Promise.all(
      Array.from({ length: 120 }, async (_, n) => {
        const thief = await named(portal, person.username, browser(n));
        return { thief, way: (await thief.request(...passwordForm(thief, person.password))).location };
      }),
    );
    const gone: Visitor[] = [];
    await whileReset(person, async () => {
      const next = ready.pop();
      if (!next) return new Promise((resolve) => setImmediate(resolve));
      gone.push(next.thief);
      await next.thief.visit(next.way ?? '');
    });
    for (const thief of gone) expect(await isSignedIn(thief, portal)).toBe(false);
  });

  test('a session that asks for codes and redeems them meanwhile, with its refresh token too', async () => {
    const person = someone();
    const [thief, rotating] = [new Visitor(one), await Portal.discover(one, spa)];
    await signIn(thief, portal, person);
    await thief.visit(await rotating.authorizationUrl());
    let { refresh_token = '' } = await rotating.exchange(thief.left);
    const got: Readonly<Record<string, unknown>>[] = [];
    await whileReset(person, async (n) => {
      const at = n % 2 ? one : other;
      if (n % 8 === 0) {
        const { json } = await postForm(at, '/token', { grant_type: 'refresh_token', refresh_token }, spa);
        if (typeof json.refresh_token === 'string') refresh_token = json.refresh_token;
        got.push(json);
        return;
      }
      const { location } = await thief.request('GET', await portal.authorizationUrl({ prompt: 'none' }), undefined);
      if (location?.searchParams.has('code'))
        got.push((await postForm(at, '/token', redemption(portal, location), mutuelle)).json);
    });
    expect(got.length).toBeGreaterThan(0);
    for (const { access_token, refresh_token: another } of got) {
      if (access_token !== undefined) expect((await userinfo(one, access_token)).status).toBe(401);
      if (another === undefined) continue;
      for (const client of [mutuelle, spa]) {
        const form = { grant_type: 'refresh_token', refresh_token: String(another) };
        expect((await postForm(one, '/token', form, client)).status).toBe(400);
      }
    }
    expect(await isSignedIn(thief, portal)).toBe(false);
  });

  test('two links’ forms, the older and the newer: at most one password, and it is known which', async () => {
    const person = someone();
    const older = await open(one, await linkFor(post, person));
    const newer = await open(other, await linkFor(post, person));
    const [first, second] = await Promise.all([sendNew(older, `${BETTER}, one`), sendNew(newer, `${BETTER}, two`)]);
    expect([first.status, second.status]).toEqual([400, 303]);
  });
});
