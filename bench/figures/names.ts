import { join } from 'node:path';
import { systemClock as clock } from '../../src/kernel/clock.ts';
import { createLogger } from '../../src/kernel/logger.ts';
import type { DurableStorage } from '../../src/storage/ports.ts';
import { openDurable } from '../../src/storage/registry.ts';
import { startMailSink } from '../../test/support/mail-sink.ts';
import type { Page } from '../../test/support/page.ts';
import { Portal } from '../../test/support/portal.ts';
import { startVestibule, type Vestibule } from '../../test/support/vestibule.ts';
import { Visitor } from '../../test/support/visitor.ts';
import { median } from '../report/statistics.ts';

/** What may be the matter with a name; nobody is to find it out by a watch. */
const KINDS = ['known', 'unknown', 'suspended', 'invited'] as const;
type Kind = (typeof KINDS)[number];

/** One before the name is locked, so that each is a password that is evaluated. */
const TRIES = 4;
const PASSWORD = 'three blue kettles sing';
const CLIENT = {
  client_id: 'portal',
  client_name: 'Portal',
  client_secret: 'a secret of the bench alone',
  redirect_uris: ['http://localhost:3001/callback'],
  vestibule: { first_party: true },
};

export interface NameTimes {
  /** Requests of each kind. */
  readonly requests: number;
  /** Median milliseconds by what was asked, and of what kind of name. */
  readonly medians: Readonly<Record<string, Readonly<Record<string, number>>>>;
}

type Sample = (what: string, kind: string, work: () => Promise<unknown>) => Promise<void>;

/** How long answers take by the kind of name: a wrong password, a locked name, a mail asked for, a passkey's options. */
export async function nameTimes(namesOfAKind: number): Promise<NameTimes> {
  const sink = await startMailSink();
  const many = { count: 1_000_000, window: '1h' };
  const vestibule = await startVestibule({
    clients: [CLIENT],
    settings: {
      mail: sink.settings,
      limits: { address: { ...many }, recovery_address: { ...many } },
    },
    people: people(namesOfAKind),
  });
  const taken = new Map<string, Map<string, number[]>>();
  const sample: Sample = async (what, kind, work) => {
    const from = performance.now();
    await work();
    const times = taken.get(what) ?? new Map<string, number[]>();
    times.set(kind, [...(times.get(kind) ?? []), performance.now() - from]);
    taken.set(what, times);
  };
  try {
    const decoys = await arrange(vestibule, namesOfAKind);
    const portal = await Portal.discover(vestibule, CLIENT);
    const rounds: readonly ((kind: Kind, n: number, sample: Sample) => Promise<void>)[] = [
      (kind, n, into) => wrongPassword(vestibule, portal, `${kind}-${n}`, into, kind),
      (kind, n, into) => askForMail(vestibule, `${kind}-${n}`, into, kind),
      (kind, n, into) => lockedName(vestibule, portal, `${kind}-${n}`, into, kind),
    ];
    // The code is compiled by what nobody counts.
    const nothing: Sample = async (_what, _kind, work) => void (await work());
    for (const kind of KINDS) for (const round of rounds) await round(kind, namesOfAKind, nothing);
    for (const round of rounds)
      for (let n = 0; n < namesOfAKind; n += 1) for (const kind of KINDS) await round(kind, n, sample);
    for (let n = 0; n < namesOfAKind; n += 1) {
      // Each first in turn: whoever comes second finds warmer caches.
      const holder = () => passkeyOptions(vestibule, portal, `holder-${n}`, sample, 'known');
      const decoy = () => passkeyOptions(vestibule, portal, decoys[n % decoys.length] ?? '', sample, 'unknown');
      for (const one of n % 2 === 0 ? [holder, decoy] : [decoy, holder]) await one();
    }
  } finally {
    await vestibule.stop();
    await sink.close();
  }
  const medians = Object.fromEntries(
    [...taken].map(([what, kinds]) => [what, Object.fromEntries([...kinds].map(([kind, ms]) => [kind, median(ms)]))]),
  );
  return { requests: namesOfAKind * TRIES, medians };
}

/** How much the slowest kind's median is above the fastest one's: 0.05 is five per cent. */
export const spread = ({ medians }: NameTimes): number =>
  Math.max(
    ...Object.values(medians).map((kinds) => Math.max(...Object.values(kinds)) / Math.min(...Object.values(kinds)) - 1),
  );

const people = (count: number) =>
  ['known', 'suspended', 'invited', 'holder'].flatMap((kind) =>
    Array.from({ length: count + 1 }, (_, n) => ({
      username: `${kind}-${n}`,
      password: PASSWORD,
      email: `${kind}-${n}@example.org`,
      emailVerified: kind !== 'invited',
    })),
  );

/** Suspends, takes away and adds what no command does. @returns names nobody has that get a passkey page */
async function arrange(vestibule: Vestibule, count: number): Promise<string[]> {
  const path = join(vestibule.directory, '../data/durable.db');
  const durable = await openDurable({ engine: 'sqlite', path }, { clock, logger: createLogger('silent') });
  try {
    for (let n = 0; n <= count; n += 1) {
      await suspend(durable, `suspended-${n}`);
      const invited = await durable.accounts.findByIdentifier(`invited-${n}`);
      await durable.credentials.remove(invited?.id ?? '', 'password', 'password');
      const holder = await durable.accounts.findByIdentifier(`holder-${n}`);
      await durable.credentials.insert(passkeyOf(holder?.id ?? '', n));
    }
  } finally {
    await durable.close();
  }
  // The share of people with a passkey is remembered for a minute.
  await vestibule.advanceClock(61);
  const portal = await Portal.discover(vestibule, CLIENT);
  const decoys: string[] = [];
  for (let n = 0; n < count * 40 && decoys.length < count; n += 1) {
    const visitor = await named(vestibule, portal, `stranger-${n}`);
    // Like the holders', with one passkey: how many there are is no secret, and each takes its time.
    if (visitor.page.step === 'passkey' && (await optionsOf(vestibule, visitor)).length === 1)
      decoys.push(`stranger-${n}`);
  }
  return decoys;
}

async function suspend({ accounts }: DurableStorage, username: string): Promise<void> {
  const account = await accounts.findByIdentifier(username);
  if (!account) throw new Error(`${username} is not there`);
  const identifiers = [account.username, account.email ?? account.username];
  await accounts.replace({ ...account, state: 'suspended' }, identifiers, account.version);
}

const passkeyOf = (accountId: string, n: number) => {
  const id = Buffer.alloc(32, n + 1).toString('base64url');
  const data = {
    userHandle: Buffer.alloc(64, n + 1).toString('base64url'),
    publicKey: Buffer.alloc(77, 1).toString('base64url'),
    counter: 0,
    transports: ['internal', 'hybrid'],
    aaguid: 'fbfc3007-154e-4ecc-8c0b-6e020557d7bd',
    synced: true,
    backedUp: true,
    userVerified: true,
    attested: false,
    name: 'Bench',
  };
  const times = { createdAt: 1, updatedAt: 1 };
  return { accountId, kind: 'passkey', id, lookup: id, data: JSON.stringify(data), version: 1, ...times };
};

async function named(vestibule: Vestibule, portal: Portal, username: string): Promise<Visitor> {
  const visitor = new Visitor(vestibule);
  await visitor.visit(await portal.authorizationUrl({}));
  await visitor.submit({ username });
  return visitor;
}

async function wrongPassword(vestibule: Vestibule, portal: Portal, name: string, sample: Sample, kind: string) {
  const visitor = await named(vestibule, portal, name);
  for (let n = 0; n < TRIES; n += 1)
    await sample('wrong password', kind, () => visitor.submit({ password: `not the one ${n}` }));
  // The last one locks the name, for the rounds to come.
  await visitor.submit({ password: 'nor this one' });
}

async function lockedName(vestibule: Vestibule, portal: Portal, username: string, sample: Sample, kind: string) {
  const visitor = new Visitor(vestibule);
  for (let n = 0; n < TRIES; n += 1) {
    await visitor.visit(await portal.authorizationUrl({}));
    await sample('locked name', kind, () => visitor.submit({ username }));
    if (visitor.page.step !== 'locked') throw new Error(`${username} is not locked: ${visitor.page.step}`);
  }
}

async function askForMail(vestibule: Vestibule, username: string, sample: Sample, kind: string): Promise<void> {
  const visitor = new Visitor(vestibule);
  for (let n = 0; n < TRIES; n += 1) {
    await visitor.visit('/recovery/password');
    await sample('link asked for', kind, () => visitor.submit({ username }));
  }
}

async function passkeyOptions(vestibule: Vestibule, portal: Portal, name: string, sample: Sample, kind: string) {
  const visitor = await named(vestibule, portal, name);
  for (let n = 0; n < TRIES; n += 1) await sample('passkey options', kind, () => optionsOf(vestibule, visitor));
}

/** What the script of the passkey page asks for. @returns the passkeys that may answer */
async function optionsOf({ issuer }: Vestibule, { page, cookies }: Visitor): Promise<readonly unknown[]> {
  const answer = await fetch(`${page.url}/options`, {
    method: 'POST',
    headers: { cookie: cookies.header(page.url), origin: issuer },
    body: new URLSearchParams({ _csrf: csrfOf(page) }),
  });
  if (!answer.ok) throw new Error(`options answered ${answer.status}`);
  return ((await answer.json()) as { allowCredentials: unknown[] }).allowCredentials;
}

/** The hidden field that its forms carry. */
export const csrfOf = (page: Page): string =>
  page.forms.flatMap(({ fields }) => fields).find(({ name }) => name === '_csrf')?.value ?? '';
