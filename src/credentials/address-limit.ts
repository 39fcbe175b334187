import { type Clock, epochSeconds } from '../kernel/clock.ts';
import { VestibuleError } from '../kernel/errors.ts';
import type { SecretBox } from '../kernel/secret-box.ts';
import type { CounterStore } from '../storage/ports.ts';

export interface Counted {
  /** `too_many_requests` (429, Retry-After), to be thrown; undefined within the limit. */
  readonly refusal: VestibuleError | undefined;
  /** As if it had not been counted. */
  takeBack(): Promise<void>;
}

/** Counts requests from one network (IPv6: one /64). @param address as `addressPrefix` gives it */
export type AddressLimit = (address: string) => Promise<Counted>;

/** @param name of what is counted: each has counts of its own */
export function createAddressLimit(deps: {
  counters: CounterStore;
  name: string;
  /** `window` in seconds. */
  limit: { readonly count: number; readonly window: number };
  secretBox: SecretBox;
  clock: Clock;
}): AddressLimit {
  const { counters, name, limit, secretBox, clock } = deps;
  return async (address) => {
    // Addresses are personal data: counters hold keyed hashes of them.
    const key = `${name}:address:${secretBox.keyedHash('counter', address)}`;
    const [reading] = await counters.increment([{ key, windowSeconds: limit.window }]);
    // A count that can't be read is one too many.
    const isTooMany = reading === undefined || reading.count > limit.count;
    const retryAfter = Math.max(1, (reading?.resetsAt ?? 0) - epochSeconds(clock));
    return {
      refusal: isTooMany ? new VestibuleError('too_many_requests', 429, { retryAfter }) : undefined,
      takeBack: () => counters.decrement([key]),
    };
  };
}
