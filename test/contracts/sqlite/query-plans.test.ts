import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import type { EngineContext } from '../../../src/storage/ports.ts';
import { SqliteAccounts } from '../../../src/storage/sqlite/accounts.ts';
import { SqliteArtifacts } from '../../../src/storage/sqlite/artifacts.ts';
import { SqliteAudit } from '../../../src/storage/sqlite/audit.ts';
import { SqliteConsents } from '../../../src/storage/sqlite/consents.ts';
import { SqliteCounters } from '../../../src/storage/sqlite/counters.ts';
import { SqliteCredentials } from '../../../src/storage/sqlite/credentials.ts';
import { Database } from '../../../src/storage/sqlite/database.ts';
import { openDurable } from '../../../src/storage/sqlite/index.ts';
import { SqliteJourneys } from '../../../src/storage/sqlite/journeys.ts';
import { SqliteKeys } from '../../../src/storage/sqlite/keys.ts';
import { SqliteLocks } from '../../../src/storage/sqlite/locks.ts';
import type { Half } from '../../../src/storage/sqlite/migrations.ts';
import { openFile } from '../../../src/storage/sqlite/open-file.ts';
import { SqliteOutbox } from '../../../src/storage/sqlite/outbox.ts';
import { Outgoing } from '../../../src/storage/sqlite/outgoing.ts';
import { durable } from '../../../src/storage/sqlite/schema/durable.ts';
import { ephemeral } from '../../../src/storage/sqlite/schema/ephemeral.ts';
import { Sweeper } from '../../../src/storage/sqlite/sweeper.ts';
import { useWorkspace } from '../workspace.ts';

/**
 * The signing keys are a handful and read at start; `json_each` is the list of parameters. What is owed is
 * counted for the metrics, in an index of those that count.
 */
const MAY_BE_SCANNED =
  /^SCAN (json_each|signing_keys|upstream_keys|CONSTANT ROW|audit_events USING INDEX|outbox USING COVERING INDEX outbox_(by_due|dead)$)/;

const HALVES: readonly (readonly [Half, (database: Database, context: EngineContext) => void])[] = [
  [
    durable,
    (database, { clock }) => {
      const outgoing = new Outgoing(database);
      for (const Store of [SqliteAccounts, SqliteCredentials, SqliteAudit]) new Store(database, outgoing);
      new SqliteConsents(database);
      for (const table of ['signing_keys', 'upstream_keys'] as const) new SqliteKeys(database, table);
      new SqliteOutbox(database, clock, outgoing);
      new SqliteArtifacts(database, clock);
    },
  ],
  [
    ephemeral,
    (database, context) => {
      for (const Store of [SqliteArtifacts, SqliteJourneys, SqliteCounters, SqliteLocks]) {
        new Store(database, context.clock);
      }
      const expiring = [
        { table: 'artifacts', expiry: 'expires_at', key: 'rowid' },
        { table: 'journeys', expiry: 'expires_at', key: 'rowid' },
        { table: 'counters', expiry: 'resets_at', key: 'key' },
        { table: 'locks', expiry: 'expires_at', key: 'key' },
      ] as const;
      new Sweeper(database, expiring, context);
    },
  ],
];

describe('query plans', () => {
  const workspace = useWorkspace((directory, context) =>
    openDurable({ engine: 'sqlite', path: join(directory, 'unused.db') }, context),
  );

  /** Every statement the stores of a half prepare, with the steps SQLite takes for it. */
  const plansOf = ([half, prepareAll]: (typeof HALVES)[number]): { sql: string; steps: string[] }[] => {
    const path = join(workspace.directory, `${half.name}-plans.db`);
    const handle = openFile(path, half, 'NORMAL');
    const statements: string[] = [];
    const prepare = handle.prepare.bind(handle);
    handle.prepare = (sql) => {
      statements.push(sql);
      return prepare(sql);
    };
    prepareAll(new Database(path, handle), workspace.context);
    const plans = statements
      .filter((sql) => /FROM|UPDATE|INSERT/.test(sql) && !sql.includes('sqlite_schema'))
      .map((sql) => ({
        sql,
        steps: prepare(`EXPLAIN QUERY PLAN ${sql}`)
          .all()
          .map(({ detail }) => String(detail)),
      }));
    handle.close();
    return plans;
  };
  const stepsOf = (wanted: RegExp): string[] =>
    HALVES.flatMap(plansOf).flatMap(({ sql, steps }) => (wanted.test(sql) ? steps : []));

  test.each(HALVES)('no statement of the $name half reads a whole table', (...half) => {
    const steps = plansOf(half).flatMap((plan) => plan.steps);
    expect(steps.length).toBeGreaterThan(8);
    expect(steps.filter((step) => step.startsWith('SCAN') && !MAY_BE_SCANNED.test(step))).toEqual([]);
  });

  test('what is due is found in the order of the index, whatever else waits', () => {
    expect(stepsOf(/SELECT id FROM outbox/)).toEqual([
      'SEARCH outbox USING INDEX outbox_by_due (urgent=? AND due_at<?)',
    ]);
  });

  test('one mail and one lock are found by their key', () => {
    const ofMails = stepsOf(/(UPDATE|DELETE FROM) outbox/);
    expect(ofMails).toHaveLength(4);
    for (const step of ofMails)
      expect(step).toMatch(/^SEARCH outbox USING .*INDEX sqlite_autoindex_outbox_1 \(id=\?\)$/);
    const ofLocks = stepsOf(/(UPDATE|DELETE FROM|FROM) locks (SET .*)?WHERE key = \?/);
    expect(ofLocks).toHaveLength(2);
    for (const step of ofLocks) expect(step).toBe('SEARCH locks USING PRIMARY KEY (key=?)');
  });

  test('what an account has is found by the account, not among all of its kind', () => {
    const steps = stepsOf(/^UPDATE artifacts SET payload/);
    expect(steps).toHaveLength(2);
    for (const step of steps) {
      expect(step).toBe('SEARCH artifacts USING INDEX artifacts_by_account (kind=? AND account_id=?)');
    }
  });
});
