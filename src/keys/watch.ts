import type { Clock } from '../kernel/clock.ts';
import type { Logger } from '../kernel/logger.ts';

/** Milliseconds by the clock that is given between looking for other keys. */
const EVERY = 30_000;
/** Milliseconds of real time between looking at that clock, which may jump. */
const TICK = 1000;

/**
 * Looks for other keys every half minute: what an operator's command or another node changed is noticed without a
 * restart, and what follows from the time alone is done.
 *
 * @param look may fail, as when the storage is away: the next one comes
 */
export function watch(deps: { look: () => Promise<void>; clock: Clock; logger: Logger }): {
  /** Waits for a look under way. */
  stop(): Promise<void>;
} {
  const { look, clock, logger } = deps;
  let lookedAt = clock.now();
  let looking: Promise<void> | undefined;

  const tick = (): void => {
    const since = clock.now() - lookedAt;
    // A clock that was set back must not put it off.
    if (looking || (since >= 0 && since < EVERY)) return;
    lookedAt = clock.now();
    looking = look()
      .catch((error: unknown) => logger.warn({ event: 'keys.not_read', err: error }))
      .finally(() => {
        looking = undefined;
      });
  };
  const timer = setInterval(tick, TICK).unref();
  return {
    async stop() {
      clearInterval(timer);
      await looking;
    },
  };
}
