import { unavailable, type VestibuleError } from '../kernel/errors.ts';

/**
 * What callers see of any trouble below the ports: 503, try again in a moment. The cause stays
 * for the log. Never "not found" or "no", so that nothing is granted because a disk was full or
 * a server away.
 */
export const storageFailure = (cause: unknown): VestibuleError => unavailable('storage.unavailable', 5, cause);
