import { setTimeout as wait } from 'node:timers/promises';
import { type Clock, epochSeconds } from '../kernel/clock.ts';
import { VestibuleError } from '../kernel/errors.ts';
import type { Logger } from '../kernel/logger.ts';
import type { Random } from '../kernel/random.ts';
import type { ClaimedMail, OutboxStore } from '../storage/ports.ts';
import { waitAfter } from './backoff.ts';
import { DeliveryError, type Mail, type Mailer } from './mailer.ts';

/** Makes the mail that is owed, links included. @returns undefined when nobody is to get one (any more) */
export type Composer = (owed: ClaimedMail) => Promise<Mail | undefined>;

export type MailOutcome = 'sent' | 'postponed' | 'dead' | 'dropped';

export interface MailMeters {
  /** @param kind one that there is a composer for, or `unknown` */
  mail(kind: string, outcome: MailOutcome): void;
}

export interface MailWorker {
  /** From now on looks for what is due, twice a second. */
  start(): void;
  /** Sends what is due now, unless the mail server is given a rest. @returns how many were sent */
  run(): Promise<number>;
  /** Waits for mails under way, for ten seconds at most, and closes the mailer. What is cut off is sent later. */
  close(): Promise<void>;
}

/** Milliseconds between looking for what is due. */
const POLL = 500;
/** Milliseconds. */
const CLOSED_WITHIN = 10_000;
/** Seconds a mail is ours; longer than composing and sending it can take. */
const LEASE = 60;
/** Milliseconds: a mail server that is away is given a rest. */
const REST = { first: 1000, longest: 60_000 };
/** Seconds until a mail that was not taken is tried again. */
const RETRY = { first: 2, longest: 3600 };
/** The same where the mail server was away: soon, as it is not the mail's fault. */
const AWAY = { first: 1, longest: 120 };
/** Seconds after which a mail that was never taken is given up. */
const GIVEN_UP_AFTER = 3 * 86_400;

/** Writes down what became of a mail. */
type Settle = () => Promise<MailOutcome>;

/**
 * Sends what the outbox holds: at least once, and twice only where a process ends, or the storage fails,
 * between the mail server's "taken" and our writing that down. Any number of workers may share an outbox.
 */
export function createMailWorker(deps: {
  store: OutboxStore;
  mailer: Mailer;
  /** By the entry's kind. */
  composers: Readonly<Record<string, Composer>>;
  clock: Clock;
  random: Random;
  logger: Logger;
  meters: MailMeters;
}): MailWorker {
  const { store, mailer, clock, random, logger, meters } = deps;
  const composers = new Map(Object.entries(deps.composers));
  /** Milliseconds since the epoch. */
  let restsUntil = 0;
  let failures = 0;
  let closing = false;
  let abandoned = false;

  const resting = (): boolean => clock.now() < restsUntil;
  /** Several mails may meet the same failure: it counts once. */
  const rest = (): void => {
    if (resting()) return;
    failures += 1;
    restsUntil = clock.now() + waitAfter(failures, REST, random);
  };

  const report = (owed: ClaimedMail, outcome: MailOutcome, reason?: string): void => {
    const { id, kind, payload, attempts } = owed;
    meters.mail(composers.has(kind) ? kind : 'unknown', outcome);
    logger[outcome === 'dead' ? 'error' : outcome === 'postponed' ? 'warn' : 'info']({
      event: `mail.${outcome}`,
      id,
      kind,
      attempts,
      ...named('account', payload.accountId),
      ...named('notice', payload.event),
      ...(reason === undefined ? {} : { reason }),
    });
  };
  const postpone = async (owed: ClaimedMail, until: number, reason: string): Promise<MailOutcome> => {
    report(owed, 'postponed', reason);
    await store.postpone(owed.id, until, reason);
    return 'postponed';
  };
  const postponeByAttempts = (owed: ClaimedMail, reason: string): Promise<MailOutcome> =>
    postpone(owed, epochSeconds(clock) + Math.ceil(waitAfter(owed.attempts, RETRY, random)), reason);
  const bury = async (owed: ClaimedMail, reason: string): Promise<MailOutcome> => {
    report(owed, 'dead', reason);
    await store.bury(owed.id, reason);
    return 'dead';
  };
  const finish = async (owed: ClaimedMail, outcome: 'sent' | 'dropped'): Promise<MailOutcome> => {
    report(owed, outcome);
    await store.done(owed.id);
    return outcome;
  };

  /** @returns what to write down */
  const notTaken = (owed: ClaimedMail, { fault, message }: DeliveryError): Settle => {
    if (fault === 'server') {
      rest();
      // Later than the rest ends: should it be this mail that breaks the connection, others come first.
      const wait = Math.ceil(waitAfter(owed.attempts, AWAY, random));
      const until = Math.max(Math.floor(restsUntil / 1000), epochSeconds(clock) + wait);
      return () => postpone(owed, until, message);
    }
    failures = 0;
    if (fault === 'refused') return () => bury(owed, message);
    return epochSeconds(clock) - owed.createdAt >= GIVEN_UP_AFTER
      ? () => bury(owed, `given up: ${message}`)
      : () => postponeByAttempts(owed, message);
  };

  /** Composes and sends. @returns what to write down */
  const attend = async (owed: ClaimedMail): Promise<Settle> => {
    const compose = composers.get(owed.kind);
    if (!compose) return () => bury(owed, 'unknown kind');
    let mail: Mail | undefined;
    try {
      mail = await compose(owed);
    } catch (error) {
      if (error instanceof VestibuleError && error.status === 503) return () => postponeByAttempts(owed, error.code);
      return () => bury(owed, `not composed: ${whatAndWhere(error)}`);
    }
    if (!mail) return () => finish(owed, 'dropped');
    try {
      await mailer.send(mail, owed.id);
    } catch (error) {
      return notTaken(owed, error instanceof DeliveryError ? error : new DeliveryError('deferred', 'unexpected'));
    }
    failures = 0;
    return () => finish(owed, 'sent');
  };

  /** The storage is away, as a mail server may be. What was claimed is due again when its lease ends. */
  const storageFailed = (error: unknown): undefined => {
    if (abandoned) return;
    logger.error({ event: 'mail.storage_failed', err: error });
    rest();
  };

  const claim = async (): Promise<ClaimedMail | undefined> =>
    closing || resting() ? undefined : (await store.claim(1, LEASE).catch(storageFailed))?.[0];

  /** One mail after the other, until none is due. @returns how many were sent */
  const sendDue = async (): Promise<number> => {
    let sent = 0;
    let owed = await claim();
    while (owed) {
      // Claimed while the worker was told to stop.
      if (closing) {
        await store.postpone(owed.id, epochSeconds(clock), 'stopped').catch(storageFailed);
        break;
      }
      const settle = await attend(owed);
      if (abandoned) break;
      // In one turn of the event loop, hence in one commit: a kill finds one mail at most sent and not marked.
      const [outcome, next] = await Promise.all([settle().catch(storageFailed), claim()]);
      if (outcome === 'sent') sent += 1;
      owed = next;
    }
    return sent;
  };

  /** What each connection does, one after the other: polling and `run` don't add up. */
  const turns = Array.from({ length: mailer.connections }, () => Promise.resolve(0));
  const takeTurn = (connection: number): Promise<number> => {
    const turn = (turns[connection] ?? Promise.resolve(0)).then(sendDue);
    turns[connection] = turn;
    return turn;
  };

  const stop = new AbortController();
  const poll = async (connection: number): Promise<void> => {
    while (!closing) {
      await takeTurn(connection);
      await wait(POLL, undefined, { ref: false, signal: stop.signal }).catch(() => undefined);
    }
  };

  return {
    start() {
      for (const connection of turns.keys()) poll(connection);
    },
    async run() {
      const sent = await Promise.all([...turns.keys()].map(takeTurn));
      return sent.reduce((sum, one) => sum + one, 0);
    },
    async close() {
      closing = true;
      stop.abort();
      const inTime = new AbortController();
      const tooLate = wait(CLOSED_WITHIN, undefined, { signal: inTime.signal }).catch(() => undefined);
      await Promise.race([Promise.all(turns), tooLate]);
      inTime.abort();
      abandoned = true;
      await mailer.close();
    },
  };
}

const named = (name: string, value: unknown): Record<string, string> =>
  typeof value === 'string' ? { [name]: value } : {};

/** Without the message, which may quote what is personal. */
function whatAndWhere(error: unknown): string {
  if (!(error instanceof Error)) return typeof error;
  const where = /\n\s+at (.+)/.exec(error.stack ?? '')?.[1];
  return where ? `${error.name} at ${where}` : error.name;
}
