/**
 * Validators stand where a document of another shape could let somebody in or lock somebody out: accounts,
 * credentials, consents and keys, which are written when somebody changes something. What every sign-in writes
 * (artifacts, audit events, mails) has none: that is the hot path, and its documents are made in one place.
 * They refuse (`error`) because `warn` would write the document into the server's log; members they don't
 * name are allowed, so that a newer node may add some while older ones still run.
 */
import type { Document } from 'mongodb';
import { type CollectionSchema, type Migration, prepare } from './migration.ts';

const text = { bsonType: 'string' };
const flag = { bsonType: 'bool' };
/** The driver stores whole numbers beyond 32 bits as doubles. */
const whole = { bsonType: ['int', 'long', 'double'], minimum: 0 };
const list = (items: Document, more: Document = {}): Document => ({ bsonType: 'array', items, ...more });
const object = (required: Readonly<Record<string, Document>>, optional: Readonly<Record<string, Document>> = {}) => ({
  bsonType: 'object',
  required: Object.keys(required),
  properties: { ...required, ...optional },
});

const keys = object({
  _id: text,
  keys: list(object({ kid: text, alg: text, sealedJwk: text, position: whole, createdAt: whole }), { minItems: 1 }),
});

const present = (member: string) => ({ partialFilterExpression: { [member]: { $exists: true } } });

export const collections: readonly CollectionSchema[] = [
  {
    name: 'accounts',
    // Usernames and e-mail addresses share one space, each taken once.
    indexes: [{ name: 'by_identifier', key: { identifiers: 1 }, unique: true, sparse: true }],
    validator: object(
      {
        _id: text,
        username: text,
        emailVerified: flag,
        state: { enum: ['active', 'suspended', 'deleted'] },
        profile: text,
        generation: whole,
        createdAt: whole,
        updatedAt: whole,
        version: whole,
      },
      { identifiers: list(text, { minItems: 1, uniqueItems: true }), email: text, minimumAcr: text },
    ),
  },
  {
    name: 'credentials',
    indexes: [{ name: 'by_lookup', key: { lookups: 1 }, unique: true, sparse: true }],
    validator: object(
      {
        _id: text,
        items: list(
          object(
            { kind: text, id: text, data: text, version: whole, createdAt: whole, updatedAt: whole },
            { lookup: text },
          ),
        ),
      },
      { lookups: list(text, { minItems: 1, uniqueItems: true }) },
    ),
  },
  { name: 'totals', indexes: [] },
  {
    name: 'consents',
    indexes: [{ name: 'by_account', key: { accountId: 1 } }],
    validator: object({
      _id: text,
      accountId: text,
      clientId: text,
      scopes: list(text),
      claims: list(text),
      resources: text,
      updatedAt: whole,
    }),
  },
  { name: 'signing_keys', indexes: [], validator: keys },
  { name: 'upstream_keys', indexes: [], validator: keys },
  {
    name: 'audit_events',
    indexes: [
      { name: 'by_time', key: { at: -1, sequence: -1 } },
      { name: 'by_account', key: { accountId: 1, at: -1, sequence: -1 }, ...present('accountId') },
    ],
  },
  { name: 'outbox', indexes: [{ name: 'by_due', key: { dead: 1, urgent: -1, dueAt: 1 } }] },
  {
    name: 'artifacts',
    indexes: [
      { name: 'by_grant', key: { kind: 1, grantId: 1 }, ...present('grantId') },
      { name: 'by_uid', key: { kind: 1, uid: 1 }, ...present('uid') },
      { name: 'by_user_code', key: { kind: 1, userCode: 1 }, ...present('userCode') },
      { name: 'by_account', key: { kind: 1, accountId: 1 }, ...present('accountId') },
      { name: 'by_sweep', key: { sweepAt: 1 }, expireAfterSeconds: 0 },
    ],
  },
];

export const version1: Migration = async (db) => {
  for (const collection of collections) await prepare(db, collection);
};
