import { type ChildProcess, spawn } from 'node:child_process';
import type { Socket } from 'node:net';
import { resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as wait } from 'node:timers/promises';
import type { ClockMessage } from './clock-preload.ts';

export const CLOCK_PRELOAD = new URL('./clock-preload.ts', import.meta.url).href;
/** node:sqlite still announces itself as experimental on standard error. */
export const NODE_FLAGS = ['--disable-warning=ExperimentalWarning', '--import', CLOCK_PRELOAD];
/**
 * What every child process gets of the environment. Types are stripped from all that it loads, before `bin.js` can
 * say where compiled code is kept: the same folder from the start saves each process a fifth of its work.
 */
export const CHILD_ENVIRONMENT: Readonly<Record<string, string>> = {
  PATH: process.env.PATH ?? '',
  NODE_COMPILE_CACHE: resolve(import.meta.dirname, '../../node_modules/.cache/vestibule'),
};

const READY_WITHIN_MS = 20_000;
const POLL_EVERY_MS = 25;
const STOPPED_WITHIN_MS = 15_000;
const CLOCK_MOVED_WITHIN_MS = 5_000;

/** One JSON line of the server's standard output. */
export interface LogLine {
  readonly level?: string;
  readonly event?: string;
  readonly message?: string;
  readonly [name: string]: unknown;
}

/** The server as a child process: what `startVestibule` is made of. */
export class ServerProcess {
  /** Exit code, or the name of the signal that ended it. */
  readonly exit: Promise<number | string>;
  readonly #child: ChildProcess;
  readonly #onLine: (line: LogLine) => void;
  #ended = false;
  #stderr = '';
  #noise = '';

  constructor(program: readonly string[], env: Record<string, string>, onLine: (line: LogLine) => void) {
    this.#onLine = onLine;
    const child = spawn(process.execPath, [...NODE_FLAGS, ...program], {
      env,
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    this.#child = child;
    // `close` comes after the last output was read, `exit` may come before.
    this.exit = new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (code, signal) => {
        this.#ended = true;
        resolve(code ?? signal ?? 'unknown');
      });
    });
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr += text;
    });
    if (child.stdout) createInterface({ input: child.stdout }).on('line', (line) => this.#read(line));
    // A server that a failed test left running must not keep the test run from ending; it ends
    // with it, as its side of the channel is closed then (clock-preload.ts).
    child.unref();
    child.channel?.unref();
    for (const pipe of [child.stdout, child.stderr]) (pipe as Socket | null)?.unref();
  }

  /** Everything the server wrote to standard error, and lines on standard output that are not JSON. */
  get complaints(): string {
    return this.#stderr + this.#noise;
  }

  get running(): boolean {
    return !this.#ended;
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** Resolves when the readiness probe says yes; throws what the server said when it ended instead. */
  async ready(operationsUrl: string): Promise<void> {
    const deadline = performance.now() + READY_WITHIN_MS;
    while (performance.now() < deadline) {
      if (this.#ended)
        throw new Error(`the server ended (${await this.exit}) instead of starting:\n${this.complaints}`);
      if (await isReady(operationsUrl)) return;
      await wait(POLL_EVERY_MS);
    }
    await this.end('SIGKILL');
    throw new Error(`the server was not ready after ${READY_WITHIN_MS / 1000} s:\n${this.complaints}`);
  }

  /** Resolves when this stands on standard output, outside of log lines. */
  async printed(text: string): Promise<void> {
    const deadline = performance.now() + READY_WITHIN_MS;
    while (!this.#noise.includes(text)) {
      if (this.#ended)
        throw new Error(`the process ended (${await this.exit}) instead of starting:\n${this.complaints}`);
      if (performance.now() > deadline) {
        await this.end('SIGKILL');
        throw new Error(`"${text}" was not printed in ${READY_WITHIN_MS / 1000} s:\n${this.complaints}`);
      }
      await wait(POLL_EVERY_MS);
    }
  }

  signal(name: NodeJS.Signals): void {
    this.#child.kill(name);
  }

  /** @throws when SIGTERM does not end it in time; it is killed then */
  async end(signal: 'SIGTERM' | 'SIGKILL'): Promise<number | string> {
    if (this.#ended) return this.exit;
    this.signal(signal);
    const timeLimit = new AbortController();
    const inTime = await Promise.race([
      this.exit.then(() => true),
      wait(STOPPED_WITHIN_MS, false, { signal: timeLimit.signal }),
    ]);
    timeLimit.abort();
    if (inTime) return this.exit;
    this.signal('SIGKILL');
    await this.exit;
    throw new Error(`the server was still running ${STOPPED_WITHIN_MS / 1000} s after ${signal}:\n${this.complaints}`);
  }

  /** Sets the difference between the server's clock and the real one. */
  async moveClock(offsetMs: number): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      const tooLate = setTimeout(() => reject(new Error('the server did not move its clock')), CLOCK_MOVED_WITHIN_MS);
      const acknowledged = (message: unknown) => {
        if ((message as ClockMessage).clockOffset !== offsetMs) return;
        clearTimeout(tooLate);
        this.#child.off('message', acknowledged);
        resolve();
      };
      this.#child.on('message', acknowledged);
      this.#child.send({ clockOffset: offsetMs } satisfies ClockMessage);
    });
  }

  #read(line: string): void {
    try {
      this.#onLine(JSON.parse(line) as LogLine);
    } catch {
      this.#noise += `${line}\n`;
    }
  }
}

async function isReady(operationsUrl: string): Promise<boolean> {
  try {
    const response = await fetch(`${operationsUrl}/health/ready`);
    await response.arrayBuffer();
    return response.ok;
  } catch {
    return false;
  }
}
