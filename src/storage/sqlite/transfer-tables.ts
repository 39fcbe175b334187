import { durableRecords, ephemeralRecords, type MemberKind, type RecordShape } from '../records.ts';
import { flag, json, optionalJson, optionalText, optionalWhole, text, whole } from '../values.ts';
import { jsonTexts } from './values.ts';

export type Cell = string | number | null;

/** A member of a record, and the column that holds it. */
export interface Column {
  readonly member: string;
  readonly column: string;
  /** Read by this subquery, and written by a statement beside, because it stands in another table. */
  readonly elsewhere?: string;
  /** @throws TypeError when the value isn't what the column holds; absent is NULL */
  encode(name: string, value: unknown): Cell;
  decode(cell: string | number): unknown;
}

/** How a table is read and written as a whole. Statements take members as named parameters. */
export interface Table {
  readonly table: string;
  readonly shape: RecordShape;
  readonly columns: readonly Column[];
  /** Columns of the key, in the order of a unique index. */
  readonly key: readonly string[];
  /** What is run for each row beside the statement that writes (or removes) it. */
  readonly beside: Beside;
}

interface Beside {
  readonly beforeWrite?: readonly string[];
  readonly afterWrite?: readonly string[];
  readonly beforeRemove?: readonly string[];
}

const asIs = (cell: string | number): unknown => cell;
const parsed = (cell: string | number): unknown => JSON.parse(String(cell));

const CODECS: Readonly<Record<MemberKind, Pick<Column, 'encode' | 'decode'>>> = {
  text: { encode: text, decode: asIs },
  'optional text': { encode: optionalText, decode: asIs },
  texts: { encode: jsonTexts, decode: parsed },
  whole: { encode: whole, decode: asIs },
  'optional whole': { encode: optionalWhole, decode: asIs },
  flag: { encode: flag, decode: (cell) => cell === 1 },
  object: { encode: json, decode: parsed },
  'optional object': { encode: optionalJson, decode: parsed },
};

/** `sealedJwk` is in `sealed_jwk`. */
export const columnOf = (member: string): string => member.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

interface Special {
  readonly key?: readonly string[];
  readonly elsewhere?: Readonly<Record<string, string>>;
  readonly beside?: Beside;
}

function tableOf(table: string, shape: RecordShape, { key, elsewhere = {}, beside = {} }: Special = {}): Table {
  const columns = Object.entries(shape.members).map(([member, kind]): Column => {
    const subquery = elsewhere[member];
    const where = subquery === undefined ? {} : { elsewhere: subquery };
    return { member, column: columnOf(member), ...CODECS[kind], ...where };
  });
  return { table, shape, columns, key: key ?? shape.key.map(columnOf), beside };
}

export const audit = tableOf('audit_events', durableRecords.audit, { key: ['id'] });

const credentials = tableOf('credentials', durableRecords.credentials, {
  beside: {
    beforeWrite: [
      'DELETE FROM credentials WHERE kind = :kind AND lookup = :lookup AND NOT (account_id = :accountId AND id = :id)',
    ],
  },
});

const forgetIdentifiers = 'DELETE FROM identifiers WHERE account_id = :id';
const accounts = tableOf('accounts', durableRecords.accounts, {
  elsewhere: {
    identifiers: `(SELECT json_group_array(identifier) FROM
      (SELECT identifier FROM identifiers WHERE account_id = accounts.id ORDER BY identifier))`,
  },
  beside: {
    afterWrite: [
      forgetIdentifiers,
      `INSERT INTO identifiers (identifier, account_id) SELECT DISTINCT value, :id FROM json_each(:identifiers) WHERE true
         ON CONFLICT (identifier) DO UPDATE SET account_id = excluded.account_id`,
    ],
    beforeRemove: [forgetIdentifiers],
  },
});

export const durableTables: Readonly<Record<keyof typeof durableRecords, Table>> = {
  keys: tableOf('signing_keys', durableRecords.keys),
  upstreamKeys: tableOf('upstream_keys', durableRecords.upstreamKeys),
  audit,
  artifacts: tableOf('artifacts', durableRecords.artifacts),
  consents: tableOf('consents', durableRecords.consents),
  credentials,
  accounts,
  outbox: tableOf('outbox', durableRecords.outbox),
};

export const ephemeralTables: Readonly<Record<keyof typeof ephemeralRecords, Table>> = {
  locks: tableOf('locks', ephemeralRecords.locks),
  counters: tableOf('counters', ephemeralRecords.counters),
  artifacts: tableOf('artifacts', ephemeralRecords.artifacts),
  journeys: tableOf('journeys', ephemeralRecords.journeys),
};
