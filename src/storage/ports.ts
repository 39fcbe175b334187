/**
 * What the domain needs of storage, and nothing else. Two ports, chosen apart in the
 * configuration: *durable* (people, credentials, consents, keys, audit: must survive a power
 * cut) and *ephemeral* (protocol state, journeys, counters: must survive `kill -9`).
 *
 * Rules every engine keeps, proven by `test/contracts/`:
 * - A promise that resolved means the write is committed.
 * - Verbs named `insert…`, `consume…`, `replace…` and `increment…` are atomic: of any number of
 *   simultaneous callers exactly one wins. None is made of a read followed by a write.
 * - A row whose `expiresAt` has passed is never returned, whether swept already or not.
 * - A failure is thrown, never turned into "not found" or "no": callers grant nothing then.
 * - Times are whole seconds since the epoch unless said otherwise; identifiers are opaque strings.
 */

// ---------------------------------------------------------------- durable

export type AccountState = 'active' | 'suspended' | 'deleted';

/** Standard claims of OpenID Connect Core §5.1 that an account may hold. */
export interface Profile {
  readonly name?: string;
  readonly given_name?: string;
  readonly family_name?: string;
  readonly middle_name?: string;
  readonly nickname?: string;
  readonly profile?: string;
  readonly picture?: string;
  readonly website?: string;
  readonly gender?: string;
  readonly birthdate?: string;
  readonly zoneinfo?: string;
  readonly locale?: string;
  readonly phone_number?: string;
  readonly phone_number_verified?: boolean;
  readonly address?: Readonly<Record<string, string>>;
}

export interface Account {
  /** The subject (`sub`): random, never the username. */
  readonly id: string;
  /** As the person writes it; compared only through `identifiers`. */
  readonly username: string;
  readonly email?: string;
  readonly emailVerified: boolean;
  readonly state: AccountState;
  /** Least level of assurance (`acr`) that signing in must reach. */
  readonly minimumAcr?: string;
  readonly profile: Profile;
  /** Grows when everything proven before is void: a sign-in begun under an earlier one comes to nothing. */
  readonly generation: number;
  readonly createdAt: number;
  readonly updatedAt: number;
  /** Grows by one at each change; the expected value guards `replace`. */
  readonly version: number;
}

export interface AccountStore {
  find(id: string): Promise<Account | undefined>;
  /** @param identifier normalised username or e-mail address (`accounts/identifier.ts`) */
  findByIdentifier(identifier: string): Promise<Account | undefined>;
  /** @returns false, and nothing is written, when the id or any identifier is taken. */
  insert(account: Account, identifiers: readonly string[]): Promise<boolean>;
  /** Compare-and-set on `version`. @returns false when somebody else changed the account meanwhile
   *  or an identifier is taken; nothing is written then. The new version is `expectedVersion + 1`.
   *  @param mails put into the outbox by the same transaction, if anything is written */
  replace(
    account: Account,
    identifiers: readonly string[],
    expectedVersion: number,
    mails?: readonly OutboxEntry[],
  ): Promise<boolean>;
  /** How many accounts there are; an engine may answer a little late, but must not scan. */
  count(): Promise<number>;
}

/** One proof a person can give: a password hash, later a passkey, a TOTP seed … */
export interface Credential {
  readonly accountId: string;
  /** The factor it belongs to: `password`, … */
  readonly kind: string;
  readonly id: string;
  /**
   * What finds it without its account, such as a passkey's credential id: no two credentials of a
   * kind share one, whoever they belong to. Never changes.
   */
  readonly lookup?: string;
  /** A hash, a public key or a sealed value: never a secret in clear. */
  readonly data: string;
  /** Compare-and-set value: grows by one at each change. */
  readonly version: number;
  readonly createdAt: number;
  readonly updatedAt: number;
}

/** Which credentials of an account sign it in. */
export interface WaysIn {
  readonly kinds: readonly string[];
  /** Ids of those that don't although they are of such a kind. */
  readonly except?: readonly string[];
}

/** Where a verb takes `mails`, they are put into the outbox by the same transaction, and only if it changed anything. */
export interface CredentialStore {
  /** Everything the account has, of every kind, in one read. */
  all(accountId: string): Promise<Credential[]>;
  list(accountId: string, kind: string): Promise<Credential[]>;
  find(accountId: string, kind: string, id: string): Promise<Credential | undefined>;
  findByLookup(kind: string, lookup: string): Promise<Credential | undefined>;
  /** @returns false when (account, kind, id) or (kind, lookup) exists. */
  insert(credential: Credential, mails?: readonly OutboxEntry[]): Promise<boolean>;
  /** Compare-and-set on `version`; stored as `expectedVersion + 1`. @returns false for the loser. */
  replace(credential: Credential, expectedVersion: number, mails?: readonly OutboxEntry[]): Promise<boolean>;
  /** @returns whether it was there. */
  remove(accountId: string, kind: string, id: string, mails?: readonly OutboxEntry[]): Promise<boolean>;
  /** Removes it only while the account keeps another credential that signs it in: parallel
   *  callers can't take the last one between them. @returns whether it was removed */
  removeUnlessLast(
    accountId: string,
    kind: string,
    id: string,
    waysIn: WaysIn,
    mails?: readonly OutboxEntry[],
  ): Promise<boolean>;
  /** How many accounts hold at least one credential of the kind; may be a little late, must not scan. */
  holders(kind: string): Promise<number>;
}

/** What a person allowed a third-party client, remembered beyond the session. */
export interface Consent {
  readonly accountId: string;
  readonly clientId: string;
  readonly scopes: readonly string[];
  readonly claims: readonly string[];
  /** Scopes by resource indicator (RFC 8707). */
  readonly resources: Readonly<Record<string, readonly string[]>>;
  readonly updatedAt: number;
}

export interface ConsentStore {
  find(accountId: string, clientId: string): Promise<Consent | undefined>;
  /** Insert or overwrite: the last decision counts. */
  save(consent: Consent): Promise<void>;
  remove(accountId: string, clientId: string): Promise<boolean>;
}

/** A key, sealed. `position` 0 is in use; 1 takes its place when its time has come. */
export interface StoredKey {
  readonly kid: string;
  readonly alg: string;
  readonly sealedJwk: string;
  readonly position: number;
  readonly createdAt: number;
}

export interface KeyStore {
  /** Ordered by `alg`, then `position`. */
  list(): Promise<StoredKey[]>;
  /** All or nothing, and only into an empty store: ten nodes may start together, one wins.
   *  @returns false when there are keys already. */
  insertFirst(keys: readonly StoredKey[]): Promise<boolean>;
  /** Compare-and-set on the whole store: these instead of `expected`, whose order doesn't matter.
   *  @returns false, and nothing is written, when others are stored by now. */
  replaceAll(keys: readonly StoredKey[], expected: readonly StoredKey[]): Promise<boolean>;
}

export interface AuditEvent {
  /** Random; makes a retried append harmless. */
  readonly id: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** Dotted name: `login.succeeded`, `login.failed`, `people.added` … */
  readonly event: string;
  readonly accountId?: string;
  readonly clientId?: string;
  readonly requestId?: string;
  /** Address prefix, never the full address. */
  readonly address?: string;
  readonly details?: Readonly<Record<string, string | number | boolean | readonly string[]>>;
}

export interface AuditStore {
  /** @param mails put into the outbox by the same transaction */
  append(event: AuditEvent, mails?: readonly OutboxEntry[]): Promise<void>;
  /** Newest first. */
  list(query: { readonly accountId?: string; readonly limit: number }): Promise<AuditEvent[]>;
}

/** A mail that is owed: what it is about. Its text and its links are made when it is sent. */
export interface OutboxEntry {
  /** Random. The mail's Message-ID follows from it, so that a second copy is known as one. */
  readonly id: string;
  /** Who composes it: `notice`, `recovery` … */
  readonly kind: string;
  /** Never a secret. */
  readonly payload: Readonly<Record<string, unknown>>;
  /** Somebody waits for it: sent before those nobody waits for. */
  readonly urgent: boolean;
  readonly createdAt: number;
}

export interface ClaimedMail extends OutboxEntry {
  /** How often it was handed out, this time included. */
  readonly attempts: number;
}

/**
 * Mails from the moment they are owed until a mail server took them: at least once. Of any number of
 * workers, on any number of nodes, each entry is with one at a time.
 */
export interface OutboxStore {
  add(mails: readonly OutboxEntry[]): Promise<void>;
  /**
   * Hands out entries that are due, urgent ones first, then those due longest. Whoever neither finishes nor
   * postpones one in time has lost it: it is due again.
   */
  claim(limit: number, leaseSeconds: number): Promise<ClaimedMail[]>;
  /** It was sent, or nobody is to get it: forgotten. */
  done(id: string): Promise<void>;
  /** @param until when it is due again @param problem why; without personal data */
  postpone(id: string, until: number, problem: string): Promise<void>;
  /** Given up: kept for an administrator to see, never handed out again. */
  bury(id: string, problem: string): Promise<void>;
  count(): Promise<{ readonly waiting: number; readonly dead: number }>;
}

// ---------------------------------------------------------------- protocol artifacts (both)

/** One record of the protocol library (session, code, token, grant …). */
export interface Artifact {
  /** Everything the library stored, JSON; unknown members survive the round trip. */
  readonly payload: Readonly<Record<string, unknown>>;
  readonly grantId?: string;
  readonly uid?: string;
  readonly userCode?: string;
  /** Whose it is, where everything of an account may have to be ended. */
  readonly accountId?: string;
  /** When it was used up; single use is decided by `consumeOnce` alone. */
  readonly consumedAt?: number;
  readonly expiresAt: number;
}

export interface ArtifactStore {
  /** Insert or overwrite; keeps an existing `consumedAt`. `kind` and `id` together are the key,
   *  so an id of one kind never finds a record of another. */
  save(kind: string, id: string, artifact: Artifact): Promise<void>;
  /** @returns false when the key exists (replay detection). */
  insertOnly(kind: string, id: string, artifact: Artifact): Promise<boolean>;
  find(kind: string, id: string): Promise<Artifact | undefined>;
  findByUid(kind: string, uid: string): Promise<{ id: string; artifact: Artifact } | undefined>;
  findByUserCode(kind: string, userCode: string): Promise<{ id: string; artifact: Artifact } | undefined>;
  /** Marks as used. @returns true for exactly one caller; false when used already or not there. */
  consumeOnce(kind: string, id: string, at: number): Promise<boolean>;
  remove(kind: string, id: string): Promise<void>;
  /** Removes every record of that kind belonging to the grant, without a scan. */
  removeByGrant(kind: string, grantId: string): Promise<void>;
  /** Marks every record of that kind belonging to the account as used and empties it, without a scan.
   *  @param end `at`: when; `until`: how long the marks are kept; `exceptUid`: the one that stays as it is */
  endByAccount(
    kind: string,
    accountId: string,
    end: { readonly at: number; readonly until: number; readonly exceptUid?: string | undefined },
  ): Promise<void>;
}

// ---------------------------------------------------------------- ephemeral

/** State of one login journey, keyed by the interaction's uid. */
export interface JourneyRecord {
  readonly uid: string;
  readonly state: Readonly<Record<string, unknown>>;
  readonly version: number;
  readonly expiresAt: number;
}

export interface JourneyStore {
  find(uid: string): Promise<JourneyRecord | undefined>;
  /** Compare-and-set; `expectedVersion` 0 means "there is none yet". Stored as `expectedVersion + 1`.
   *  @returns false for the loser. */
  save(record: Omit<JourneyRecord, 'version'>, expectedVersion: number): Promise<boolean>;
}

export interface CounterReading {
  /** Count within the running window, this call included. */
  readonly count: number;
  /** When the window ends, seconds since the epoch. */
  readonly resetsAt: number;
}

/** Counting that parallel callers can't slip past: limits are decided on the returned counts. */
export interface CounterStore {
  /** Adds one to each key in one atomic step; a key's window starts at its first increment.
   *  @returns readings in the order of the keys */
  increment(keys: readonly { readonly key: string; readonly windowSeconds: number }[]): Promise<CounterReading[]>;
  /** Takes one back from each (never below zero, never outliving the window). */
  decrement(keys: readonly string[]): Promise<void>;
}

/** How often something may be guessed before it is locked, and for how long. */
export interface LockRule {
  /** Tries in a row; the last of them locks. */
  readonly tries: number;
  /** Seconds of the first lock; each one doubles the next. */
  readonly first: number;
  readonly longest: number;
  /** Seconds after which a try, or a lock that ended, is forgotten. */
  readonly memory: number;
}

export interface LockReading {
  /** Tries in a row with this one; undefined: it came during a lock, and is not to be evaluated. */
  readonly admitted?: number;
  /** When the lock ends, seconds since the epoch; absent while there is none. */
  readonly lockedUntil?: number;
}

/** Guessing that parallel callers can't speed up: of any number, no more are admitted than are left. */
export interface LockStore {
  /** Counts a try before it is evaluated. A try during a lock neither counts nor prolongs it. */
  take(key: string, rule: LockRule): Promise<LockReading>;
  /** Takes tries back. @param lift ends the lock as well */
  giveBack(key: string, tries: number, lift: boolean): Promise<void>;
  /** @returns when the lock ends; undefined while there is none */
  lockedUntil(key: string): Promise<number | undefined>;
  /** As if there had been no try, at this key and at those that begin with it and a colon. @returns whether there was a lock */
  clear(key: string): Promise<boolean>;
}

// ---------------------------------------------------------------- moving to another engine

/** One record on its way from one engine to another, the same in all of them. */
export interface TransferRow {
  /** Unique within its collection, never empty. */
  readonly key: string;
  /** JSON in the words of the ports; absent members are absent. */
  readonly value: Readonly<Record<string, unknown>>;
  /** The second from which on it counts as absent. */
  readonly expiresAt?: number;
}

/** Everything of a half, sealed as it is stored. For an operator's command, never for a server. */
export interface TransferPort {
  /** Which data this is, as an operator knows it: the same for the same data; holds no secret. */
  readonly place: string;
  /** Names, in an order in which the copy of the first few lets nobody in whom all of them would keep out. */
  readonly collections: readonly string[];
  /** Rows that haven't expired; may scan. */
  count(collection: string): Promise<number>;
  /** Rows that haven't expired, by key in the order of its UTF-8 bytes. @param after the last key read before */
  read(collection: string, after: string | undefined, limit: number): Promise<TransferRow[]>;
  /** Inserts or overwrites; what stands in the way under a unique name gives way. */
  write(collection: string, rows: readonly TransferRow[]): Promise<void>;
  remove(collection: string, rows: readonly TransferRow[]): Promise<void>;
  /** What was noted last about a copy into here that isn't finished; undefined when there is none. */
  marker(): Promise<string | undefined>;
  mark(text: string): Promise<void>;
  /** Brings up to date what follows from the rows, such as totals, and forgets the marker. */
  finish(): Promise<void>;
}

// ---------------------------------------------------------------- the two halves

export interface DurableStorage {
  readonly accounts: AccountStore;
  readonly credentials: CredentialStore;
  readonly consents: ConsentStore;
  readonly keys: KeyStore;
  /** Keys towards external providers; never those that sign our own tokens. */
  readonly upstreamKeys: KeyStore;
  readonly audit: AuditStore;
  readonly outbox: OutboxStore;
  /** Artifacts whose loss would matter: grants, refresh tokens, dynamically registered clients. */
  readonly artifacts: ArtifactStore;
  readonly transfer: TransferPort;
  /** Throws when the store can't answer. For the readiness probe. */
  ping(): Promise<void>;
  close(): Promise<void>;
}

export interface EphemeralStorage {
  readonly artifacts: ArtifactStore;
  readonly journeys: JourneyStore;
  readonly counters: CounterStore;
  readonly locks: LockStore;
  readonly transfer: TransferPort;
  ping(): Promise<void>;
  close(): Promise<void>;
}

/** What an engine is opened with besides its settings. */
export interface EngineContext {
  readonly clock: import('../kernel/clock.ts').Clock;
  readonly logger: import('../kernel/logger.ts').Logger;
}
