import { argon2Sync, randomBytes } from 'node:crypto';

/** The names of `passwords.argon2id` in `vestibule.yaml`. */
export interface Argon2idSettings {
  readonly memory_kib: number;
  readonly iterations: number;
  readonly parallelism: number;
}

export interface Calibration extends Argon2idSettings {
  /** What one hash took, in milliseconds. */
  readonly duration: number;
}

/** The least that OWASP's Password Storage Cheat Sheet recommends, and our default. */
const FLOOR: Argon2idSettings = { memory_kib: 19_456, iterations: 2, parallelism: 1 };
/** More memory for one hash would let a few sign-ins at once exhaust a small machine. */
const MOST_MEMORY = 128 * 1024;
const MOST_ITERATIONS = 16;
const RUNS = 5;

/** @returns the median of a few runs, in milliseconds */
export function measureArgon2id({ memory_kib, iterations, parallelism }: Argon2idSettings): number {
  const times = Array.from({ length: RUNS }, () => {
    const start = performance.now();
    argon2Sync('argon2id', {
      message: 'a password of usual length',
      nonce: randomBytes(16),
      memory: memory_kib,
      passes: iterations,
      parallelism,
      tagLength: 32,
    });
    return performance.now() - start;
  });
  return times.toSorted((a, b) => a - b)[RUNS >> 1] as number;
}

/**
 * The strongest argon2id parameters whose hash takes about `target` on this machine: memory first,
 * since that is what makes guessing on graphics cards expensive, then passes. Never below the
 * default, however slow the machine.
 *
 * @param target milliseconds one hash may take
 */
export function calibrate(
  target: number,
  measure: (settings: Argon2idSettings) => number = measureArgon2id,
): Calibration {
  let settings = FLOOR;
  let duration = measure(settings);
  const fitting = (amount: number, least: number, most: number, step: number) =>
    Math.min(most, Math.max(least, Math.floor((amount * target) / duration / step) * step));
  // Time doesn't grow quite in proportion to memory, so the second round corrects the first.
  for (let round = 0; round < 2; round++) {
    const memory_kib = fitting(settings.memory_kib, FLOOR.memory_kib, MOST_MEMORY, 1024);
    if (memory_kib === settings.memory_kib) break;
    settings = { ...settings, memory_kib };
    duration = measure(settings);
  }
  if (settings.memory_kib === MOST_MEMORY) {
    const iterations = fitting(settings.iterations, FLOOR.iterations, MOST_ITERATIONS, 1);
    if (iterations !== settings.iterations) {
      settings = { ...settings, iterations };
      duration = measure(settings);
    }
  }
  return { ...settings, duration };
}
