import type { LockReading, LockRule, LockStore } from '../ports.ts';
import { flag, positive, text, whole } from '../values.ts';
import type { Connection } from './connection.ts';
import type { Keys } from './keys.ts';
import type { Lifetime } from './lifetime.ts';
import { lockOf } from './lock-record.ts';

/**
 * Locks whose keys share the first two parts (`password:<person>` and `password:<person>:<device>`)
 * are fields of one hash: clearing a person's is one step. Keys of one part, whose families may be
 * anywhere, are cleared through the indexes of the buckets; nothing on the hot path does that.
 */
export class RedisLocks implements LockStore {
  readonly #connection: Connection;
  readonly #keys: Keys;
  readonly #lifetime: Lifetime;

  constructor(connection: Connection, keys: Keys, lifetime: Lifetime) {
    this.#connection = connection;
    this.#keys = keys;
    this.#lifetime = lifetime;
  }

  async take(key: string, rule: LockRule): Promise<LockReading> {
    const { family, locks, bucket } = this.#keys.family(text('key', key));
    const limits = [
      positive('tries', rule.tries),
      positive('first', rule.first),
      positive('longest', rule.longest),
      positive('memory', rule.memory),
    ];
    const now = this.#lifetime.now();
    const longest = this.#lifetime.ttlOf(Number.MAX_SAFE_INTEGER);
    const [count, until] = (await this.#connection.ask((call) =>
      call.script('takeTry', [locks, bucket], key, family, now, ...limits, longest),
    )) as [number, number];
    return { ...(count > 0 ? { admitted: count } : {}), ...(until > 0 ? { lockedUntil: until } : {}) };
  }

  async giveBack(key: string, tries: number, lift: boolean): Promise<void> {
    const { locks } = this.#keys.family(text('key', key));
    const values = [key, whole('tries', tries), flag('lift', lift), this.#lifetime.now()] as const;
    await this.#connection.ask((call) => call.script('giveBack', [locks], ...values));
  }

  async lockedUntil(key: string): Promise<number | undefined> {
    const { locks } = this.#keys.family(text('key', key));
    const lock = (await this.#connection.ask((call) => call.command('hget', locks, key))) as string | null;
    const until = lock === null ? 0 : lockOf(lock).lockedUntil;
    return until > this.#lifetime.now() ? until : undefined;
  }

  async clear(key: string): Promise<boolean> {
    const { locks } = this.#keys.family(text('key', key));
    const now = this.#lifetime.now();
    return this.#connection.ask(async (call) => {
      const clear = (family: string) => call.script('clearLocks', [family], key, now);
      if (key.includes(':')) return (await clear(locks)) === 1;
      const families = await Promise.all(this.#keys.buckets(key).map((bucket) => call.members(bucket)));
      call.gotOn();
      const wereLocked = await Promise.all(families.flat().map((family) => clear(this.#keys.family(family).locks)));
      return wereLocked.includes(1);
    });
  }
}
