import { byteOrder } from '../../kernel/byte-order.ts';
import type { Account, Artifact, Consent, OutboxEntry } from '../ports.ts';
import { durableRecords, type RecordShape } from '../records.ts';
import { text, texts, whole } from '../values.ts';
import { documentOf as accountDocument } from './accounts.ts';
import { documentOf as artifactDocument } from './artifacts.ts';
import { documentOf as consentDocument } from './consents.ts';
import { type MailProgress, documentOf as mailDocument } from './outgoing.ts';

type Value = Readonly<Record<string, unknown>>;
export type StoredDocument = { readonly _id: string } & Readonly<Record<string, unknown>>;

/** A collection of which every document is a row, and `_id` the row's key. */
export interface PlainCollection {
  readonly name: string;
  readonly shape: RecordShape;
  /** @throws TypeError for anything that isn't such a record */
  toDocument(value: Value): StoredDocument;
  toValue(document: StoredDocument): Value;
}

/** The members that the document holds as they are, and those it holds as JSON text. */
function pick({ members }: RecordShape, document: StoredDocument): Record<string, unknown> {
  const stored = Object.entries(members).filter(([member]) => document[member] !== undefined);
  return Object.fromEntries(
    stored.map(([member, kind]) => [
      member,
      kind === 'object' || kind === 'optional object' ? JSON.parse(String(document[member])) : document[member],
    ]),
  );
}

const accounts: PlainCollection = {
  name: 'accounts',
  shape: durableRecords.accounts,
  toDocument: ({ identifiers, version, ...account }) => ({
    ...accountDocument(account as unknown as Account, texts('identifiers', identifiers), whole('version', version)),
  }),
  toValue: (document) => ({
    ...pick(durableRecords.accounts, document),
    id: document._id,
    identifiers: [...((document.identifiers as string[] | undefined) ?? [])].sort(byteOrder),
  }),
};

const artifacts: PlainCollection = {
  name: 'artifacts',
  shape: durableRecords.artifacts,
  toDocument: ({ kind, id, ...artifact }) => ({
    ...artifactDocument(text('kind', kind), text('id', id), artifact as unknown as Artifact),
  }),
  toValue: (document) => pick(durableRecords.artifacts, document),
};

const consents: PlainCollection = {
  name: 'consents',
  shape: durableRecords.consents,
  toDocument: (value) => ({ ...consentDocument(value as unknown as Consent) }),
  toValue: (document) => pick(durableRecords.consents, document),
};

const outbox: PlainCollection = {
  name: 'outbox',
  shape: durableRecords.outbox,
  toDocument: (value) => ({ ...mailDocument(value as unknown as OutboxEntry, value as unknown as MailProgress) }),
  toValue: (document) => ({ ...pick(durableRecords.outbox, document), id: document._id }),
};

export const plainCollections = { accounts, artifacts, consents, outbox } as const;
