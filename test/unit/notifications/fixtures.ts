import type { Config } from '../../../src/config/config.ts';
import { serverSchema } from '../../../src/config/schema/server.ts';
import { createTexts } from '../../../src/i18n/index.ts';
import type { Clock } from '../../../src/kernel/clock.ts';
import { createLogger } from '../../../src/kernel/logger.ts';
import { systemRandom as random } from '../../../src/kernel/random.ts';
import { type Composer, createLetters, createMailer, createMailWorker } from '../../../src/notifications/index.ts';
import type { Account, ClaimedMail, OutboxEntry, OutboxStore } from '../../../src/storage/ports.ts';

export const ISSUER = 'https://login.example.org';

/** @param settings sections of `vestibule.yaml` */
export function configOf(settings: Record<string, unknown> = {}): Config {
  return {
    ...serverSchema.parse({ issuer: ISSUER, branding: { name: 'Mutuelle Azur' }, ...settings }),
    directory: '/nowhere',
    masterKeys: [],
    clients: [],
    providers: [],
  };
}

export const mailSettings = (port: number, more: Record<string, unknown> = {}) => ({
  mail: { host: 'localhost', port, tls: 'none', from: 'no-reply@azur.example', ...more },
});

export function lettersOf(config: Config) {
  const { overlay } = config.branding;
  return createLetters({ config, texts: createTexts({ overlay, defaultLanguage: config.languages.default }) });
}

export const accountOf = (more: Partial<Account> = {}): Account => ({
  id: 'account-1',
  username: 'anna',
  email: 'anna@example.org',
  emailVerified: true,
  state: 'active',
  profile: {},
  generation: 0,
  createdAt: 0,
  updatedAt: 0,
  version: 1,
  ...more,
});

let entries = 0;

/** @param more `to`: composed for that address; everything else is the entry's own */
export function entryOf(
  clock: Clock,
  { to, ...more }: Partial<OutboxEntry> & { readonly to?: unknown } = {},
): OutboxEntry {
  entries += 1;
  return {
    id: `entry-${entries}`,
    kind: 'test',
    payload: { accountId: 'account-1', event: 'passkey_added', to: to ?? `person${entries}@example.org` },
    urgent: false,
    createdAt: Math.floor(clock.now() / 1000),
    ...more,
  };
}

/** To whom the entry says, with the entry's name for a text. */
export const composeTest: Composer = async ({ id, payload }: ClaimedMail) => ({
  to: payload.to as string,
  subject: `About ${id}`,
  text: `https://login.example.org/secret-link of ${id}\n`,
  html: `<p>${id}</p>`,
});

/** A worker against an SMTP server at a port; what it logs and counts can be looked at. */
export function workerOf(
  store: OutboxStore,
  port: number,
  {
    clock,
    settings = {},
    composers = { test: composeTest },
    patience = 2000,
  }: {
    clock: Clock;
    settings?: Record<string, unknown>;
    composers?: Record<string, Composer>;
    /** Milliseconds the SMTP server gets. */
    patience?: number;
  },
) {
  const logs: Record<string, unknown>[] = [];
  const counted: string[] = [];
  const mailer = createMailer(configOf(mailSettings(port, settings)), patience);
  if (!mailer) throw new Error('there is no mail server');
  const worker = createMailWorker({
    store,
    mailer,
    composers,
    clock,
    random,
    logger: createLogger('info', { write: (line: string) => void logs.push(JSON.parse(line)) }),
    meters: { mail: (kind, outcome) => counted.push(`${kind} ${outcome}`) },
  });
  return { worker, mailer, logs, counted };
}
