import { setTimeout as pause } from 'node:timers/promises';
import type { ClientSession, MongoClient, TransactionOptions } from 'mongodb';
import { isTransient, isUnknownCommit } from './failure.ts';

const OPTIONS: TransactionOptions = {
  readConcern: { level: 'snapshot' },
  writeConcern: { w: 'majority', journal: true },
  readPreference: 'primary',
};

const FIRST_PAUSE_MS = 5;
const LONGEST_PAUSE_MS = 100;

/**
 * Runs `work` in a transaction and commits it, again after a conflict, until the deadline. (The driver's own
 * `withTransaction` would go on for two minutes, long after the caller was told that it failed.)
 *
 * @param work may run several times; returns false to have it undone
 * @param deadline in terms of `performance.now()`
 * @returns what `work` returned
 */
export async function commit(
  client: MongoClient,
  work: (session: ClientSession) => Promise<boolean>,
  deadline: number,
): Promise<boolean> {
  const session = client.startSession();
  try {
    for (let tried = 1; ; tried++) {
      try {
        return await attempt(session, work, deadline);
      } catch (error) {
        const wait = Math.random() * Math.min(FIRST_PAUSE_MS * 1.5 ** tried, LONGEST_PAUSE_MS);
        if (!isTransient(error) || performance.now() + wait >= deadline) throw error;
        await pause(wait);
      }
    }
  } finally {
    await session.endSession();
  }
}

async function attempt(
  session: ClientSession,
  work: (session: ClientSession) => Promise<boolean>,
  deadline: number,
): Promise<boolean> {
  session.startTransaction(OPTIONS);
  try {
    if (!(await work(session))) {
      await session.abortTransaction();
      return false;
    }
    // Whoever asked has been answered 503 by now; what can still be undone is.
    if (performance.now() >= deadline) throw new Error('the transaction took too long');
  } catch (error) {
    if (session.inTransaction()) await session.abortTransaction();
    throw error;
  }
  for (;;) {
    try {
      await session.commitTransaction();
      return true;
    } catch (error) {
      if (!isUnknownCommit(error) || performance.now() >= deadline) throw error;
    }
  }
}
