import { createLocalJWKSet, errors, type JWTVerifyGetKey } from 'jose';
import type { Clock } from '../kernel/clock.ts';
import type { Logger } from '../kernel/logger.ts';
import { FETCH_TIMEOUT, fetchJson } from './discovery.ts';
import { UpstreamError } from './errors.ts';
import type { UpstreamFetch } from './guarded-fetch.ts';
import { remember } from './remembered.ts';

/** Each candidate costs a verification. */
const MOST_KEYS = 100;

/** The keys an upstream signs with. */
export interface UpstreamKeySet {
  /**
   * Calls `verify` with the keys, a second time with keys fetched anew when none fits: an upstream may
   * have changed them. That is once in five minutes at most, whoever presents tokens of unknown keys.
   */
  using<T>(verify: (keys: JWTVerifyGetKey) => Promise<T>): Promise<T>;
}

/** @param address where the keys are just now (`jwks_uri`) */
export function createKeySet(deps: {
  address: () => Promise<string>;
  fetch: UpstreamFetch;
  clock: Clock;
  logger: Logger;
  timeout?: number | undefined;
}): UpstreamKeySet {
  const { address, fetch, clock, logger, timeout = FETCH_TIMEOUT } = deps;
  const remembered = remember(
    async () => {
      const { keys } = await fetchJson(await address(), fetch, timeout, 'keys');
      if (!Array.isArray(keys)) throw new UpstreamError('keys', 'the key set has no keys');
      if (keys.length > MOST_KEYS) throw new UpstreamError('keys', `the key set has more than ${MOST_KEYS} keys`);
      try {
        return createLocalJWKSet({ keys });
      } catch {
        throw new UpstreamError('keys', 'the key set is malformed');
      }
    },
    clock,
    (error) => logger.warn({ event: 'federation.keys_kept', problem: String(error) }),
  );
  return {
    async using(verify) {
      try {
        return await verify(await remembered.get());
      } catch (error) {
        if (!(error instanceof errors.JWKSNoMatchingKey) || !(await remembered.renew())) throw error;
        return verify(await remembered.get());
      }
    },
  };
}
