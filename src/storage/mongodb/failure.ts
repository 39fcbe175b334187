import { MongoBulkWriteError, MongoError, MongoServerError } from 'mongodb';
import type { VestibuleError } from '../../kernel/errors.ts';
import { storageFailure } from '../failure.ts';

const DUPLICATE_KEY = 11_000;

/** A unique index refused it: somebody else has the key. */
export const isTaken = (error: unknown): boolean => error instanceof MongoServerError && error.code === DUPLICATE_KEY;

/**
 * Of so many documents each was written or there already, and nothing else went wrong. Counted, because whatever
 * fails before the first document, such as the credentials, comes as an error of this kind with no document in it.
 */
export const areTaken = (error: unknown, count: number): boolean => {
  if (!(error instanceof MongoBulkWriteError) || error.result.getWriteConcernError() !== undefined) return false;
  const refused = [error.writeErrors].flat();
  return error.insertedCount + refused.length === count && refused.every(({ code }) => code === DUPLICATE_KEY);
};

export class TooLate extends Error {}

/** Nothing came back, whatever was asked: no server, no primary, no answer. */
export const isAway = (error: unknown): boolean =>
  error instanceof TooLate || (error instanceof MongoError && !(error instanceof MongoServerError));

/** The transaction came to nothing through no fault of its own, such as a conflict: it may be tried again. */
export const isTransient = (error: unknown): boolean => hasLabel(error, 'TransientTransactionError');

/** Whether it was committed is not known; asking again finds out. */
export const isUnknownCommit = (error: unknown): boolean => hasLabel(error, 'UnknownTransactionCommitResult');

const hasLabel = (error: unknown, label: string): boolean => error instanceof MongoError && error.hasErrorLabel(label);

/**
 * 503 with a cause for the log. What the server says may quote documents (the key that is taken, what a
 * validator refused), and those hold e-mail addresses: of its errors only the code is kept.
 */
export const failed = (cause: unknown): VestibuleError =>
  storageFailure(cause instanceof MongoServerError ? new Error(nameOf(cause)) : cause);

/** What an error is called, for the log. */
export function nameOf(error: unknown): string {
  if (!(error instanceof MongoServerError)) return String(error);
  return [error.name, error.code, error.codeName].filter((part) => part !== undefined).join(' ');
}
