import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { durable } from '../../../src/storage/sqlite/schema/durable.ts';
import { ephemeral } from '../../../src/storage/sqlite/schema/ephemeral.ts';
import { durableTables, ephemeralTables, type Table } from '../../../src/storage/sqlite/transfer-tables.ts';

/** What isn't copied because it follows from what is. */
const DERIVED = ['totals.kind', 'totals.accounts', 'audit_events.sequence'];
/** Copied with the accounts they belong to. */
const WITHIN = ['identifiers.identifier', 'identifiers.account_id'];

let database: DatabaseSync;
beforeEach(() => {
  database = new DatabaseSync(':memory:');
});
afterEach(() => database.close());

const columnsThereAre = (): string[] =>
  database
    .prepare(
      `SELECT tables.name || '.' || columns.name AS name FROM sqlite_schema AS tables, pragma_table_info(tables.name) AS columns
         WHERE tables.type = 'table'`,
    )
    .all()
    .map(({ name }) => String(name));

const columnsCopied = (tables: Readonly<Record<string, Table>>): string[] =>
  Object.values(tables).flatMap(({ table, columns }) =>
    columns.filter(({ elsewhere }) => elsewhere === undefined).map(({ column }) => `${table}.${column}`),
  );

describe('a column that is added is copied as well, or named here', () => {
  test('of the durable half', () => {
    for (const migration of durable.migrations) database.exec(migration);
    expect(columnsThereAre().sort()).toEqual([...columnsCopied(durableTables), ...DERIVED, ...WITHIN].sort());
  });

  test('of the ephemeral half', () => {
    for (const migration of ephemeral.migrations) database.exec(migration);
    expect(columnsThereAre().sort()).toEqual(columnsCopied(ephemeralTables).sort());
  });
});
