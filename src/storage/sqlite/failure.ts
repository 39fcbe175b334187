import { unavailable, type VestibuleError } from '../../kernel/errors.ts';

/** Primary result code of `SQLITE_BUSY`: another connection holds the lock. */
const SQLITE_BUSY = 5;

/**
 * What callers see of any trouble below the ports: 503, try again in a moment. The cause stays
 * for the log. Never "not found" or "no", so that nothing is granted because a disk was full.
 */
export const storageFailure = (cause: unknown): VestibuleError => unavailable('storage.unavailable', 5, cause);

/** The low byte of `errcode` is the primary result code; the rest says which variant of it. */
export const isBusy = (error: unknown): boolean =>
  isObject(error) && typeof error.errcode === 'number' && (error.errcode & 0xff) === SQLITE_BUSY;

export const isFileExists = (error: unknown): boolean => isObject(error) && error.code === 'EEXIST';

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;
