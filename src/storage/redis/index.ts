/**
 * The shared engine for what is short-lived: Redis 6.2 or later (or Valkey), for any number of nodes.
 *
 *   index.ts       opens the half
 *   settings.ts    where Redis is; client.ts: what the driver is told of it
 *   open.ts        connects at start, and looks at how the server is set up
 *   connection.ts  what the stores send through: time-out, bound, closing
 *   scripts.ts     every step that must be atomic, as one script; keys.ts: names of keys
 *   *-record.ts    how a record is one string
 *   lifetime.ts    our clock decides what counts, Redis' expiry frees memory
 *   failure.ts     what may be told of the driver's errors
 *   transfer.ts    everything at once, for moving to another engine; transfer-records.ts what that is
 *   the others     one store (port) each
 *
 * Where things are. Every record is one key, and a verb on it one command or script on that key: one
 * round trip, but for the exceptions below. An artifact is found by its id alone, so it can't share a slot with
 * its account, its grant *and* its session; what leads to it from there are sorted sets in slots
 * of their own. On one server, record and indexes are written by one script. In a cluster the
 * entries come first, each safe when the next step never happens (`artifacts.ts`).
 * Counters are spread by key. Locks of a person share a hash (`locks.ts`). Nothing is in the slot
 * of everything else: every tag holds an id, or one of 256 buckets.
 *
 * The exceptions, and what is left of each when it is cut short:
 *
 * | verb | steps | cut short |
 * |---|---|---|
 * | `save`, `insertOnly` of an artifact that is indexed | in a cluster two: its entries, then the record | entries that lead nowhere |
 * | `findByUid`, `findByUserCode` | in a cluster the index, then the records; elsewhere one, unless eight stale entries come first | – |
 * | `removeByGrant`, `endByAccount` | the index, then the records, 200 at a time | some are gone or ended, none came back; it throws, and is asked for again |
 * | `increment`, `decrement` of several counters | in a cluster one for each, at the same time | some are counted or taken back; no answer counts as refused |
 * | `clear` of locks by the first part alone | 256 indexes, then the families they name | some are cleared; it throws, and is asked for again |
 *
 * What is lost. An answer means that the master has executed the command; with
 * `appendonly yes` and `appendfsync always` it survives `kill -9` of the server and a power cut. With
 * `everysec` the last second or two may be forgotten, uses and sign-outs with them. A
 * failover may lose what the replica had not got: `min-replicas-to-write 1` bounds that.
 * A verb that got no answer may have been executed. It is never repeated here: for callers
 * `consumeOnce` and `insertOnly` without an answer are a "no", a counter may have counted once too often.
 */
import type { EngineContext, EphemeralStorage } from '../ports.ts';
import { RedisArtifacts } from './artifacts.ts';
import { RedisCounters } from './counters.ts';
import { RedisJourneys } from './journeys.ts';
import { Keys } from './keys.ts';
import { Lifetime, MARGIN } from './lifetime.ts';
import { RedisLocks } from './locks.ts';
import { openConnection } from './open.ts';
import type { RedisSettings } from './settings.ts';
import { RedisTransfer } from './transfer.ts';

export type { RedisSettings } from './settings.ts';

/** Keys the readiness probe writes to in a cluster: enough slots to meet every master. */
const PROBES = 64;

/** @throws OperatorError when the server can't be used, with the reason */
export async function openEphemeral(settings: RedisSettings, context: EngineContext): Promise<EphemeralStorage> {
  const connection = await openConnection(settings, context.logger);
  const keys = new Keys(settings.key_prefix);
  const lifetime = new Lifetime(context.clock);
  const probes = Array.from({ length: connection.isCluster ? PROBES : 1 }, (_, number) => keys.probe(number));
  const artifacts = new RedisArtifacts(connection, keys, lifetime);
  return {
    artifacts,
    journeys: new RedisJourneys(connection, keys, lifetime),
    counters: new RedisCounters(connection, keys, lifetime),
    locks: new RedisLocks(connection, keys, lifetime),
    transfer: new RedisTransfer(settings, { connection, keys, lifetime, artifacts }),
    // A server that only answers is not enough: full or read-only, it takes no sign-in.
    ping: () =>
      connection.ask(async (call) => {
        await Promise.all(probes.map((key) => call.command('set', key, '', 'EX', MARGIN)));
      }),
    close: () => connection.close(),
  };
}
