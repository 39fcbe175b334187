import type { Clock } from '../kernel/clock.ts';

/** Milliseconds. */
const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const FRESH = 60 * MINUTE;
const USABLE = 24 * 60 * MINUTE;
/** After a failure: an upstream that is down is not asked at every click. */
const PAUSE = 10 * SECOND;
const FORCED_EVERY = 5 * MINUTE;

/** Something fetched from an upstream and kept for an hour; for a day while it can't be fetched anew. */
export interface Remembered<T> {
  /** @throws whatever fetching threw, when there is nothing usable */
  get(): Promise<T>;
  /** Fetches it anew, once in five minutes at most. @returns false when it was not, or in vain */
  renew(): Promise<boolean>;
}

/** @param onKept told when an old copy is used because fetching failed */
export function remember<T>(load: () => Promise<T>, clock: Clock, onKept: (error: unknown) => void): Remembered<T> {
  let kept: { readonly value: T; readonly at: number } | undefined;
  let failed: { readonly error: unknown; readonly at: number } | undefined;
  let forcedAt = Number.NEGATIVE_INFINITY;
  let loading: Promise<T> | undefined;

  const since = (at: number) => clock.now() - at;
  /** Of any number of simultaneous callers one fetches, all wait for it. */
  const fetchOnce = (): Promise<T> => {
    loading ??= load()
      .then(
        (value) => {
          kept = { value, at: clock.now() };
          failed = undefined;
          return value;
        },
        (error) => {
          failed = { error, at: clock.now() };
          throw error;
        },
      )
      .finally(() => {
        loading = undefined;
      });
    return loading;
  };

  return {
    async get() {
      if (kept && since(kept.at) < FRESH) return kept.value;
      const usable = kept && since(kept.at) < USABLE ? kept : undefined;
      if (failed && since(failed.at) < PAUSE) {
        if (usable) return usable.value;
        throw failed.error;
      }
      try {
        return await fetchOnce();
      } catch (error) {
        if (!usable) throw error;
        onKept(error);
        return usable.value;
      }
    },
    async renew() {
      if (since(forcedAt) < FORCED_EVERY) return false;
      forcedAt = clock.now();
      return fetchOnce().then(
        () => true,
        () => false,
      );
    },
  };
}
