import { type Clock, epochSeconds } from '../../kernel/clock.ts';

/**
 * Whether a record counts is decided by our clock and the time that stands in it. Redis' own
 * expiry only frees memory: it comes this much later, so that clocks may differ. Seconds.
 */
export const MARGIN = 60;
/** A hundred years: a Redis expiry that is farther off overflows. */
const LONGEST = 3_155_760_000;

const DIGITS = 16;

/** Every time and version has the same width: scripts cut records by position and change them in place. */
export const stamp = (value: number): string => String(value).padStart(DIGITS, '0');
export const NO_STAMP = '-'.repeat(DIGITS);
export const STAMP_WIDTH = DIGITS;

export class Lifetime {
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  now(): number {
    return epochSeconds(this.#clock);
  }

  /** Seconds after which Redis may forget what counts until then. */
  ttl(until: number): number {
    return Math.min(Math.max(until - this.now(), 0) + MARGIN, LONGEST);
  }

  /** The same for what counts that many seconds from now on. */
  ttlOf(seconds: number): number {
    return Math.min(seconds + MARGIN, LONGEST);
  }
}
