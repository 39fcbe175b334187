import type { ClientSession, Collection, Db, Document, MongoClient } from 'mongodb';
import type { Logger } from '../../kernel/logger.ts';
import { failed, isAway, nameOf, TooLate } from './failure.ts';
import { commit } from './transaction.ts';

/**
 * Operations that may be waiting for an answer; beyond, they are refused at once instead of being queued. While
 * there is no server, the driver looks through all that wait whenever one more comes.
 */
const MOST_UNDER_WAY = 2000;

/** @param within names the transaction it belongs to, if any */
export type Change = (within: { readonly session?: ClientSession }) => Promise<boolean>;
export type Rest = (session: ClientSession) => Promise<unknown>;

/** One open database. The stores read and write through it: bounded in time and in number. */
export class Database {
  readonly #client: MongoClient;
  readonly #db: Db;
  readonly #patience: number;
  readonly #logger: Logger;
  readonly #answers = new Set<Promise<unknown>>();
  #underWay = 0;
  #away = false;
  #closing: Promise<void> | undefined;

  /** @param client closed by `close` @param patience milliseconds until an answer is given up */
  constructor(client: MongoClient, name: string, patience: number, logger: Logger) {
    this.#client = client;
    this.#db = client.db(name);
    this.#patience = patience;
    this.#logger = logger;
  }

  collection<Shape extends Document>(name: string): Collection<Shape> {
    return this.#db.collection<Shape>(name);
  }

  /**
   * Runs operations and gives up on them in time. Whether what was given up is carried out is not known; no
   * verb depends on it.
   *
   * @throws VestibuleError `storage.unavailable`
   */
  async run<Result>(work: (deadline: number) => Promise<Result>): Promise<Result> {
    if (this.#closing) throw failed(new Error('the database is closed'));
    if (this.#underWay >= MOST_UNDER_WAY) throw failed(new Error(`${MOST_UNDER_WAY} operations are waiting`));
    const answer = this.#told(this.#inTime(work));
    this.#answers.add(answer);
    try {
      return await answer;
    } finally {
      this.#answers.delete(answer);
    }
  }

  /**
   * Changes one document and, in the same transaction, whatever else belongs to it. Without anything else the
   * change stands alone: a single document is changed atomically anyway, and at half the cost. Runs within `run`.
   *
   * @param change returns whether it changed anything; if not, nothing else is written. May run several times
   * @param rest undefined when there is nothing else
   */
  async atomically(change: Change, rest: Rest | undefined, deadline: number): Promise<boolean> {
    if (rest === undefined) return change({});
    const both = async (session: ClientSession): Promise<boolean> => {
      if (!(await change({ session }))) return false;
      await rest(session);
      return true;
    };
    return commit(this.#client, both, deadline);
  }

  /** Reads what every open database has, as the stores read: from the primary, what a majority holds. */
  async ping(): Promise<void> {
    const found = await this.run(() => this.collection<{ _id: string }>('migrations').findOne({ _id: 'schema' }));
    // It was dropped while in use: nothing of what it would answer is true.
    if (!found) throw failed(new Error('the database has lost its contents'));
  }

  /** Waits for what was asked for, as long as any answer may take, and disconnects. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    await Promise.allSettled(this.#answers);
    await this.#client.close();
  }

  /** Says once that the server is away, and once that it is back. */
  async #told<Result>(answer: Promise<Result>): Promise<Result> {
    try {
      const result = await answer;
      if (this.#away) this.#logger.info({ event: 'storage.mongodb.back' }, 'MongoDB answers again');
      this.#away = false;
      return result;
    } catch (cause) {
      if (!this.#away && isAway(cause)) {
        this.#away = true;
        this.#logger.error({ event: 'storage.mongodb.lost', reason: nameOf(cause) }, 'MongoDB does not answer');
      }
      throw failed(cause);
    }
  }

  async #inTime<Result>(work: (deadline: number) => Promise<Result>): Promise<Result> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new TooLate(`no answer within ${this.#patience} ms`)), this.#patience);
    });
    this.#underWay += 1;
    // Counted until the driver has done with it, answered in time or not.
    const working = work(performance.now() + this.#patience).finally(() => {
      this.#underWay -= 1;
    });
    try {
      return await Promise.race([working, late]);
    } finally {
      clearTimeout(timer);
    }
  }
}
