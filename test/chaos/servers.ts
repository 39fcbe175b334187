import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import type { Answer, Order, ServerName, ServerVerb } from './keeper.ts';

const KEEPER = resolve(import.meta.dirname, 'keeper.ts');
const STARTED_WITHIN_MS = 40_000;

type Unnumbered<Each> = Each extends unknown ? Omit<Each, 'id'> : never;

/** Redis and MongoDB with everything on disk, in the hands of a keeper (`keeper.ts`) that outlives us by a moment. */
export class Servers {
  readonly urls: Readonly<Record<ServerName, string>>;
  readonly #keeper: ChildProcess;
  readonly #waiting = new Map<number, (problem: string | undefined) => void>();
  #orders = 0;

  private constructor(keeper: ChildProcess, urls: Readonly<Record<ServerName, string>>) {
    this.#keeper = keeper;
    this.urls = urls;
    keeper.on('message', (answer: Answer) => {
      if (!('id' in answer)) return;
      this.#waiting.get(answer.id)?.(answer.problem);
      this.#waiting.delete(answer.id);
    });
    keeper.once('exit', () => {
      for (const settle of this.#waiting.values()) settle('the keeper of the servers has ended');
    });
  }

  static async start(): Promise<Servers> {
    const keeper = fork(KEEPER, [], {
      execArgv: ['--disable-warning=ExperimentalWarning'],
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    const [answer] = (await Promise.race([
      once(keeper, 'message', { signal: AbortSignal.timeout(STARTED_WITHIN_MS) }),
      once(keeper, 'exit').then(() => Promise.reject(new Error('the storage servers did not start'))),
    ])) as [Answer];
    if (!('urls' in answer)) throw new Error('the keeper of the servers did not say where they are');
    return new Servers(keeper, answer.urls);
  }

  do(server: ServerName, verb: ServerVerb): Promise<void> {
    return this.#order({ server, verb });
  }

  /** SIGSTOP or SIGCONT for one of our servers. */
  signal(pid: number, verb: 'pause' | 'resume'): Promise<void> {
    return this.#order({ pid, verb });
  }

  removeAtTheEnd(folder: string): Promise<void> {
    return this.#order({ folder, verb: 'remove at the end' });
  }

  async stop(): Promise<void> {
    if (this.#keeper.exitCode !== null) return;
    const ended = once(this.#keeper, 'exit');
    this.#keeper.disconnect();
    await ended;
  }

  #order(order: Unnumbered<Order>): Promise<void> {
    this.#orders += 1;
    const id = this.#orders;
    return new Promise((done, fail) => {
      this.#waiting.set(id, (problem) => (problem === undefined ? done() : fail(new Error(problem))));
      this.#keeper.send({ ...order, id });
    });
  }
}
