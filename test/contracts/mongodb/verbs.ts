import type {
  Account,
  Artifact,
  AuditEvent,
  Consent,
  Credential,
  DurableStorage,
  OutboxEntry,
  StoredKey,
} from '../../../src/storage/ports.ts';

/** Gives what stands in a place of a call, by the name of the place. */
export interface Places {
  text(place: string): string;
  whole(place: string): number;
}

export type Verb = (storage: DurableStorage, places: Places) => Promise<unknown>;

const account = ({ text, whole }: Places): Account => ({
  id: text('account.id'),
  username: text('account.username'),
  email: text('account.email'),
  emailVerified: false,
  state: 'active',
  minimumAcr: text('account.minimumAcr'),
  profile: {},
  generation: whole('account.generation'),
  createdAt: whole('account.createdAt'),
  updatedAt: whole('account.updatedAt'),
  version: 1,
});

const credential = ({ text, whole }: Places): Credential => ({
  accountId: text('credential.accountId'),
  kind: text('credential.kind'),
  id: text('credential.id'),
  lookup: text('credential.lookup'),
  data: text('credential.data'),
  version: whole('credential.version'),
  createdAt: whole('credential.createdAt'),
  updatedAt: whole('credential.updatedAt'),
});

const consent = ({ text, whole }: Places): Consent => ({
  accountId: text('consent.accountId'),
  clientId: text('consent.clientId'),
  scopes: [text('consent.scope')],
  claims: [text('consent.claim')],
  resources: {},
  updatedAt: whole('consent.updatedAt'),
});

const key = ({ text, whole }: Places): StoredKey => ({
  kid: text('key.kid'),
  alg: text('key.alg'),
  sealedJwk: text('key.sealedJwk'),
  position: whole('key.position'),
  createdAt: whole('key.createdAt'),
});

const mails = ({ text, whole }: Places): OutboxEntry[] => [
  { id: text('mail.id'), kind: text('mail.kind'), payload: {}, urgent: false, createdAt: whole('mail.createdAt') },
];

const event = ({ text, whole }: Places): AuditEvent => ({
  id: text('event.id'),
  at: whole('event.at'),
  event: text('event.event'),
  accountId: text('event.accountId'),
  clientId: text('event.clientId'),
  requestId: text('event.requestId'),
  address: text('event.address'),
});

const artifact = ({ text, whole }: Places): Artifact => ({
  payload: {},
  grantId: text('artifact.grantId'),
  uid: text('artifact.uid'),
  userCode: text('artifact.userCode'),
  accountId: text('artifact.accountId'),
  consumedAt: whole('artifact.consumedAt'),
  expiresAt: whole('artifact.expiresAt'),
});

/** Every verb of the durable half, once with all that it takes. A verb that isn't here is missed by `verbs.test.ts`. */
export const VERBS: Readonly<Record<string, Verb>> = {
  'accounts.find': ({ accounts }, { text }) => accounts.find(text('id')),
  'accounts.findByIdentifier': ({ accounts }, { text }) => accounts.findByIdentifier(text('identifier')),
  'accounts.insert': ({ accounts }, places) => accounts.insert(account(places), [places.text('identifier')]),
  'accounts.replace': ({ accounts }, places) =>
    accounts.replace(account(places), [places.text('identifier')], places.whole('expectedVersion'), mails(places)),
  'accounts.count': ({ accounts }) => accounts.count(),

  'credentials.all': ({ credentials }, { text }) => credentials.all(text('accountId')),
  'credentials.list': ({ credentials }, { text }) => credentials.list(text('accountId'), text('kind')),
  'credentials.find': ({ credentials }, { text }) => credentials.find(text('accountId'), text('kind'), text('id')),
  'credentials.findByLookup': ({ credentials }, { text }) => credentials.findByLookup(text('kind'), text('lookup')),
  'credentials.insert': ({ credentials }, places) => credentials.insert(credential(places), mails(places)),
  'credentials.replace': ({ credentials }, places) =>
    credentials.replace(credential(places), places.whole('expectedVersion'), mails(places)),
  'credentials.remove': ({ credentials }, places) =>
    credentials.remove(places.text('accountId'), places.text('kind'), places.text('id'), mails(places)),
  'credentials.removeUnlessLast': ({ credentials }, places) =>
    credentials.removeUnlessLast(
      places.text('accountId'),
      places.text('kind'),
      places.text('id'),
      { kinds: [places.text('waysIn.kind')], except: [places.text('waysIn.except')] },
      mails(places),
    ),
  'credentials.holders': ({ credentials }, { text }) => credentials.holders(text('kind')),

  'consents.find': ({ consents }, { text }) => consents.find(text('accountId'), text('clientId')),
  'consents.save': ({ consents }, places) => consents.save(consent(places)),
  'consents.remove': ({ consents }, { text }) => consents.remove(text('accountId'), text('clientId')),

  'keys.list': ({ keys }) => keys.list(),
  'keys.insertFirst': ({ keys }, places) => keys.insertFirst([key(places)]),
  'keys.replaceAll': ({ keys }, places) => keys.replaceAll([key(places)], [key(places)]),
  'upstreamKeys.list': ({ upstreamKeys }) => upstreamKeys.list(),
  'upstreamKeys.insertFirst': ({ upstreamKeys }, places) => upstreamKeys.insertFirst([key(places)]),
  'upstreamKeys.replaceAll': ({ upstreamKeys }, places) => upstreamKeys.replaceAll([key(places)], [key(places)]),

  'audit.append': ({ audit }, places) => audit.append(event(places), mails(places)),
  'audit.list': ({ audit }, { text, whole }) => audit.list({ accountId: text('accountId'), limit: whole('limit') }),

  'outbox.add': ({ outbox }, places) => outbox.add(mails(places)),
  'outbox.claim': ({ outbox }, { whole }) => outbox.claim(whole('limit'), whole('leaseSeconds')),
  'outbox.done': ({ outbox }, { text }) => outbox.done(text('id')),
  'outbox.postpone': ({ outbox }, { text, whole }) => outbox.postpone(text('id'), whole('until'), text('problem')),
  'outbox.bury': ({ outbox }, { text }) => outbox.bury(text('id'), text('problem')),
  'outbox.count': ({ outbox }) => outbox.count(),

  'artifacts.save': ({ artifacts }, places) => artifacts.save(places.text('kind'), places.text('id'), artifact(places)),
  'artifacts.insertOnly': ({ artifacts }, places) =>
    artifacts.insertOnly(places.text('kind'), places.text('id'), artifact(places)),
  'artifacts.find': ({ artifacts }, { text }) => artifacts.find(text('kind'), text('id')),
  'artifacts.findByUid': ({ artifacts }, { text }) => artifacts.findByUid(text('kind'), text('uid')),
  'artifacts.findByUserCode': ({ artifacts }, { text }) => artifacts.findByUserCode(text('kind'), text('userCode')),
  'artifacts.consumeOnce': ({ artifacts }, { text, whole }) =>
    artifacts.consumeOnce(text('kind'), text('id'), whole('at')),
  'artifacts.remove': ({ artifacts }, { text }) => artifacts.remove(text('kind'), text('id')),
  'artifacts.removeByGrant': ({ artifacts }, { text }) => artifacts.removeByGrant(text('kind'), text('grantId')),
  'artifacts.endByAccount': ({ artifacts }, { text, whole }) =>
    artifacts.endByAccount(text('kind'), text('accountId'), {
      at: whole('at'),
      until: whole('until'),
      exceptUid: text('exceptUid'),
    }),
  ping: (storage) => storage.ping(),
};

/** Harmless values everywhere. */
export const ordinary: Places = { text: (place) => `some ${place}`, whole: () => 1 };
