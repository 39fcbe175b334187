import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { systemClock } from '../../../src/kernel/clock.ts';
import { SqliteAccounts } from '../../../src/storage/sqlite/accounts.ts';
import { SqliteArtifacts } from '../../../src/storage/sqlite/artifacts.ts';
import { SqliteAudit } from '../../../src/storage/sqlite/audit.ts';
import { SqliteConsents } from '../../../src/storage/sqlite/consents.ts';
import { SqliteCounters } from '../../../src/storage/sqlite/counters.ts';
import { SqliteCredentials } from '../../../src/storage/sqlite/credentials.ts';
import { Database } from '../../../src/storage/sqlite/database.ts';
import { openDurable } from '../../../src/storage/sqlite/index.ts';
import { SqliteJourneys } from '../../../src/storage/sqlite/journeys.ts';
import { openFile } from '../../../src/storage/sqlite/open-file.ts';
import { durable } from '../../../src/storage/sqlite/schema/durable.ts';
import { ephemeral } from '../../../src/storage/sqlite/schema/ephemeral.ts';
import { Sweeper } from '../../../src/storage/sqlite/sweeper.ts';
import { useWorkspace } from '../workspace.ts';

/** The signing keys are a handful and read at start; `json_each` is the list of parameters. */
const MAY_BE_SCANNED = /^SCAN (json_each|signing_keys|CONSTANT ROW|audit_events USING INDEX)/;

describe('query plans', () => {
  const workspace = useWorkspace((directory, context) =>
    openDurable({ engine: 'sqlite', path: join(directory, 'unused.db') }, context),
  );

  test.each([
    [
      durable,
      (database: Database) => {
        for (const Store of [SqliteAccounts, SqliteCredentials, SqliteConsents, SqliteAudit]) new Store(database);
        new SqliteArtifacts(database, systemClock);
      },
    ],
    [
      ephemeral,
      (database: Database) => {
        for (const Store of [SqliteArtifacts, SqliteJourneys, SqliteCounters]) new Store(database, systemClock);
        const expiring = [
          { table: 'artifacts', expiry: 'expires_at', key: 'rowid' },
          { table: 'journeys', expiry: 'expires_at', key: 'rowid' },
          { table: 'counters', expiry: 'resets_at', key: 'key' },
        ] as const;
        new Sweeper(database, expiring, workspace.context);
      },
    ],
  ])('no statement of the $name half reads a whole table', (half, prepareAll) => {
    const path = join(workspace.directory, 'plans.db');
    const handle = openFile(path, half, 'NORMAL');
    const statements: string[] = [];
    const prepare = handle.prepare.bind(handle);
    handle.prepare = (sql) => {
      statements.push(sql);
      return prepare(sql);
    };
    prepareAll(new Database(path, handle));
    const steps = statements
      .filter((sql) => /FROM|UPDATE|INSERT/.test(sql) && !sql.includes('sqlite_schema'))
      .flatMap((sql) =>
        prepare(`EXPLAIN QUERY PLAN ${sql}`)
          .all()
          .map(({ detail }) => String(detail)),
      );
    handle.close();
    expect(steps.length).toBeGreaterThan(8);
    expect(steps.filter((step) => step.startsWith('SCAN') && !MAY_BE_SCANNED.test(step))).toEqual([]);
  });
});
