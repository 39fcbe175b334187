import type { Random } from '../kernel/random.ts';

/** Lengths in any unit; each wait is twice the one before, up to the longest. */
export interface Backoff {
  readonly first: number;
  readonly longest: number;
}

/**
 * How long to wait after a failure: a quarter of it is chance, so that many who failed together
 * don't come back together.
 * @param failures so far, this one included
 */
export function waitAfter(failures: number, { first, longest }: Backoff, random: Random): number {
  const whole = Math.min(first * 2 ** Math.min(failures - 1, 30), longest);
  return whole * (1 - random.bytes(1).readUInt8() / 1024);
}
