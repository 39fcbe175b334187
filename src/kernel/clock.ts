/** Time is passed in, so that tests move it instead of waiting. */
export interface Clock {
  /** Milliseconds since the Unix epoch. */
  now(): number;
}

export const systemClock: Clock = { now: () => Date.now() };

/** NumericDate of RFC 7519 §2: whole seconds since the Unix epoch. */
export const epochSeconds = (clock: Clock): number => Math.floor(clock.now() / 1000);
