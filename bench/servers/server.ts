import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { setTimeout as wait } from 'node:timers/promises';
import { isServing } from '../client/http.ts';
import type { Request, Usage } from './preload.ts';
import type { Program } from './subject.ts';

const SERVING_WITHIN_MS = 30_000;
const POLL_EVERY_MS = 3;
const STOPPED_WITHIN_MS = 15_000;
/** What the load generator can't run on, and the figures of the issue are about. */
const CORES = 2;
const TASKSET = '/usr/bin/taskset';

export interface Started {
  /** Spawning the process → first 200 of discovery. */
  readonly startMs: number;
  readonly startCpuMs: number;
}

/** Everything that runs, so that an error or Ctrl-C leaves nothing behind. */
const running = new Set<{ stop(): Promise<void> }>();

/** One server process under test. Its logs go through a pipe, as in a container, and are thrown away. */
export class Server {
  readonly #label: string;
  readonly #child: ChildProcess;
  readonly #ended: Promise<void>;
  readonly #waiting = new Map<number, (usage: Usage) => void>();
  #stderr = '';
  #over = false;
  #questions = 0;

  /** Starts it and waits until it serves. @throws with what it wrote to standard error */
  static async start(subject: Program, preload: string): Promise<{ server: Server; started: Started }> {
    const from = performance.now();
    const server = new Server(subject, preload);
    running.add(server);
    while (!(await isServing(subject.port))) {
      if (server.#over) throw new Error(`${subject.label} ended instead of starting:\n${server.#stderr}`);
      if (performance.now() - from > SERVING_WITHIN_MS) throw new Error(`${subject.label} does not start`);
      await wait(POLL_EVERY_MS);
    }
    const startMs = performance.now() - from;
    return { server, started: { startMs, startCpuMs: (await server.usage()).cpuMs } };
  }

  private constructor(subject: Program, preload: string) {
    const { label, program, env, nodeOptions = [] } = subject;
    this.#label = label;
    const command = [
      process.execPath,
      ...nodeOptions,
      '--disable-warning=ExperimentalWarning',
      '--import',
      preload,
      ...program,
    ];
    const pinned =
      availableParallelism() > CORES && existsSync(TASKSET) ? [TASKSET, '--cpu-list', `0-${CORES - 1}`] : [];
    const [file = '', ...args] = [...pinned, ...command];
    this.#child = spawn(file, args, {
      env: { PATH: process.env.PATH, ...env },
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    this.#child.stdout?.resume();
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr = (this.#stderr + text).slice(-4096);
    });
    this.#child.on('message', (usage: Usage) => {
      this.#waiting.get(usage.id)?.(usage);
      this.#waiting.delete(usage.id);
    });
    this.#ended = new Promise((resolve) => {
      const over = () => {
        this.#over = true;
        running.delete(this);
        resolve();
      };
      this.#child.once('close', over).once('error', over);
    });
  }

  /** CPU time used so far and memory now, of the server's process alone. */
  usage(): Promise<Usage> {
    return this.#ask({ id: ++this.#questions, ask: 'usage' });
  }

  /** From now on, or no longer, known password hashes are given from memory. */
  async memoiseHashes(memoise: boolean): Promise<void> {
    await this.#ask({ id: ++this.#questions, memoise });
  }

  async stop(): Promise<void> {
    if (this.#over) return;
    this.#child.kill('SIGTERM');
    const tooLate = setTimeout(() => this.#child.kill('SIGKILL'), STOPPED_WITHIN_MS);
    await this.#ended;
    clearTimeout(tooLate);
  }

  #ask(request: Request): Promise<Usage> {
    return new Promise((resolve, reject) => {
      this.#waiting.set(request.id, resolve);
      this.#ended.then(() => reject(new Error(`${this.#label} ended:\n${this.#stderr}`)));
      this.#child.send(request);
    });
  }
}

/** A helper of the bench that ends by itself, unless the bench ends first. */
export function endWithBench(child: ChildProcess): void {
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()).once('error', () => resolve()));
  const helper = {
    stop: () => {
      child.kill();
      return ended;
    },
  };
  running.add(helper);
  void ended.then(() => running.delete(helper));
}

export async function stopAll(): Promise<void> {
  await Promise.all([...running].map((server) => server.stop()));
}
