import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { SMTPServer } from 'smtp-server';
import { systemClock as clock } from '../../src/kernel/clock.ts';
import { createLogger } from '../../src/kernel/logger.ts';
import { systemRandom as random } from '../../src/kernel/random.ts';
import { createNotices } from '../../src/notifications/index.ts';
import { openDurable } from '../../src/storage/registry.ts';
import { endWithBench } from '../servers/server.ts';
import { configOf } from './outbox-world.ts';

const SENDER = join(import.meta.dirname, 'outbox-sender.ts');
const ADDED_AT_ONCE = 1000;
/** Milliseconds: the clock of the second process is ahead by more than a claim lasts, so that nobody has to wait. */
const LEASE_OVER = 61_000;

export interface Outbox {
  readonly mails: number;
  readonly perSecond: number;
  /** Mails that came twice though their sender was killed but once. */
  readonly duplicates: number;
}

/**
 * Notices from a SQLite outbox (`synchronous=FULL`) to an SMTP server in this process. Their sender is
 * killed the moment half of them have arrived, before it can have written the last one down, and started anew.
 * @throws Error when a mail was lost
 */
export async function outbox(directory: string, mails: number): Promise<Outbox> {
  const path = join(directory, 'outbox.db');
  const sink = await startSink();
  await fill(path, mails, sink.port);

  const first = startSender(path, sink.port, 0);
  sink.whenTaken(Math.floor(mails / 2), () => first.child.kill('SIGKILL'));
  await first.ended;
  const { child } = first;
  if (child.signalCode !== 'SIGKILL') throw new Error(`the sender ended by itself:\n${first.stderr()}`);
  const firstRun = sink.lap();

  const second = startSender(path, sink.port, LEASE_OVER);
  await second.ended;
  if (second.child.exitCode !== 0) throw new Error(`the sender failed:\n${second.stderr()}`);
  const secondRun = sink.lap();
  await sink.close();

  const distinct = new Set(sink.messageIds).size;
  if (distinct !== mails) throw new Error(`${mails - distinct} of ${mails} mails were lost`);
  return {
    mails,
    perSecond: (firstRun.mails + secondRun.mails) / (firstRun.seconds + secondRun.seconds),
    duplicates: sink.messageIds.length - distinct,
  };
}

async function fill(path: string, mails: number, smtpPort: number): Promise<void> {
  const { outbox, close } = await openDurable({ engine: 'sqlite', path }, { clock, logger: createLogger('silent') });
  const notices = createNotices({ mail: configOf(smtpPort).mail, clock, random });
  const owed = Array.from({ length: mails }, (_, index) =>
    notices.about(`person-${index}`, { event: 'passkey_added', values: { name: 'Bitwarden' } }),
  ).flat();
  for (let from = 0; from < owed.length; from += ADDED_AT_ONCE)
    await outbox.add(owed.slice(from, from + ADDED_AT_ONCE));
  await close();
}

function startSender(path: string, smtpPort: number, ahead: number) {
  const args = ['--disable-warning=ExperimentalWarning', SENDER, path, String(smtpPort), String(ahead)];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  endWithBench(child);
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr = (stderr + text).slice(-4096);
  });
  return { child, ended: once(child, 'close'), stderr: () => stderr };
}

async function startSink() {
  const messageIds: string[] = [];
  /** Milliseconds. */
  const arrivals: number[] = [];
  let lapFrom = 0;
  let alarm: { at: number; ring(): void } | undefined;
  const server = new SMTPServer({
    disabledCommands: ['AUTH', 'STARTTLS'],
    disableReverseLookup: true,
    closeTimeout: 200,
    onData(stream, _session, done) {
      let mail = '';
      stream.setEncoding('utf8');
      stream.on('data', (text: string) => {
        mail += text;
      });
      stream.once('end', () => {
        messageIds.push(/^Message-ID: (.+)\r$/im.exec(mail)?.[1] ?? '');
        arrivals.push(performance.now());
        if (messageIds.length === alarm?.at) alarm.ring();
        done();
      });
    },
  });
  // A killed sender breaks its connection.
  server.on('error', () => undefined);
  server.listen(0, '127.0.0.1');
  await once(server.server, 'listening');
  return {
    port: (server.server.address() as AddressInfo).port,
    messageIds,
    whenTaken(at: number, ring: () => void): void {
      alarm = { at, ring };
    },
    /** What came since the last lap, from the first to the last: starting a process is not counted. */
    lap(): { mails: number; seconds: number } {
      const [from = 0, to = 0] = [arrivals[lapFrom], arrivals.at(-1)];
      const mails = arrivals.length - lapFrom - 1;
      lapFrom = arrivals.length;
      return { mails, seconds: (to - from) / 1000 };
    },
    close: () => new Promise<void>((resolve) => server.close(() => resolve())),
  };
}
