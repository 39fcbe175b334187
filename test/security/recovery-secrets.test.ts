import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type MailSink, nothingOwed, startMailSink } from '../support/mail-sink.ts';
import { Portal } from '../support/portal.ts';
import { freePort } from '../support/ports.ts';
import { crowd } from '../support/second-factor.ts';
import type { Person } from '../support/seed.ts';
import { startVestibule, type Vestibule } from '../support/vestibule.ts';
import { Visitor } from '../support/visitor.ts';
import { forgetSession, KNOWN_COOKIE } from './support/browsers.ts';
import { named } from './support/lockout.ts';
import { mutuelle, signIn } from './support/people.ts';
import {
  ask,
  BETTER,
  choose,
  linkFor,
  mailOf,
  notMeLinkFor,
  open,
  type Post,
  RESUME_COOKIE,
  sendNew,
  tokenIn,
  UNLIMITED,
  withMailbox,
} from './support/recovery.ts';
import { bytesOnDisk, takeAway, withDurable } from './support/storage.ts';

const { everybody, next } = crowd({ person: {} }, 20);
const someone = (): Person => withMailbox(next('person'));

let vestibule: Vestibule;
let sink: MailSink;
let post: Post;
let portal: Portal;

beforeAll(async () => {
  sink = await startMailSink();
  vestibule = await startVestibule({
    breakable: true,
    clients: [mutuelle],
    people: everybody.map(withMailbox),
    settings: { mail: sink.settings, limits: UNLIMITED, log: { level: 'trace' } },
  });
  post = { vestibule, sink };
  portal = await Portal.discover(vestibule, mutuelle);
});
afterAll(async () => {
  await vestibule?.stop();
  await sink?.close();
});

/** Of any of these, in clear, neither the log nor the disk may hold a byte. */
async function expectNowhere(secrets: Readonly<Record<string, string>>): Promise<void> {
  const [disk, logs] = [await bytesOnDisk(vestibule), JSON.stringify(vestibule.logs) + vestibule.complaints];
  for (const [what, secret] of Object.entries(secrets)) {
    expect([what, secret.length > 8]).toEqual([what, true]);
    expect([what, disk.includes(secret), logs.includes(secret)]).toEqual([what, false, false]);
    const decoded = Buffer.from(secret, 'base64url');
    if (/^[\w-]{43}$/.test(secret)) expect([what, disk.includes(decoded)]).toEqual([what, false]);
  }
}

describe('55 secret exposure', () => {
  test('tokens of links, passwords and proofs stand in no log at the finest level, and on no disk', async () => {
    const person = someone();
    await signIn(new Visitor(vestibule), portal, person);
    const notMe = await notMeLinkFor(post, person);
    const visitor = new Visitor(vestibule);
    await visitor.visit(await portal.authorizationUrl());
    const uid = visitor.page.url.pathname.split('/')[2] ?? '';
    const superseded = await linkFor(post, person);
    const link = await linkFor(post, person, `?interaction=${uid}`);
    await open(vestibule, superseded);
    await open(vestibule, notMe);
    await open(vestibule, link, visitor);
    const refused = 'password refused for this: 1234';
    await visitor.submit({ new_password: refused, new_password_again: 'and this one is another' });
    await choose(visitor, person.username);
    await sendNew(visitor);
    const resume = visitor.cookies.all.find(({ name }) => name === RESUME_COOKIE)?.value ?? '';
    await expectNowhere({ resume, link: tokenIn(link) });
    await visitor.visit(`/interaction/${uid}/resume`);
    await open(vestibule, link);
    await visitor.visit('/account/password');
    const typed = { current_password: 'a wrong one that was typed', new_password: `${BETTER}, newer` };
    await visitor.submit({ ...typed, new_password_again: typed.new_password });
    await nothingOwed(vestibule);
    // Every line of all of that has arrived.
    await visitor.visit('/nothing');
    const reference = String(visitor.page.headers['x-request-id']);
    await vestibule.logged('request', (line) => line.request_id === reference);
    await expectNowhere({
      resume,
      refused,
      'link to a new password': tokenIn(link),
      'superseded link': tokenIn(superseded),
      'link "This wasn’t me"': tokenIn(notMe),
      'new password': BETTER,
      'wrong password': typed.current_password,
      'unused new password': typed.new_password,
    });
  });

  test('what a mail says, and to whom, stands in no log; nor on disk once it is sent', async () => {
    const person = someone();
    const link = await linkFor(post, person);
    await nothingOwed(vestibule);
    expect(JSON.stringify(vestibule.logs)).not.toContain(mailOf(person));
    expect(JSON.stringify(vestibule.logs)).not.toContain(link.search);
    const waiting = await withDurable(vestibule, ({ outbox }) => outbox.count());
    expect(waiting).toEqual({ waiting: 0, dead: 0 });
  });

  test('a mail that waits holds no link and no token: a copy of the database opens nothing', async () => {
    const person = someone();
    await vestibule.configure({ settings: { mail: { port: await freePort() } } });
    await vestibule.restart();
    try {
      await ask(vestibule, person.username);
      await signIn(new Visitor(vestibule), portal, person);
      await vestibule.logged('mail.postponed');
      const disk = await bytesOnDisk(vestibule);
      expect(disk.includes('recovery/password/new')).toBe(false);
      expect(disk.includes('recovery/not-me')).toBe(false);
      expect(disk.includes('token=')).toBe(false);
      // Why it waits is there, without whom it is for.
      const line = await vestibule.logged('mail.postponed');
      expect(JSON.stringify(line)).not.toContain('@example.org');
    } finally {
      await vestibule.configure({ settings: { mail: { port: sink.port } } });
      await vestibule.restart();
      await vestibule.advanceClock(120);
      await nothingOwed(vestibule);
    }
  });

  test('a hash from a copy of the database is no token', async () => {
    const person = someone();
    const link = await linkFor(post, person);
    const disk = (await bytesOnDisk(vestibule)).toString('latin1');
    const hashes = new Set(disk.match(/(?<![\w-])[\w-]{43}(?![\w-])/g) ?? []);
    expect(hashes.size).toBeGreaterThan(0);
    for (const hash of [...hashes].slice(0, 40)) {
      const visitor = new Visitor(vestibule);
      await visitor.visit(`/recovery/password/new?token=${hash}`);
      expect(visitor.page.step).toBe('error');
    }
    expect((await open(vestibule, link)).page.step).toBe('change-password');
  });

  test('the cookie of a known browser is told apart from one that was signed by somebody else', async () => {
    const person = someone();
    const visitor = new Visitor(vestibule);
    await signIn(visitor, portal, person);
    const value = visitor.cookies.all.find(({ name }) => name === KNOWN_COOKIE)?.value ?? '';
    await expectNowhere({ known: value, signature: value.split('.')[1] ?? '' });
    forgetSession(visitor);
    expect(visitor.cookies.all.map(({ name }) => name)).toEqual([KNOWN_COOKIE]);
  });
});

describe('56 fail-open storage', () => {
  const getsIn = async (person: Person, password: string): Promise<boolean> => {
    const visitor = await named(portal, person.username, new Visitor(vestibule));
    await visitor.submit({ password });
    return visitor.page.location?.searchParams.has('code') === true;
  };

  test.each([
    ['durable', 'audit_events'],
    ['durable', 'credentials'],
    ['durable', 'outbox'],
    ['ephemeral', 'artifacts'],
  ] as const)('without the %s table %s no new password is set, and nobody hears of one', async (half, table) => {
    const person = someone();
    const visitor = await open(vestibule, await linkFor(post, person));
    await nothingOwed(vestibule);
    const before = sink.mails.length;
    const bringBack = await takeAway(vestibule, half, table);
    try {
      expect((await sendNew(visitor)).status).toBeGreaterThanOrEqual(500);
    } finally {
      await bringBack();
    }
    await nothingOwed(vestibule);
    expect(sink.mails.length).toBe(before);
    expect([await getsIn(person, BETTER), await getsIn(person, person.password)]).toEqual([false, true]);
  });

  test('without the table of locks no password is looked at', async () => {
    const person = someone();
    const visitor = await named(portal, person.username, new Visitor(vestibule));
    const bringBack = await takeAway(vestibule, 'ephemeral', 'locks');
    try {
      await visitor.submit({ password: person.password });
      expect([visitor.page.status >= 500, visitor.page.location]).toEqual([true, undefined]);
    } finally {
      await bringBack();
    }
  });
});
