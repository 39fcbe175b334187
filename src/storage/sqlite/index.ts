/**
 * The embedded engine: SQLite by `node:sqlite`, nothing to install. One file for each half.
 *
 *   index.ts         opens the two halves
 *   open-file.ts     the file: folder, permissions, settings of the connection
 *   migrations.ts    brings its tables up to date; schema/ holds them, one list a half
 *   database.ts      what the stores read and write through
 *   group-commit.ts  writes of one turn of the event loop share one transaction
 *   sweeper.ts       removes what has expired, off the hot path
 *   outgoing.ts      puts mails into the outbox within the transaction of what they tell of
 *   transfer.ts      everything at once, for moving to another engine; transfer-tables.ts says what that is
 *   values.ts        what may reach a statement, beyond ../values.ts; failure.ts: what trouble there is
 *   the others       one store (port) each
 *
 * Nothing is cached in memory, because another process (a command, a second server) may write to
 * the same file. Every verb that must be atomic is one SQL statement, or several in a transaction that
 * holds the write lock from its beginning.
 */
import { resolve } from 'node:path';
import type { DurableStorage, EngineContext, EphemeralStorage } from '../ports.ts';
import { SqliteAccounts } from './accounts.ts';
import { SqliteArtifacts } from './artifacts.ts';
import { SqliteAudit } from './audit.ts';
import { SqliteConsents } from './consents.ts';
import { SqliteCounters } from './counters.ts';
import { SqliteCredentials } from './credentials.ts';
import { Database } from './database.ts';
import { SqliteJourneys } from './journeys.ts';
import { SqliteKeys } from './keys.ts';
import { SqliteLocks } from './locks.ts';
import type { Half } from './migrations.ts';
import { openFile, type Synchronous } from './open-file.ts';
import { SqliteOutbox } from './outbox.ts';
import { Outgoing } from './outgoing.ts';
import { durable } from './schema/durable.ts';
import { ephemeral } from './schema/ephemeral.ts';
import { type ExpiringTable, Sweeper } from './sweeper.ts';
import { SqliteTransfer } from './transfer.ts';
import { durableTables, ephemeralTables } from './transfer-tables.ts';

export interface SqliteSettings {
  readonly engine: 'sqlite';
  /** Database file; made when it isn't there, its folder too. */
  readonly path: string;
}

export interface Sweepable {
  /** Removes one batch of expired rows now instead of when the timer says. @returns how many went */
  sweep(): Promise<number>;
}

const expiringArtifacts: ExpiringTable = { table: 'artifacts', expiry: 'expires_at', key: 'rowid' };
const expiringJourneys: ExpiringTable = { table: 'journeys', expiry: 'expires_at', key: 'rowid' };
const expiringCounters: ExpiringTable = { table: 'counters', expiry: 'resets_at', key: 'key' };
const expiringLocks: ExpiringTable = { table: 'locks', expiry: 'expires_at', key: 'key' };

/** @throws OperatorError when the file can't be opened or is of a newer version */
export async function openDurable(
  settings: SqliteSettings,
  context: EngineContext,
): Promise<DurableStorage & Sweepable> {
  const { path, database, common } = open(settings, durable, 'FULL', [expiringArtifacts], context);
  const outgoing = new Outgoing(database);
  return {
    ...common,
    accounts: new SqliteAccounts(database, outgoing),
    credentials: new SqliteCredentials(database, outgoing),
    consents: new SqliteConsents(database),
    keys: new SqliteKeys(database, 'signing_keys'),
    upstreamKeys: new SqliteKeys(database, 'upstream_keys'),
    audit: new SqliteAudit(database, outgoing),
    outbox: new SqliteOutbox(database, context.clock, outgoing),
    transfer: new SqliteTransfer(database, path, durableTables, context.clock),
  };
}

/** @throws OperatorError when the file can't be opened or is of a newer version */
export async function openEphemeral(
  settings: SqliteSettings,
  context: EngineContext,
): Promise<EphemeralStorage & Sweepable> {
  const expiring = [expiringArtifacts, expiringJourneys, expiringCounters, expiringLocks];
  const { path, database, common } = open(settings, ephemeral, 'NORMAL', expiring, context);
  return {
    ...common,
    journeys: new SqliteJourneys(database, context.clock),
    counters: new SqliteCounters(database, context.clock),
    locks: new SqliteLocks(database, context.clock),
    transfer: new SqliteTransfer(database, path, ephemeralTables, context.clock),
  };
}

function open(
  settings: SqliteSettings,
  half: Half,
  synchronous: Synchronous,
  expiring: readonly ExpiringTable[],
  context: EngineContext,
) {
  // Absolute, so that no path reads as `:memory:` or a `file:` URI with options.
  const path = resolve(settings.path);
  const database = new Database(path, openFile(path, half, synchronous));
  const sweeper = new Sweeper(database, expiring, context);
  sweeper.start();
  const common = {
    artifacts: new SqliteArtifacts(database, context.clock),
    ping: () => database.ping(),
    sweep: () => sweeper.sweep(),
    close: () => {
      sweeper.stop();
      return database.close();
    },
  };
  return { path, database, common };
}
