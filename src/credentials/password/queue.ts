import { availableParallelism } from 'node:os';
import { unavailable } from '../../kernel/errors.ts';

export interface QueueReadings {
  readonly waiting: number;
  readonly running: number;
}

/**
 * Lets only so many hashes run at once and only so many wait. Hash threads share the cores with
 * the event loop; without a bound, a crowd at the password page makes every other endpoint slow
 * (and a flood makes the server useless). Beyond the bound the answer is an honest "busy".
 */
export class HashQueue {
  readonly #concurrent: number;
  readonly #limit: number;
  readonly #waiting: (() => void)[] = [];
  #running = 0;

  /** @param concurrent hashes at once; default cores − 1, at least 1 @param limit how many may wait */
  constructor(concurrent: number | undefined, limit: number) {
    this.#concurrent = concurrent ?? Math.max(1, availableParallelism() - 1);
    this.#limit = limit;
  }

  get readings(): QueueReadings {
    return { waiting: this.#waiting.length, running: this.#running };
  }

  /** @throws VestibuleError `busy` (503, Retry-After) when the queue is full */
  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#running < this.#concurrent) {
      this.#running += 1;
    } else {
      if (this.#waiting.length >= this.#limit) throw unavailable('busy', 5);
      // The place is handed over by whoever finishes, so `#running` stays as it is.
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      if (next) next();
      else this.#running -= 1;
    }
  }
}
