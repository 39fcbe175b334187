import type { CounterReading, CounterStore } from '../ports.ts';
import { positive, text, texts } from '../values.ts';
import type { Call, Connection } from './connection.ts';
import type { Keys } from './keys.ts';
import type { Lifetime } from './lifetime.ts';

/** In a cluster each key is counted by itself, at the same time: whoever gets no answer for one counts as refused. */
export class RedisCounters implements CounterStore {
  readonly #connection: Connection;
  readonly #keys: Keys;
  readonly #lifetime: Lifetime;

  constructor(connection: Connection, keys: Keys, lifetime: Lifetime) {
    this.#connection = connection;
    this.#keys = keys;
    this.#lifetime = lifetime;
  }

  async increment(
    keys: readonly { readonly key: string; readonly windowSeconds: number }[],
  ): Promise<CounterReading[]> {
    const wanted = keys.map(({ key, windowSeconds }) => ({
      key: this.#keys.counter(text('key', key)),
      window: positive('windowSeconds', windowSeconds),
    }));
    const now = this.#lifetime.now();
    const readings = await this.#together(wanted, async (call, some) => {
      const windows = some.flatMap(({ window }) => [window, this.#lifetime.ttlOf(window)]);
      const read = await call.script(
        'increment',
        some.map(({ key }) => key),
        now,
        ...windows,
      );
      return read as number[];
    });
    const numbers = readings.flat();
    return wanted.map((_, index) => ({
      count: numbers[2 * index] as number,
      resetsAt: numbers[2 * index + 1] as number,
    }));
  }

  async decrement(keys: readonly string[]): Promise<void> {
    const now = this.#lifetime.now();
    await this.#together(this.#named(keys), (call, some) => call.script('decrement', some, now));
  }

  #named(keys: readonly string[]): string[] {
    return texts('keys', keys).map((key) => this.#keys.counter(key));
  }

  /** All in one step, or in a cluster one step each. @returns what each step gave, in order */
  async #together<Each, Result>(
    all: readonly Each[],
    step: (call: Call, some: readonly Each[]) => Promise<Result>,
  ): Promise<Result[]> {
    if (all.length === 0) return [];
    const groups = this.#connection.isCluster ? all.map((each) => [each]) : [all];
    return this.#connection.ask((call) => Promise.all(groups.map((some) => step(call, some))));
  }
}
