import type { Config } from '../config/config.ts';
import { createAddressLimit } from '../credentials/index.ts';
import { type Clock, epochSeconds } from '../kernel/clock.ts';
import type { SecretBox } from '../kernel/secret-box.ts';
import type { CounterStore, LockStore } from '../storage/ports.ts';

export interface Attempt {
  /** The right person: the tries so far are forgotten, the address gets its try back. */
  succeeded(): Promise<void>;
  /** The try was never evaluated (the server was busy): it doesn't count. */
  takeBack(): Promise<void>;
}

/** Who tries a password, as far as guessing is counted. */
export interface Guesser {
  /** Account id or normalised identifier: every spelling of one account counts together. */
  readonly who: string;
  /** Id of a browser that this account was signed in to before: it has tries of its own, which no stranger can use up. */
  readonly device?: string | undefined;
}

export type Tried =
  /** To be evaluated. `lockedUntil`: it was the last one; unless it is right, there is a lock now. */
  | (Attempt & { readonly lockedUntil?: number })
  /** Not to be evaluated: locked, seconds since the epoch. */
  | { readonly refusedUntil: number };

export interface Attempts {
  /**
   * Counts one try at a password, atomically and before it is checked: of any number of parallel guesses no
   * more are evaluated than are left (security-catalogue: counter race).
   * @param address network prefix of the visitor
   * @throws VestibuleError `too_many_requests` (429, Retry-After) for the address
   */
  begin(guesser: Guesser, address: string): Promise<Tried>;
  /** @returns when the lock ends; undefined while there is none */
  lockedUntil(guesser: Guesser): Promise<number | undefined>;
  /** After the password was changed, or by an operator: guesses so far are void, whatever device they came from.
   *  @returns whether there was a lock */
  unlock(who: string): Promise<boolean>;
  /**
   * Counts what nobody can guess, such as a passkey, by address alone, so that no stranger's tries shut
   * the owner out (security-catalogue: lockout as DoS).
   * @throws VestibuleError `too_many_requests` (429, Retry-After)
   */
  beginFrom(address: string): Promise<Attempt>;
}

export function createAttempts(deps: {
  counters: CounterStore;
  locks: LockStore;
  limits: Pick<Config['limits'], 'lockout' | 'address'>;
  secretBox: SecretBox;
  clock: Clock;
}): Attempts {
  const { counters, locks, limits, secretBox, clock } = deps;
  const { lockout } = limits;

  // Names are personal data: locks hold keyed hashes of them.
  const hashed = (value: string): string => secretBox.keyedHash('counter', value);
  const keyOf = ({ who, device }: Guesser): string =>
    device === undefined ? `password:${hashed(who)}` : `password:${hashed(who)}:${hashed(device)}`;

  const fromAddress = createAddressLimit({ counters, name: 'login', limit: limits.address, secretBox, clock });

  return {
    async beginFrom(address) {
      const { refusal, takeBack } = await fromAddress(address);
      if (refusal) throw refusal;
      return { succeeded: takeBack, takeBack };
    },

    async begin(guesser, address) {
      const key = keyOf(guesser);
      const [{ admitted, lockedUntil }, network] = await Promise.all([locks.take(key, lockout), fromAddress(address)]);
      const isLast = admitted !== undefined && lockedUntil !== undefined;
      const giveBack = (tries: number) => locks.giveBack(key, tries, isLast);
      if (network.refusal) {
        // Not looked at for the address's sake: no try at this account.
        if (admitted !== undefined) await giveBack(1);
        throw network.refusal;
      }
      // A lock that can't be read is one.
      if (admitted === undefined) return { refusedUntil: lockedUntil ?? epochSeconds(clock) + lockout.first };
      return {
        ...(isLast ? { lockedUntil } : {}),
        // All tries up to this one. Those that came while it was checked stay counted: forgetting them
        // would let the rest of a flood be checked as well.
        succeeded: async () => {
          await Promise.all([giveBack(admitted), network.takeBack()]);
        },
        takeBack: async () => {
          await Promise.all([giveBack(1), network.takeBack()]);
        },
      };
    },

    lockedUntil: (guesser) => locks.lockedUntil(keyOf(guesser)),
    unlock: (who) => locks.clear(keyOf({ who })),
  };
}
