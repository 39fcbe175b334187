import type { JourneyRecord, JourneyStore } from '../ports.ts';
import { json, text, whole } from '../values.ts';
import type { Connection } from './connection.ts';
import { journeyOf } from './journey-record.ts';
import type { Keys } from './keys.ts';
import { type Lifetime, stamp } from './lifetime.ts';

export class RedisJourneys implements JourneyStore {
  readonly #connection: Connection;
  readonly #keys: Keys;
  readonly #lifetime: Lifetime;

  constructor(connection: Connection, keys: Keys, lifetime: Lifetime) {
    this.#connection = connection;
    this.#keys = keys;
    this.#lifetime = lifetime;
  }

  async find(uid: string): Promise<JourneyRecord | undefined> {
    const key = this.#keys.journey(text('uid', uid));
    return journeyOf(uid, await this.#connection.ask((call) => call.get(key)), this.#lifetime.now());
  }

  async save(record: Omit<JourneyRecord, 'version'>, expectedVersion: number): Promise<boolean> {
    const key = this.#keys.journey(text('uid', record.uid));
    const state = json('state', record.state);
    const until = whole('expiresAt', record.expiresAt);
    const version = whole('expectedVersion', expectedVersion);
    const values = [this.#lifetime.now(), stamp(until), stamp(version), stamp(version + 1)] as const;
    const ttl = this.#lifetime.ttl(until);
    return (await this.#connection.ask((call) => call.script('saveJourney', [key], ...values, state, ttl))) === 1;
  }
}
