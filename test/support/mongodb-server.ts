import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MongoClient, type MongoClientOptions } from 'mongodb';
import { freePort } from './ports.ts';
import { findMongodbServer, freeze } from './programs.ts';

export { findMongodbServer };

const START_MS = 30_000;

/** A server of our own on a free loopback port. */
export interface MongodbServer {
  readonly port: number;
  readonly url: string;
  /** A plain client of the driver, for looking and meddling; closed with the server. */
  client(options?: MongoClientOptions): MongoClient;
  /** SIGSTOP: it keeps its connections and answers nothing. */
  pause(): void;
  resume(): void;
  /** SIGKILL. */
  kill(): Promise<void>;
  /** On the same port with the same files, after `kill`. @param settings instead of those of the start */
  restart(settings?: readonly string[]): Promise<void>;
  stop(): Promise<void>;
}

/** @param settings as on the command line: `--sync-on-commit` */
export async function startMongodb(settings: readonly string[] = []): Promise<MongodbServer> {
  const program = findMongodbServer();
  if (program === undefined) throw new Error('secantusd-py is not on the PATH');
  const directory = await mkdtemp(join(tmpdir(), 'vestibule-mongodb-'));
  const port = await freePort();
  const url = `mongodb://127.0.0.1:${port}/?directConnection=true`;
  const clients: MongoClient[] = [];
  let child: ChildProcess | undefined;
  const killOnExit = (): void => void child?.kill('SIGKILL');

  const start = async (more: readonly string[]): Promise<void> => {
    const place = ['--host', '127.0.0.1', '--port', String(port), '--storage-path', directory];
    const started = spawn(program, [...place, '--log-level', 'ERROR', ...more], { stdio: 'ignore' });
    child = started;
    const until = performance.now() + START_MS;
    while (!(await answers(url))) {
      if (started.exitCode !== null) throw new Error(`secantusd-py ended with ${started.exitCode}`);
      if (performance.now() > until) throw new Error('secantusd-py did not start');
    }
  };
  const end = async (): Promise<void> => {
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
  };

  process.once('exit', killOnExit);
  await start(settings);
  return {
    port,
    url,
    client(options = {}) {
      const client = new MongoClient(url, options);
      clients.push(client);
      return client;
    },
    pause: () => child && freeze(child),
    resume: () => void child?.kill('SIGCONT'),
    kill: end,
    restart: (instead = settings) => start(instead),
    async stop() {
      process.off('exit', killOnExit);
      await Promise.all(clients.map((client) => client.close()));
      await end();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

async function answers(url: string): Promise<boolean> {
  const client = new MongoClient(url, { serverSelectionTimeoutMS: 200, connectTimeoutMS: 2000, socketTimeoutMS: 2000 });
  try {
    await client.db('admin').command({ hello: 1 });
    return true;
  } catch {
    // Not yet.
    return false;
  } finally {
    await client.close();
  }
}

let shared: MongodbServer | undefined;

/** Tells the other processes of the run that the server named by `MONGODB_URL` is one of ours. */
const OURS = 'VESTIBULE_TEST_MONGODB';

/** Whether the server goes with the run, and all that is in it: SecantusDB takes seconds to drop a database. */
export const isOurs = (url: string): boolean => process.env[OURS] === url;

/** The one that was started for the whole run, if any. */
let ofTheRun: string | undefined;

/**
 * One server for all tests of a process (and those it starts, by `MONGODB_URL`): the one that somebody named there, else
 * a fresh one, as SecantusDB grows slower with what it holds. Every test has a database for itself.
 */
export async function useSharedMongodb(): Promise<void> {
  const found = process.env.MONGODB_URL;
  if (shared || (found !== undefined && !isOurs(found))) return;
  shared = await startMongodb();
  ofTheRun = found;
  nameOurs(shared.url);
}

function nameOurs(url: string | undefined): void {
  for (const variable of ['MONGODB_URL', OURS]) {
    if (url === undefined) delete process.env[variable];
    else process.env[variable] = url;
  }
}

export async function releaseSharedMongodb(): Promise<void> {
  if (!shared) return;
  nameOurs(ofTheRun);
  await shared.stop();
  shared = undefined;
}

/** Leaves a server that isn't ours as it was. @returns what could not be dropped */
export async function dropDatabases(url: string, prefix: string): Promise<string[]> {
  if (isOurs(url)) return [];
  const client = new MongoClient(url);
  const names = async (): Promise<string[]> =>
    (await client.db('admin').admin().listDatabases()).databases
      .map(({ name }) => name)
      .filter((name) => name.startsWith(prefix));
  try {
    for (const name of await names()) await client.db(name).dropDatabase();
    return await names();
  } finally {
    await client.close();
  }
}
