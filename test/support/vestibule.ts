import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { type ConfigContents, defaultSettings, mergeSettings, newMasterKey, writeConfig } from './config-folder.ts';
import { freePort } from './ports.ts';
import type { Person } from './seed.ts';
import { CHILD_ENVIRONMENT, type LogLine, NODE_FLAGS, ServerProcess } from './server-process.ts';
import { createStorage, defaultStorage, type StorageName, type TestStorage } from './storage/index.ts';

export type { ClientFileContents } from './config-folder.ts';
export type { Person } from './seed.ts';
export type { LogLine } from './server-process.ts';

const COMMAND_LINE = resolve(import.meta.dirname, '../../src/cli/bin.js');
const SEED = resolve(import.meta.dirname, 'seed.ts');
const LOGGED_WITHIN_MS = 5_000;

export interface StartOptions extends ConfigContents {
  /** Added before the server starts, all in one go. */
  readonly people?: readonly Person[];
  /** Environment of the server and the commands besides the master key and `CHILD_ENVIRONMENT`; nothing else is inherited. */
  readonly env?: Readonly<Record<string, string>>;
  /** Where data is kept, or whose storage is shared; by default what this run of the tests is about. */
  readonly storage?: StorageName | TestStorage;
  /** Whether `storage.takeAway` is going to be used. */
  readonly breakable?: boolean;
}

export interface CommandResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Starts the real server as a process of its own, with a configuration folder, a database and
 * ports that nobody else uses, and waits until it is ready. `stop()` it in `afterAll`.
 * @throws with everything the server wrote to standard error when it does not start
 */
export async function startVestibule(options: StartOptions = {}): Promise<Vestibule> {
  const root = await mkdtemp(join(tmpdir(), 'vestibule-test-'));
  const ports = { public: await freePort(), operations: await freePort() };
  const { storage = defaultStorage(), breakable = false } = options;
  const shared = typeof storage !== 'string';
  const vestibule = new Vestibule({
    root,
    ports,
    storage: shared ? storage : await createStorage(root, storage, { breakable }),
    ownsStorage: !shared,
    env: options.env ?? {},
  });
  try {
    await vestibule.configure(options);
    if (options.people?.length) await vestibule.addPeople(options.people);
    await vestibule.restart();
  } catch (error) {
    await vestibule.stop();
    throw error;
  }
  return vestibule;
}

interface Parts {
  readonly root: string;
  readonly ports: { readonly public: number; readonly operations: number };
  readonly storage: TestStorage;
  readonly ownsStorage: boolean;
  readonly env: Readonly<Record<string, string>>;
}

export class Vestibule {
  /** The configuration folder. */
  readonly directory: string;
  readonly port: number;
  readonly operationsUrl: string;
  readonly storage: TestStorage;
  /** Every line logged so far, also by earlier processes. */
  readonly logs: LogLine[] = [];
  readonly #root: string;
  readonly #ownsStorage: boolean;
  readonly #env: Record<string, string>;
  readonly #watchers = new Set<() => void>();
  #settings: Readonly<Record<string, unknown>>;
  #clockOffset = 0;
  #process: ServerProcess | undefined;

  constructor({ root, ports, storage, ownsStorage, env }: Parts) {
    this.#root = root;
    this.storage = storage;
    this.#ownsStorage = ownsStorage;
    this.directory = join(root, 'config');
    this.port = ports.public;
    this.operationsUrl = `http://127.0.0.1:${ports.operations}`;
    this.#settings = { ...defaultSettings(ports), storage: storage.settings };
    this.#env = { ...CHILD_ENVIRONMENT, ...storage.env, VESTIBULE_MASTER_KEY: newMasterKey(), ...env };
  }

  get issuer(): string {
    return String(this.#settings.issuer);
  }

  /** Milliseconds since the epoch by the server's clock. */
  now(): number {
    return Date.now() + this.#clockOffset;
  }

  /** What the server wrote that is no log line: warnings, crashes. */
  get complaints(): string {
    return this.#process?.complaints ?? '';
  }

  get pid(): number | undefined {
    return this.#process?.pid;
  }

  /** Writes files of the configuration folder anew; takes effect with `restart()` or `signal('SIGHUP')`. */
  async configure(contents: ConfigContents): Promise<void> {
    this.#settings = mergeSettings(this.#settings, contents.settings ?? {});
    await writeConfig(this.directory, { ...contents, settings: this.#settings });
  }

  /** Environment variables for processes started from now on. */
  setEnv(variables: Readonly<Record<string, string>>): void {
    Object.assign(this.#env, variables);
  }

  addPerson(person: Person): Promise<void> {
    return this.addPeople([person]);
  }

  async addPeople(people: readonly Person[]): Promise<void> {
    const { code, stderr } = await this.#run([SEED, this.directory], JSON.stringify(people));
    if (code !== 0) throw new Error(`people were not added:\n${stderr}`);
  }

  /** Runs `vestibule <args…> --config <folder>` to its end, with the server's environment and clock. */
  command(args: readonly string[], input = ''): Promise<CommandResult> {
    return this.#run([COMMAND_LINE, ...args, '--config', this.directory], input);
  }

  /** Moves the server's clock forward: nothing sleeps, everything that expires does. */
  async advanceClock(seconds: number): Promise<void> {
    this.#clockOffset += seconds * 1000;
    if (this.#process?.running) await this.#process.moveClock(this.#clockOffset);
  }

  /** @returns the first line, past or to come, that has this `event` (and passes the filter) */
  async logged(event: string, filter: (line: LogLine) => boolean = () => true): Promise<LogLine> {
    const find = () => this.logs.find((line) => line.event === event && filter(line));
    return (
      find() ??
      new Promise((done, fail) => {
        const stopWatching = () => {
          clearTimeout(tooLate);
          this.#watchers.delete(look);
        };
        const look = () => {
          const found = find();
          if (!found) return;
          stopWatching();
          done(found);
        };
        const tooLate = setTimeout(() => {
          stopWatching();
          fail(new Error(`no log line "${event}"; there were ${JSON.stringify(this.logs.map((line) => line.event))}`));
        }, LOGGED_WITHIN_MS);
        this.#watchers.add(look);
      })
    );
  }

  signal(name: NodeJS.Signals): void {
    this.#process?.signal(name);
  }

  /** Waits for the process to end by itself, after a signal say. @returns exit code or signal name */
  async ended(): Promise<number | string> {
    return this.#process?.exit ?? 0;
  }

  /** Ends the process in order, if it still runs, and starts another on the same data. */
  async restart(): Promise<void> {
    await this.#process?.end('SIGTERM');
    this.#process = new ServerProcess([COMMAND_LINE, 'serve', '--config', this.directory], this.#childEnv(), (line) => {
      this.logs.push(line);
      for (const look of [...this.#watchers]) look();
    });
    await this.#process.ready(this.operationsUrl);
  }

  /** As a crash would: no handler runs, no buffer is written. The data stays for `restart()`. */
  async kill(): Promise<void> {
    await this.#process?.end('SIGKILL');
  }

  /** Ends the process in order and removes its data. @returns exit code or signal name */
  async stop(): Promise<number | string> {
    try {
      return (await this.#process?.end('SIGTERM')) ?? 0;
    } finally {
      if (this.#ownsStorage) await this.storage.remove();
      await rm(this.#root, { recursive: true, force: true });
    }
  }

  #childEnv(): Record<string, string> {
    return { ...this.#env, VESTIBULE_TEST_CLOCK_OFFSET: String(this.#clockOffset) };
  }

  #run(program: readonly string[], input: string): Promise<CommandResult> {
    return new Promise((done) => {
      const child = execFile(
        process.execPath,
        [...NODE_FLAGS, ...program],
        { env: this.#childEnv(), maxBuffer: 16 * 1024 * 1024 },
        // A signal's name instead of a number (killed) counts as a failure, too.
        (error, stdout, stderr) => done({ code: error ? Number(error.code) || 1 : 0, stdout, stderr }),
      );
      // A command that reads nothing may have ended already.
      child.stdin?.on('error', () => {});
      child.stdin?.end(input);
    });
  }
}
