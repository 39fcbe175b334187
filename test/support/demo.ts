import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { generate } from 'otplib';
import { freePort } from './ports.ts';
import type { Person } from './seed.ts';
import { CHILD_ENVIRONMENT, NODE_FLAGS, ServerProcess } from './server-process.ts';

const COMMAND_LINE = resolve(import.meta.dirname, '../../src/cli/bin.js');
const SEED = resolve(import.meta.dirname, 'seed.ts');
/** The last line of the table that the demo prints when everything runs. */
const STARTED = 'Ctrl-C stops all of it';
const MAILED_WITHIN_MS = 10_000;
const POLL_EVERY_MS = 50;
/** Seconds for which an authenticator app shows a code. */
const STEP = 30;
const VARIABLES = ['PORT', 'PORTALS_PORT', 'MAILBOX_PORT', 'EID_PORT', 'SMTP_PORT', 'OPERATIONS_PORT'] as const;

/** A mail as `GET /messages.json` of the demo's mailbox lists it. */
export interface DemoMail {
  readonly to: string;
  readonly subject: string;
  readonly text: string;
  readonly html: string;
}

/** A text message as `GET /sms.json` of the demo's mailbox lists it. */
export interface DemoSms {
  readonly to: string;
  readonly text: string;
}

/** A username, or a person who has more than that. */
export type NewDemoPerson = string | (Partial<Person> & { readonly username: string });

export interface Demo {
  readonly issuer: string;
  /** Address of the portals, without a slash at the end. */
  readonly portals: string;
  /** Address of the mailbox, without a slash at the end. */
  readonly mailbox: string;
  /** Address of the eID, without a slash at the end. */
  readonly eid: string;
  /**
   * People of a test's own, whom no other test has changed; their passwords and addresses follow
   * the demo's pattern. All in one go.
   */
  addPeople(people: readonly NewDemoPerson[]): Promise<void>;
  /**
   * Waits for mails to this person, sent already or still under way: what is owed is sent within a second, in no
   * certain order. @param about fits their subjects @returns all there are, newest first
   */
  mailsTo(username: string, count: number, about?: RegExp): Promise<readonly DemoMail[]>;
  /**
   * Waits for a mail to this person with a link to that path of Vestibule's. @returns the link of the newest such
   * mail; each link is given once
   */
  nextLink(username: string, path: string): Promise<string>;
  /** The text messages to this number, newest first; one is sent before the page that speaks of it is shown. */
  smsTo(number: string): Promise<readonly DemoSms[]>;
  /** The next code of an authenticator app: unused, and good for half a minute at least. Moves the clock. */
  nextCode(secret: string): Promise<string>;
  /** Moves the clock of server and portals forward: nothing sleeps, everything that expires does. */
  advanceClock(seconds: number): Promise<void>;
  /** Ends it in order and removes what it kept. */
  stop(): Promise<void>;
}

/**
 * The real demo, as `npm run demo` starts it, on ports and in a folder that nobody else uses.
 * A file starts one for all its tests; `stop()` it in `afterAll`.
 * @param port of Vestibule, where the one shown on its pages matters
 */
export async function startDemo(port?: number): Promise<Demo> {
  const data = await mkdtemp(join(tmpdir(), 'vestibule-demo-'));
  const ports = new Map<string, number>();
  for (const variable of VARIABLES) ports.set(variable, await freePort());
  if (port) ports.set('PORT', port);
  const environment = Object.fromEntries([...ports].map(([variable, port]) => [variable, String(port)]));
  const demo = new ServerProcess(
    [COMMAND_LINE, 'demo', '--data', data],
    { ...CHILD_ENVIRONMENT, ...environment },
    () => {},
  );
  let clockOffset = 0;
  /** By the clock of server and portals. */
  const now = () => Date.now() + clockOffset;
  const advanceClock = async (seconds: number) => {
    clockOffset += seconds * 1000;
    await demo.moveClock(clockOffset);
  };
  const stop = async () => {
    await demo.end('SIGTERM');
    await rm(data, { recursive: true, force: true });
  };
  try {
    await demo.printed(STARTED);
  } catch (error) {
    await stop();
    throw error;
  }
  const mailbox = `http://localhost:${ports.get('MAILBOX_PORT')}`;
  const issuer = `http://localhost:${ports.get('PORT')}`;
  /** Links that a test has taken. */
  const given = new Set<string>();
  /** Waits until what is looked for is among somebody's mails, newest first. */
  const arrived = async <T>(
    what: string,
    username: string,
    find: (mails: readonly DemoMail[]) => T | undefined,
  ): Promise<T> => {
    const { email } = personOf(username);
    const deadline = performance.now() + MAILED_WITHIN_MS;
    for (;;) {
      const all = (await (await fetch(`${mailbox}/messages.json`)).json()) as readonly DemoMail[];
      const mails = all.filter(({ to }) => to === email);
      const found = find(mails);
      if (found !== undefined) return found;
      if (performance.now() > deadline)
        throw new Error(`no ${what} for ${username}, but ${JSON.stringify(mails.map(({ subject }) => subject))}`);
      await wait(POLL_EVERY_MS);
    }
  };
  return {
    issuer,
    portals: `http://localhost:${ports.get('PORTALS_PORT')}`,
    mailbox,
    eid: `http://localhost:${ports.get('EID_PORT')}`,
    addPeople: (people) => seed(data, people.map(personOf)),
    mailsTo: (username, count, about = /^/) =>
      arrived(`${count} mails about ${about}`, username, (mails) => {
        const fitting = mails.filter(({ subject }) => about.test(subject));
        return fitting.length >= count ? fitting : undefined;
      }),
    async nextLink(username, path) {
      const address = new RegExp(`${issuer}${path}\\?\\S+`);
      const link = await arrived(`link to ${path}`, username, (mails) =>
        mails.map(({ text }) => address.exec(text)?.[0]).find((found) => found !== undefined && !given.has(found)),
      );
      given.add(link);
      return link;
    },
    async smsTo(number) {
      const all = (await (await fetch(`${mailbox}/sms.json`)).json()) as readonly DemoSms[];
      return all.filter(({ to }) => to === number);
    },
    async nextCode(secret) {
      await advanceClock(STEP + 1 - (Math.floor(now() / 1000) % STEP));
      return generate({ secret, epoch: Math.floor(now() / 1000) });
    },
    advanceClock,
    stop,
  };
}

const personOf = (person: NewDemoPerson): Person & { readonly email: string } => {
  const { username, ...more } = typeof person === 'string' ? { username: person } : person;
  return {
    username,
    password: `${username}-demo-password`,
    email: `${username}@example.org`,
    emailVerified: true,
    ...more,
  };
};

/** Beside the running demo, into its storage. */
async function seed(data: string, people: readonly Person[]): Promise<void> {
  const env = {
    ...CHILD_ENVIRONMENT,
    VESTIBULE_MASTER_KEY: (await readFile(join(data, 'master.key'), 'utf8')).trim(),
  };
  await new Promise<void>((done, fail) => {
    const child = execFile(
      process.execPath,
      [...NODE_FLAGS, SEED, join(data, 'config')],
      { env },
      (error, _out, errors) => (error ? fail(new Error(`people were not added:\n${errors}`)) : done()),
    );
    child.stdin?.end(JSON.stringify(people));
  });
}
