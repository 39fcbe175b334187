import { Worker } from 'node:worker_threads';

export type BcryptQuestion =
  | { id: number; verb: 'hash'; password: string; cost: number }
  | { id: number; verb: 'compare'; password: string; hash: string };
export type BcryptAnswer = { id: number; result: string | boolean };

type Pending = { resolve: (result: string | boolean) => void; reject: (error: unknown) => void };

/** bcrypt sees only the first 72 bytes of a password; everything longer is refused, never cut. */
export const BCRYPT_MAX_BYTES = 72;

/** bcrypt on a worker thread, started at its first use: deployments without bcrypt never pay for it. */
export class Bcrypt {
  #worker: Worker | undefined;
  #nextId = 1;
  readonly #pending = new Map<number, Pending>();

  async hash(password: string, cost: number): Promise<string> {
    return String(await this.#ask({ id: this.#nextId++, verb: 'hash', password, cost }));
  }

  async compare(password: string, hash: string): Promise<boolean> {
    if (Buffer.byteLength(password) > BCRYPT_MAX_BYTES) return false;
    return (await this.#ask({ id: this.#nextId++, verb: 'compare', password, hash })) === true;
  }

  async close(): Promise<void> {
    await this.#worker?.terminate();
  }

  #ask(question: BcryptQuestion): Promise<string | boolean> {
    const worker = this.#started();
    return new Promise((resolve, reject) => {
      this.#pending.set(question.id, { resolve, reject });
      worker.postMessage(question);
    });
  }

  #started(): Worker {
    if (this.#worker) return this.#worker;
    const worker = new Worker(new URL('./bcrypt-worker.ts', import.meta.url));
    worker.unref();
    worker.on('message', ({ id, result }: BcryptAnswer) => {
      this.#pending.get(id)?.resolve(result);
      this.#pending.delete(id);
    });
    // A dead worker fails what it owed and is replaced at the next question.
    const fail = (error: unknown) => {
      this.#worker = undefined;
      for (const { reject } of this.#pending.values()) reject(error);
      this.#pending.clear();
    };
    worker.on('error', fail);
    worker.on('exit', () => fail(new Error('the bcrypt worker stopped')));
    this.#worker = worker;
    return worker;
  }
}
