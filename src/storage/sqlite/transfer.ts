import { realpathSync } from 'node:fs';
import type { StatementSync } from 'node:sqlite';
import { type Clock, epochSeconds } from '../../kernel/clock.ts';
import type { TransferPort, TransferRow } from '../ports.ts';
import { auditPosition, auditRows, expectRecord, partsOf, rowOf } from '../records.ts';
import { positive, text } from '../values.ts';
import type { Database } from './database.ts';
import { audit, type Cell, columnOf, type Table } from './transfer-tables.ts';

type Cells = Record<string, Cell>;

const MARKER = 'transfer_marker';

/** Everything of one file, for `vestibule storage migrate`. Statements are prepared when it is used. */
export class SqliteTransfer implements TransferPort {
  readonly place: string;
  readonly collections: readonly string[];
  readonly #database: Database;
  readonly #clock: Clock;
  readonly #tables: Readonly<Record<string, Table>>;
  readonly #prepared = new Map<string, Rows>();

  /** @param path of the database file, which exists @param tables by the name of their collection, in its order */
  constructor(database: Database, path: string, tables: Readonly<Record<string, Table>>, clock: Clock) {
    this.#database = database;
    this.#clock = clock;
    this.#tables = tables;
    this.place = `sqlite ${realpathSync(path)}`;
    this.collections = Object.keys(tables);
  }

  async count(collection: string): Promise<number> {
    const table = this.#rows(collection);
    return this.#database.read(() => table.count(this.#now()));
  }

  async read(collection: string, after: string | undefined, limit: number): Promise<TransferRow[]> {
    const table = this.#rows(collection);
    const most = positive('limit', limit);
    const last = after === undefined ? undefined : text('after', after);
    return this.#database.read(() => table.read(last, most, this.#now()));
  }

  async write(collection: string, rows: readonly TransferRow[]): Promise<void> {
    const table = this.#rows(collection);
    const encoded = rows.map(({ value }) => table.encode(value));
    await this.#database.write(() => {
      for (const cells of encoded) table.write(cells);
    });
  }

  async remove(collection: string, rows: readonly TransferRow[]): Promise<void> {
    const table = this.#rows(collection);
    const encoded = rows.map(({ value }) => table.encode(value));
    await this.#database.write(() => {
      for (const cells of encoded) table.remove(cells);
    });
  }

  // A table of its own while there is a copy to be finished: what was copied into is no different afterwards.
  async marker(): Promise<string | undefined> {
    return this.#database.read(() => {
      const exists = this.#database.prepare('SELECT 1 FROM sqlite_schema WHERE name = ?').get(MARKER);
      const found = exists && this.#database.prepare(`SELECT text FROM ${MARKER}`).get();
      return found === undefined ? undefined : String(found.text);
    });
  }

  async mark(marker: string): Promise<void> {
    const value = text('marker', marker);
    await this.#database.write(() => {
      this.#database.prepare(`CREATE TABLE IF NOT EXISTS ${MARKER} (text TEXT NOT NULL) STRICT`).run();
      this.#database.prepare(`DELETE FROM ${MARKER}`).run();
      this.#database.prepare(`INSERT INTO ${MARKER} (text) VALUES (?)`).run(value);
    });
  }

  /** Totals are kept by triggers already. */
  async finish(): Promise<void> {
    await this.#database.write(() => this.#database.prepare(`DROP TABLE IF EXISTS ${MARKER}`).run());
  }

  #rows(collection: string): Rows {
    const prepared = this.#prepared.get(collection);
    if (prepared) return prepared;
    const table = Object.hasOwn(this.#tables, collection) ? this.#tables[collection] : undefined;
    if (!table) throw new TypeError(`there is no collection ${collection}`);
    const rows = table === audit ? new AuditRows(this.#database) : new Rows(this.#database, table);
    this.#prepared.set(collection, rows);
    return rows;
  }

  #now(): number {
    return epochSeconds(this.#clock);
  }
}

/** The rows of one table. */
class Rows {
  protected readonly table: Table;
  readonly #read: StatementSync;
  readonly #count: StatementSync;
  readonly #write: readonly StatementSync[];
  readonly #remove: readonly StatementSync[];

  constructor(database: Database, table: Table) {
    this.table = table;
    const { columns, key, shape, beside } = table;
    const prepare = (sql: string): StatementSync => {
      const statement = database.prepare(sql);
      // Each takes what it needs of a row's members.
      statement.setAllowUnknownNamedParameters(true);
      return statement;
    };
    const alive = shape.expiry === undefined ? '' : `AND ${columnOf(shape.expiry)} > :now`;
    const after = key.map((_, index) => `:after${index}`).join(', ');
    this.#read = prepare(
      `SELECT ${selected(table)} FROM ${table.table} WHERE (${key.join(', ')}) > (${after}) ${alive}
         ORDER BY ${key.join(', ')} LIMIT :limit`,
    );
    this.#count = prepare(`SELECT count(*) AS count FROM ${table.table} WHERE true ${alive}`);
    const stored = columns.filter(({ elsewhere }) => elsewhere === undefined);
    const write = `INSERT INTO ${table.table} (${stored.map(({ column }) => column).join(', ')})
        VALUES (${stored.map(({ member }) => `:${member}`).join(', ')})
      ON CONFLICT (${key.join(', ')}) DO UPDATE SET ${stored.map(({ column }) => `${column} = excluded.${column}`).join(', ')}`;
    const ofKey = columns.filter(({ column }) => key.includes(column));
    const remove = `DELETE FROM ${table.table} WHERE ${ofKey.map(({ column, member }) => `${column} = :${member}`).join(' AND ')}`;
    this.#write = [...(beside.beforeWrite ?? []), write, ...(beside.afterWrite ?? [])].map(prepare);
    this.#remove = [...(beside.beforeRemove ?? []), remove].map(prepare);
  }

  count(now: number): number {
    return Number(this.#count.get({ now })?.count);
  }

  read(after: string | undefined, limit: number, now: number): TransferRow[] {
    const last = Object.fromEntries(
      partsOf(after ?? '', this.table.key.length).map((part, index) => [`after${index}`, part]),
    );
    return this.#read.all({ ...last, limit, now }).map((found) => rowOf(this.table.shape, this.decode(found as Cells)));
  }

  write(cells: Cells): void {
    for (const statement of this.#write) statement.run(cells);
  }

  remove(cells: Cells): void {
    for (const statement of this.#remove) statement.run(cells);
  }

  /** @throws TypeError for what isn't such a record */
  encode(value: TransferRow['value']): Cells {
    expectRecord(this.table.shape, value);
    return Object.fromEntries(this.table.columns.map(({ member, encode }) => [member, encode(member, value[member])]));
  }

  protected decode(found: Cells): TransferRow['value'] {
    const value: Record<string, unknown> = {};
    for (const { member, column, decode } of this.table.columns) {
      const cell = found[column];
      if (cell !== null && cell !== undefined) value[member] = decode(cell);
    }
    return value;
  }
}

/** Events in the order in which they are listed: by time, and those of one millisecond as they were written. */
class AuditRows extends Rows {
  readonly #since: StatementSync;

  constructor(database: Database) {
    super(database, audit);
    this.#since = database.prepare(
      `SELECT ${selected(audit)} FROM audit_events WHERE at >= ? ORDER BY at, sequence LIMIT ?`,
    );
  }

  override read(after: string | undefined, limit: number): TransferRow[] {
    const position = auditPosition(after);
    const found = this.#since.all(position.at, limit + position.place + 1) as (Cells & { at: number })[];
    return auditRows(position, found, (event) => this.decode(event));
  }
}

const selected = ({ columns }: Table): string =>
  columns.map(({ column, elsewhere }) => (elsewhere === undefined ? column : `${elsewhere} AS ${column}`)).join(', ');
