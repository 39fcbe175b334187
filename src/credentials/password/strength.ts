import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { unavailable } from '../../kernel/errors.ts';
import type { Logger } from '../../kernel/logger.ts';
import { HashQueue } from './queue.ts';

export type StrengthVerdict = 'fine' | 'common' | 'personal' | 'guessable';
export interface StrengthQuestion {
  readonly password: string;
  /** What belongs to the person, as they or others write it. */
  readonly words: readonly string[];
}
/** The worker says `ready` once its dictionaries are loaded, then one verdict a question. */
export interface StrengthAnswer {
  readonly verdict: StrengthVerdict | 'ready';
}

/** All in milliseconds. */
export interface StrengthLimits {
  readonly start: number;
  /** Ten times what the hardest password takes. */
  readonly judging: number;
  /** How long the dictionaries are kept in memory without a question. */
  readonly idle: number;
}
const LIMITS: StrengthLimits = { start: 15_000, judging: 2_000, idle: 60_000 };
/** The dictionaries take 70 MB. The bound on short-lived memory keeps 100 MB of garbage from piling up first. */
const MEMORY = { maxOldGenerationSizeMb: 128, maxYoungGenerationSizeMb: 16 };
const MAX_WAITING = 64;
const RETRY_AFTER = 5;

/** Judges passwords on a worker thread, which lives from the first question until a while after the last. */
export class Strength {
  readonly #logger: Logger;
  readonly #limits: StrengthLimits;
  /** One question at a time, so that its time limit is its own. */
  readonly #queue = new HashQueue(1, MAX_WAITING);
  #worker: Worker | undefined;
  #idle: NodeJS.Timeout | undefined;

  constructor(logger: Logger, limits: StrengthLimits = LIMITS) {
    this.#logger = logger;
    this.#limits = limits;
  }

  /** Whether the dictionaries are in memory. */
  get isLoaded(): boolean {
    return this.#worker !== undefined;
  }

  /**
   * @throws VestibuleError `busy` (503) when too many wait, or there was no verdict in time. What was
   * not judged is not accepted: it happens on an overloaded machine, where trying again soon helps,
   * while a weak password would stay for years.
   */
  judge(question: StrengthQuestion): Promise<StrengthVerdict> {
    return this.#queue.run(() => this.#ask(question));
  }

  async close(): Promise<void> {
    clearTimeout(this.#idle);
    const worker = this.#worker;
    this.#worker = undefined;
    await worker?.terminate();
  }

  async #ask(question: StrengthQuestion): Promise<StrengthVerdict> {
    clearTimeout(this.#idle);
    try {
      const worker = this.#worker ?? (await this.#start());
      // A command that waits for nothing else must not end before the verdict.
      worker.ref();
      worker.postMessage(question);
      const verdict = await next(worker, this.#limits.judging);
      worker.unref();
      if (verdict === 'ready') throw new Error('the strength worker is out of step');
      this.#idle = setTimeout(() => void this.close(), this.#limits.idle).unref();
      return verdict;
    } catch (error) {
      await this.close();
      this.#logger.error({ event: 'password.strength.failed', err: error });
      throw unavailable('busy', RETRY_AFTER, error);
    }
  }

  async #start(): Promise<Worker> {
    const worker = new Worker(new URL('./strength-worker.ts', import.meta.url), { resourceLimits: MEMORY });
    this.#worker = worker;
    // It may die between questions; the next one finds it gone and starts another.
    const forget = () => {
      if (this.#worker === worker) this.#worker = undefined;
    };
    worker.on('error', forget);
    worker.on('exit', forget);
    await next(worker, this.#limits.start);
    return worker;
  }
}

/** What the worker says next. @throws Error when it dies or says nothing in time */
async function next(worker: Worker, milliseconds: number): Promise<StrengthAnswer['verdict']> {
  const waiting = new AbortController();
  const { signal } = waiting;
  const limit = setTimeout(() => waiting.abort(), milliseconds);
  const died = async (): Promise<never> => {
    await once(worker, 'exit', { signal });
    throw new Error('the strength worker stopped');
  };
  try {
    const [{ verdict }] = await Promise.race([once(worker, 'message', { signal }), died()]);
    return verdict;
  } finally {
    clearTimeout(limit);
    waiting.abort();
  }
}
