import type { Config } from '../config/config.ts';
import { type Clock, epochSeconds } from '../kernel/clock.ts';
import { VestibuleError } from '../kernel/errors.ts';
import type { SecretBox } from '../kernel/secret-box.ts';
import type { CounterStore } from '../storage/ports.ts';

export interface Attempt {
  /** The right person: the account's tries so far are forgotten, the address gets its try back. */
  succeeded(): Promise<void>;
  /** The try was never evaluated (the server was busy): it doesn't count. */
  takeBack(): Promise<void>;
}

export interface Attempts {
  /**
   * Counts one try at an account (or a name nobody has) and from an address, atomically and
   * before anything is checked.
   * @param who account id or normalised identifier: every spelling of one account counts together
   * @param address network prefix of the visitor
   * @throws VestibuleError `too_many_requests` (429, Retry-After)
   */
  begin(who: string, address: string): Promise<Attempt>;
  /**
   * The same for what nobody can guess, such as a passkey: counted by address alone, so that no
   * stranger's tries shut the owner out (security-catalogue: lockout as DoS).
   */
  beginFrom(address: string): Promise<Attempt>;
}

type Limit = Config['limits']['account'];

export function createAttempts(deps: {
  counters: CounterStore;
  limits: Config['limits'];
  secretBox: SecretBox;
  clock: Clock;
}): Attempts {
  const { counters, limits, secretBox, clock } = deps;

  const count = async (counted: readonly { key: string; limit: Limit }[]): Promise<Attempt> => {
    const readings = await counters.increment(counted.map(({ key, limit }) => ({ key, windowSeconds: limit.window })));
    const exceeded = counted.flatMap(({ limit }, index) => {
      const reading = readings[index];
      return reading === undefined || reading.count > limit.count ? [reading] : [];
    });
    if (exceeded.length > 0) {
      const until = Math.max(...exceeded.map((reading) => reading?.resetsAt ?? 0));
      throw new VestibuleError('too_many_requests', 429, { retryAfter: Math.max(1, until - epochSeconds(clock)) });
    }
    return {
      // All tries up to this one. Those that came while it was checked stay counted: setting the count
      // to nothing would let the rest of a flood be checked as well.
      succeeded: () =>
        counters.decrement(
          counted.flatMap(({ key, limit }, index) =>
            Array<string>(limit === limits.account ? (readings[index]?.count ?? 1) : 1).fill(key),
          ),
        ),
      takeBack: () => counters.decrement(counted.map(({ key }) => key)),
    };
  };

  // Names and addresses are personal data: counters hold keyed hashes of them.
  const account = (who: string) => ({
    key: `login:account:${secretBox.keyedHash('counter', who)}`,
    limit: limits.account,
  });
  const network = (address: string) => ({
    key: `login:address:${secretBox.keyedHash('counter', address)}`,
    limit: limits.address,
  });
  return {
    begin: (who, address) => count([account(who), network(address)]),
    beginFrom: (address) => count([network(address)]),
  };
}
