import { randomBytes } from 'node:crypto';
import { createWriteStream, globSync } from 'node:fs';
import { cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join, relative, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import type { DemoAddresses, DemoPort } from '../../examples/addresses.ts';
import type { DemoPerson } from '../../examples/people.ts';
import { type Config, loadConfig } from '../config/index.ts';
import { checkProvider } from '../federation/index.ts';
import { OperatorError } from '../kernel/errors.ts';
import { createLogger } from '../kernel/logger.ts';
import type { Vestibule } from '../main.ts';
import { type Command, UsageError } from './command.ts';
import { startFailure, stopRequested } from './serve.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const EXAMPLE_CONFIG = join(ROOT, 'examples/config');
const DEFAULT_DATA = join(ROOT, 'data/demo');
/** What `--fresh` removes: only what the demo made, whatever else lies in the folder. */
const STATE = ['durable.db', 'ephemeral.db'].flatMap((file) => [file, `${file}-wal`, `${file}-shm`]);
const MADE = [...STATE, 'master.key', 'vestibule.log', 'config'];

export const demo: Command = {
  name: 'demo',
  summary: 'start everything on this machine: server, portals, mailbox and people to sign in as',
  usage: `
Usage: npm run demo -- [--fresh] [--data <dir>]

Starts Vestibule on embedded storage with demo portals, a mailbox and demo people, and prints their
addresses and passwords. Needs nothing else and listens on this machine only. Ctrl-C stops all of it;
the next start finds everything as it was.

  --fresh          forget accounts, sessions and keys of earlier starts
  --data <dir>     where to keep state (default: data/demo)

PORT, PORTALS_PORT, MAILBOX_PORT, EID_PORT, SMTP_PORT and OPERATIONS_PORT choose other ports.`,

  async run(args, { stdout }) {
    const { values } = parseArgs({ args, options: { fresh: { type: 'boolean' }, data: { type: 'string' } } });
    const data = resolve(values.data ?? DEFAULT_DATA);
    // First of all: a Ctrl-C while starting is not lost.
    const stopped = stopRequested(process, () => process.exit(1));
    const { demoAddresses, PEOPLE, startEid, startMailbox, startPortals } = await examples();
    const addresses = understood(demoAddresses);
    const { ports, host, issuer } = addresses;
    await assertFree(Object.values(ports));

    if (values.fresh) await Promise.all(MADE.map((name) => rm(join(data, name), { recursive: true, force: true })));
    await mkdir(data, { recursive: true, mode: 0o700 });
    const config = loadConfig(
      await configFolder(data, addresses),
      {
        VESTIBULE_MASTER_KEY: await masterKey(join(data, 'master.key')),
        PORT: String(ports.PORT.port),
        HOST: host,
        ISSUER: issuer,
        OPERATIONS_PORT: String(ports.OPERATIONS_PORT.port),
      },
      checkProvider,
    );
    const logFile = join(data, 'vestibule.log');
    const logger = createLogger(config.log.level, createWriteStream(logFile, { flags: 'a', mode: 0o600 }));
    const log = (line: string) => logger.info({ event: 'demo.note' }, line);

    const running: { close(): Promise<void> }[] = [];
    try {
      const { start } = await import('../main.ts');
      const vestibule = await start(config, { logger }).catch((error: unknown) => {
        throw startFailure(error);
      });
      running.push(vestibule);
      await Promise.all(PEOPLE.map((person) => ensurePerson(vestibule, person)));
      const mailbox = await startMailbox({ port: ports.MAILBOX_PORT.port, smtpPort: ports.SMTP_PORT.port, log });
      running.push(mailbox);
      const portals = await startPortals({ port: ports.PORTALS_PORT.port, issuer: config.issuer, log });
      running.push(portals);
      const eid = await startEid({ port: ports.EID_PORT.port, vestibule: config.issuer, log });
      running.push(eid);
      stdout.write(
        welcome(
          config,
          { portals: portals.url, mailbox: mailbox.url, eid: eid.url, smtp: mailbox.smtpPort, log: logFile },
          PEOPLE,
        ),
      );
      await stopped;
      stdout.write('Stopping …\n');
    } finally {
      for (const part of running.reverse()) await part.close();
    }
    return 0;
  },
};

/** Loaded only now: the other commands work where examples and development packages are not installed. */
async function examples() {
  try {
    return {
      ...(await import('../../examples/addresses.ts')),
      ...(await import('../../examples/people.ts')),
      ...(await import('../../examples/eid/index.ts')),
      ...(await import('../../examples/mailbox/index.ts')),
      ...(await import('../../examples/portals/index.ts')),
    };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw error;
    throw new OperatorError(
      `The demo runs from a clone of the repository, after \`npm ci\` with development packages. ${(error as Error).message}`,
    );
  }
}

function understood(demoAddresses: () => DemoAddresses): DemoAddresses {
  try {
    return demoAddresses();
  } catch (error) {
    throw error instanceof RangeError ? new UsageError(error.message) : error;
  }
}

/** Opens every port at once, on both loopback addresses: a browser may take either for `localhost`. */
async function assertFree(ports: readonly DemoPort[]): Promise<void> {
  const open = async ({ port }: DemoPort, host: string) => {
    const server = createServer();
    const fault = await new Promise<string | undefined>((done) => {
      server.once('error', (error: NodeJS.ErrnoException) => done(error.code));
      server.listen({ port, host, ipv6Only: host === '::1' }, () => done(undefined));
    });
    return { fault, close: () => (fault ? undefined : new Promise((done) => server.close(done))) };
  };
  const opened = await Promise.all(
    ports.map(async (place) => {
      const tries = await Promise.all(['127.0.0.1', '::1'].map((host) => open(place, host)));
      // A machine without IPv6 can't have anything listening there either.
      const fault = tries.map((one) => one.fault).find((code) => code === 'EADDRINUSE' || code === 'EACCES');
      return { place, fault, close: () => Promise.all(tries.map((one) => one.close())) };
    }),
  );
  await Promise.all(opened.map(({ close }) => close()));
  const refused = opened.filter(({ fault }) => fault);
  if (refused.length === 0) return;
  const lines = refused.map(({ place: { port, what, variable }, fault }) => {
    const why = fault === 'EACCES' ? 'may not be opened by this user' : 'is in use by another program';
    return `Port ${port}, for ${what}, ${why}. Choose another: ${variable}=${port > 60_000 ? port - 1000 : port + 1000} npm run demo`;
  });
  throw new OperatorError([...lines, 'Nothing was started. Does the demo run already?'].join('\n'));
}

/** Everything stored is sealed with it, so it is made once; `wx` lets nobody overwrite it. */
async function masterKey(file: string): Promise<string> {
  try {
    await writeFile(file, `${randomBytes(32).toString('base64')}\n`, { flag: 'wx', mode: 0o600 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  return (await readFile(file, 'utf8')).trim();
}

/**
 * The files in examples/config, as they are: edit them and start again. Where addresses or the
 * data folder are others than those the files name, a copy that names these.
 */
async function configFolder(data: string, { ports, issuer, moved }: DemoAddresses): Promise<string> {
  if (data === DEFAULT_DATA && !moved) return EXAMPLE_CONFIG;
  const copy = join(data, 'config');
  await rm(copy, { recursive: true, force: true });
  await cp(EXAMPLE_CONFIG, copy, { recursive: true });
  for (const file of globSync('**/*.yaml', { cwd: copy })) {
    const text = await readFile(join(copy, file), 'utf8');
    const portals = `http://localhost:${ports.PORTALS_PORT.port}`;
    const mailbox = `http://localhost:${ports.MAILBOX_PORT.port}`;
    const named = text
      .replace(/http:\/\/localhost:(3000|3001)\b/g, (_, port) => (port === '3000' ? issuer : portals))
      .replaceAll('http://localhost:3002', mailbox)
      .replaceAll('http://localhost:3003', `http://localhost:${ports.EID_PORT.port}`)
      .replace(/\bport: 3025\b/, `port: ${ports.SMTP_PORT.port}`)
      .replaceAll('../../data/demo/', '../')
      .replace(/\$schema=(\.\.\/)+/, `$schema=${ROOT}/`);
    await writeFile(join(copy, file), named);
  }
  return copy;
}

/** Made when absent, then left alone: what somebody changed while trying things out stays. */
export async function ensurePerson(
  { accounts, credentials }: Pick<Vestibule, 'accounts' | 'credentials'>,
  person: DemoPerson,
): Promise<void> {
  const { username, password, email, profile, totp, minimumAcr } = person;
  const account =
    (await accounts.findByIdentifier(username)) ??
    (await accounts.add({
      username,
      email,
      emailVerified: true,
      profile,
      ...(minimumAcr === undefined ? {} : { minimumAcr }),
    }));
  if (!(await credentials.password.enrolled(account.id))) await credentials.password.set(account.id, password);
  if (totp && !(await credentials.totp.enrolled(account.id))) {
    await credentials.totp.setSecret(account.id, totp.secret);
    await credentials.recoveryCodes.set(account.id, totp.recoveryCodes);
  }
}

interface Listed {
  readonly portals: string;
  readonly mailbox: string;
  readonly eid: string;
  readonly smtp: number;
  readonly log: string;
}

/** The one thing the demo prints: where everything is, and whom to sign in as. */
function welcome(config: Config, { portals, mailbox, eid, smtp, log }: Listed, people: readonly DemoPerson[]): string {
  const near = relative(process.cwd(), log);
  const addresses = [
    ['Portals', `${portals}/`, 'Begin here: choose one and sign in'],
    ...config.clients.map(({ client_name, client_uri = '' }) => ['', client_uri, client_name]),
    ['Vestibule', config.issuer, 'The identity provider they send you to; no start page of its own'],
    ['Mailbox', `${mailbox}/`, `Every mail and text message; SMTP on port ${smtp}`],
    ['Demo eID', `${eid}/`, 'The national eID of the demo: choose a citizen and how sure it is'],
    ['Operations', `http://127.0.0.1:${config.operations.port}/metrics`, 'Also /health/live and /health/ready'],
    ['Log', near.startsWith('..') ? log : near, 'One JSON line per event'],
  ];
  const rows = people.map(({ username, password, shows }) => [username, password, shows]);
  const width = (column: number) => Math.max(...[...addresses, ...rows].map((row) => row[column]?.length ?? 0));
  const line = (row: readonly string[]) =>
    `  ${row[0]?.padEnd(width(0))}  ${row[1]?.padEnd(width(1))}  ${row[2]}`.trimEnd();
  const rule = `  ${'─'.repeat(width(0) + width(1) + width(2) + 4)}`;
  return `
${rule}
${addresses.map(line).join('\n')}
${rule}
${line(['Sign in as', 'with password', 'to see'])}
${rule}
${rows.map(line).join('\n')}
${rule}
  Ctrl-C stops all of it; the next start finds it as it was.

`;
}
