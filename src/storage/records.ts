/**
 * What a copy between engines consists of: every collection, its members, and the key of its rows. All engines
 * read and write it in these words, so that the same row is the same text whichever it comes from.
 */
import type { TransferRow } from './ports.ts';
import { flag, json, optionalJson, optionalText, optionalWhole, text, texts, whole } from './values.ts';

type Value = TransferRow['value'];

/** What a member holds. */
export type MemberKind =
  | 'text'
  | 'optional text'
  | 'texts'
  | 'whole'
  | 'optional whole'
  | 'flag'
  | 'object'
  | 'optional object';

export interface RecordShape {
  readonly members: Readonly<Record<string, MemberKind>>;
  /** Members that make the key, joined in this order. */
  readonly key: readonly string[];
  /** The member that says from when on it counts as absent. */
  readonly expiry?: string;
}

const key: RecordShape = {
  key: ['kid'],
  members: { kid: 'text', alg: 'text', sealedJwk: 'text', position: 'whole', createdAt: 'whole' },
};

/** The key is the place in the list of events (`auditKey`). */
const audit: RecordShape = {
  key: [],
  members: {
    id: 'text',
    at: 'whole',
    event: 'text',
    accountId: 'optional text',
    clientId: 'optional text',
    requestId: 'optional text',
    address: 'optional text',
    details: 'optional object',
  },
};

const artifact: RecordShape = {
  key: ['kind', 'id'],
  expiry: 'expiresAt',
  members: {
    kind: 'text',
    id: 'text',
    payload: 'object',
    grantId: 'optional text',
    uid: 'optional text',
    userCode: 'optional text',
    accountId: 'optional text',
    consumedAt: 'optional whole',
    expiresAt: 'whole',
  },
};

const consent: RecordShape = {
  key: ['accountId', 'clientId'],
  members: {
    accountId: 'text',
    clientId: 'text',
    scopes: 'texts',
    claims: 'texts',
    resources: 'object',
    updatedAt: 'whole',
  },
};

const credential: RecordShape = {
  key: ['accountId', 'kind', 'id'],
  members: {
    accountId: 'text',
    kind: 'text',
    id: 'text',
    lookup: 'optional text',
    data: 'text',
    version: 'whole',
    createdAt: 'whole',
    updatedAt: 'whole',
  },
};

/** `identifiers` are in the order of their bytes. */
const account: RecordShape = {
  key: ['id'],
  members: {
    id: 'text',
    username: 'text',
    email: 'optional text',
    emailVerified: 'flag',
    state: 'text',
    minimumAcr: 'optional text',
    profile: 'object',
    generation: 'whole',
    createdAt: 'whole',
    updatedAt: 'whole',
    version: 'whole',
    identifiers: 'texts',
  },
};

const mail: RecordShape = {
  key: ['id'],
  members: {
    id: 'text',
    kind: 'text',
    payload: 'object',
    urgent: 'flag',
    createdAt: 'whole',
    dueAt: 'whole',
    attempts: 'whole',
    dead: 'flag',
    problem: 'optional text',
  },
};

const journey: RecordShape = {
  key: ['uid'],
  expiry: 'expiresAt',
  members: { uid: 'text', state: 'object', version: 'whole', expiresAt: 'whole' },
};

const counter: RecordShape = {
  key: ['key'],
  expiry: 'resetsAt',
  members: { key: 'text', count: 'whole', resetsAt: 'whole' },
};

const lock: RecordShape = {
  key: ['key'],
  expiry: 'expiresAt',
  members: { key: 'text', count: 'whole', lockedUntil: 'whole', expiresAt: 'whole' },
};

/** In this order: accounts after everything that protects them, mails when the people they are for are there. */
export const durableRecords = {
  keys: key,
  upstreamKeys: key,
  audit,
  artifacts: artifact,
  consents: consent,
  credentials: credential,
  accounts: account,
  outbox: mail,
} as const satisfies Readonly<Record<string, RecordShape>>;

/** What holds guessers off first; journeys, which rest on the rest, last. */
export const ephemeralRecords = {
  locks: lock,
  counters: counter,
  artifacts: artifact,
  journeys: journey,
} as const satisfies Readonly<Record<string, RecordShape>>;

/** Between the parts of a key. Sorts before everything else, so that keys sort as their parts do. */
const SEPARATOR = '\0';

/** The row of a record that has been read; members that are undefined are left out. */
export function rowOf(shape: RecordShape, value: Value, key = keyOf(shape, value)): TransferRow {
  const present = Object.fromEntries(Object.entries(value).filter(([, member]) => member !== undefined));
  return { key, value: present, ...(shape.expiry === undefined ? {} : { expiresAt: Number(value[shape.expiry]) }) };
}

export const keyOf = (shape: RecordShape, value: Value): string =>
  shape.key.map((member) => String(value[member])).join(SEPARATOR);

/** Only the last part may hold the separator. @returns as many as there are, the rest empty */
export function partsOf(key: string, count: number): string[] {
  const parts = key.split(SEPARATOR);
  const first = Array.from({ length: count - 1 }, (_, index) => parts[index] ?? '');
  return [...first, parts.slice(count - 1).join(SEPARATOR)];
}

const CHECKS: Readonly<Record<MemberKind, (name: string, value: unknown) => unknown>> = {
  text,
  'optional text': optionalText,
  texts,
  whole,
  'optional whole': optionalWhole,
  flag,
  object: json,
  'optional object': optionalJson,
};

/** @throws TypeError for anything that isn't such a record */
export function expectRecord(shape: RecordShape, value: Value): void {
  const unknown = Object.keys(value).find((member) => !Object.hasOwn(shape.members, member));
  if (unknown !== undefined) throw new TypeError(`there is no member ${unknown}`);
  for (const [member, kind] of Object.entries(shape.members)) {
    CHECKS[kind](member, Object.hasOwn(value, member) ? value[member] : undefined);
  }
}

/** Of an event's time (milliseconds) and of its place among the events of that millisecond. */
const TIME_DIGITS = 16;
const PLACE_DIGITS = 8;

/** Where an event stands in the list: its time, and how many of that millisecond were written before it. */
export interface AuditPosition {
  readonly at: number;
  readonly place: number;
}

const auditKey = ({ at, place }: AuditPosition): string =>
  [String(at).padStart(TIME_DIGITS, '0'), String(place).padStart(PLACE_DIGITS, '0')].join(SEPARATOR);

/** @returns the position; before all of them where there is no key */
export function auditPosition(key: string | undefined): AuditPosition {
  if (key === undefined) return { at: 0, place: -1 };
  const [at, place] = partsOf(key, 2);
  return { at: whole('at', Number(at)), place: whole('place', Number(place)) };
}

/**
 * Rows of events that were read from the position's time on, `place + 1` more than are wanted, as they are listed.
 * @returns those behind the position
 */
export function auditRows<Event extends { readonly at: number }>(
  after: AuditPosition,
  events: readonly Event[],
  read: (event: Event) => Value,
): TransferRow[] {
  const rows: TransferRow[] = [];
  let before: number | undefined;
  let place = 0;
  for (const event of events) {
    place = event.at === before ? place + 1 : 0;
    before = event.at;
    if (event.at === after.at && place <= after.place) continue;
    rows.push(rowOf(durableRecords.audit, read(event), auditKey({ at: event.at, place })));
  }
  return rows;
}
