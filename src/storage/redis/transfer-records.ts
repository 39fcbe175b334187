import type { Artifact, ArtifactStore, CounterReading, JourneyRecord, TransferRow } from '../ports.ts';
import { ephemeralRecords, keyOf, partsOf, type RecordShape, rowOf } from '../records.ts';
import { artifactOf } from './artifact-record.ts';
import type { Call, Connection } from './connection.ts';
import { counterOf, recordOf as counterRecord } from './counter-record.ts';
import { journeyOf, recordOf as journeyRecord } from './journey-record.ts';
import { idOf, type Keys, partsIn } from './keys.ts';
import type { Lifetime } from './lifetime.ts';
import { type LockRecord, lockOf, recordOf as lockRecord } from './lock-record.ts';

type Value = TransferRow['value'];

/** How one collection is found, read and written. */
export interface Records {
  readonly shape: RecordShape;
  /** What its Redis keys begin with. */
  readonly begin: string;
  /** Keys of the rows that are in these Redis keys. @param names what follows `begin` in each */
  rowKeys(call: Call, names: readonly string[]): Promise<readonly string[]>;
  /** @returns undefined when it is gone; whether it has expired is looked at elsewhere */
  read(call: Call, key: string): Promise<Value | undefined>;
  write(value: Value): Promise<unknown>;
  remove(value: Value): Promise<unknown>;
}

export interface Parts {
  readonly connection: Connection;
  readonly keys: Keys;
  readonly lifetime: Lifetime;
  readonly artifacts: ArtifactStore;
}

/** Whatever its time: `liveRow` judges that, of all of them alike. */
const WHENEVER = Number.NEGATIVE_INFINITY;

/** Every kind of record, under the name of its collection. */
export const recordsOf = (parts: Parts): Readonly<Record<keyof typeof ephemeralRecords, Records>> => ({
  locks: locks(parts),
  counters: counters(parts),
  artifacts: artifacts(parts),
  journeys: journeys(parts),
});

const decoded = async (_call: Call, names: readonly string[]): Promise<readonly string[]> => names.map(idOf);

const artifacts = ({ keys, artifacts: store }: Parts): Records => ({
  shape: ephemeralRecords.artifacts,
  begin: keys.beginning('artifacts'),
  rowKeys: async (_call, names) =>
    names.map((name) => {
      const [kind = '', id = ''] = partsIn(name);
      return keyOf(ephemeralRecords.artifacts, { kind, id });
    }),
  read: async (call, key) => {
    const [kind = '', id = ''] = partsOf(key, 2);
    const artifact = artifactOf(await call.get(keys.artifact(kind, id)), WHENEVER);
    return artifact && { kind, id, ...artifact };
  },
  write: async ({ kind, id, ...artifact }) => {
    // Saving alone would keep the use of one that is there already.
    await store.remove(String(kind), String(id));
    await store.save(String(kind), String(id), artifact as unknown as Artifact);
  },
  remove: ({ kind, id }) => store.remove(String(kind), String(id)),
});

const journeys = ({ connection, keys, lifetime }: Parts): Records => ({
  shape: ephemeralRecords.journeys,
  begin: keys.beginning('journeys'),
  rowKeys: decoded,
  read: async (call, uid) => {
    const journey = journeyOf(uid, await call.get(keys.journey(uid)), WHENEVER);
    return journey && { ...journey };
  },
  write: (value) => {
    const journey = value as unknown as JourneyRecord;
    const [key, ttl] = [keys.journey(journey.uid), lifetime.ttl(journey.expiresAt)];
    return connection.ask((call) => call.command('set', key, journeyRecord(journey), 'EX', ttl));
  },
  remove: ({ uid }) => connection.ask((call) => call.command('del', keys.journey(String(uid)))),
});

const counters = ({ connection, keys, lifetime }: Parts): Records => ({
  shape: ephemeralRecords.counters,
  begin: keys.beginning('counters'),
  rowKeys: decoded,
  read: async (call, key) => {
    const record = await call.get(keys.counter(key));
    return record === null ? undefined : { key, ...counterOf(record) };
  },
  write: ({ key, ...reading }) => {
    const counter = reading as unknown as CounterReading;
    const ttl = lifetime.ttl(counter.resetsAt);
    return connection.ask((call) => call.command('set', keys.counter(String(key)), counterRecord(counter), 'EX', ttl));
  },
  remove: ({ key }) => connection.ask((call) => call.command('del', keys.counter(String(key)))),
});

/** Locks of a family share a Redis key. */
const locks = ({ connection, keys, lifetime }: Parts): Records => ({
  shape: ephemeralRecords.locks,
  begin: keys.beginning('locks'),
  rowKeys: async (call, names) => {
    const found = await Promise.all(names.map((name) => call.command('hkeys', keys.beginning('locks') + name)));
    return (found as string[][]).flat();
  },
  read: async (call, key) => {
    const found = await call.command('hget', keys.family(key).locks, key);
    return typeof found === 'string' ? { key, ...lockOf(found) } : undefined;
  },
  write: ({ key, ...rest }) => {
    const lock = rest as unknown as LockRecord;
    const { family, locks, bucket } = keys.family(String(key));
    const values = [lockRecord(lock), lock.expiresAt, lifetime.ttl(lock.expiresAt)] as const;
    return connection.ask((call) =>
      call.script('putLock', [locks, bucket], String(key), family, lifetime.now(), ...values),
    );
  },
  remove: ({ key }) => connection.ask((call) => call.command('hdel', keys.family(String(key)).locks, String(key))),
});

/** @returns the row, undefined when it has expired */
export function liveRow(shape: RecordShape, value: Value, now: number): TransferRow | undefined {
  const row = rowOf(shape, value);
  return (row.expiresAt ?? 0) > now ? row : undefined;
}
