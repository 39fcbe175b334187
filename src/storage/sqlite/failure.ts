export { storageFailure } from '../failure.ts';

/** Primary result code of `SQLITE_BUSY`: another connection holds the lock. */
const SQLITE_BUSY = 5;

/** The low byte of `errcode` is the primary result code; the rest says which variant of it. */
export const isBusy = (error: unknown): boolean =>
  isObject(error) && typeof error.errcode === 'number' && (error.errcode & 0xff) === SQLITE_BUSY;

export const isFileExists = (error: unknown): boolean => isObject(error) && error.code === 'EEXIST';

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;
