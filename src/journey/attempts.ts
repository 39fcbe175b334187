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
}

export function createAttempts(deps: {
  counters: CounterStore;
  limits: Config['limits'];
  secretBox: SecretBox;
  clock: Clock;
}): Attempts {
  const { counters, limits, secretBox, clock } = deps;
  return {
    async begin(who, address) {
      // Names and addresses are personal data: counters hold keyed hashes of them.
      const account = `login:account:${secretBox.keyedHash('counter', who)}`;
      const network = `login:address:${secretBox.keyedHash('counter', address)}`;
      const [byAccount, byAddress] = await counters.increment([
        { key: account, windowSeconds: limits.account.window },
        { key: network, windowSeconds: limits.address.window },
      ]);
      const exceeded = [
        { reading: byAccount, limit: limits.account.count },
        { reading: byAddress, limit: limits.address.count },
      ].filter(({ reading, limit }) => reading === undefined || reading.count > limit);
      if (exceeded.length > 0) {
        const until = Math.max(...exceeded.map(({ reading }) => reading?.resetsAt ?? 0));
        const retryAfter = Math.max(1, until - epochSeconds(clock));
        throw new VestibuleError('too_many_requests', 429, { retryAfter });
      }
      return {
        // All tries up to this one. Those that came while it was checked stay counted: setting the count
        // to nothing would let the rest of a flood be checked as well.
        succeeded: () => counters.decrement([...Array<string>(byAccount?.count ?? 1).fill(account), network]),
        takeBack: () => counters.decrement([account, network]),
      };
    },
  };
}
