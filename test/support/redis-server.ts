import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis, type RedisOptions } from 'ioredis';
import { freePort } from './ports.ts';
import { findRedisServer, freeze } from './programs.ts';

export { findRedisServer };

const START_MS = 10_000;

/** A Redis server of our own on a free loopback port. */
export interface RedisServer {
  readonly port: number;
  readonly url: string;
  /** A plain client of the driver, for looking and meddling; closed with the server. */
  client(options?: Pick<RedisOptions, 'username' | 'password'>): Redis;
  /** SIGSTOP: it keeps its connections and answers nothing. */
  pause(): void;
  resume(): void;
  /** SIGKILL. */
  kill(): Promise<void>;
  /** On the same port with the same files, after `kill`. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

/**
 * @param settings as on the command line: `--appendonly yes`
 * @param how `watches`: it is a Sentinel, for the master on that port, which it calls `vestibule`
 */
export async function startRedis(
  settings: readonly string[] = ['--appendonly', 'no'],
  how: { watches?: number } = {},
): Promise<RedisServer> {
  const program = findRedisServer();
  if (program === undefined) throw new Error('redis-server is not on the PATH');
  const directory = await mkdtemp(join(tmpdir(), 'vestibule-redis-'));
  const port = await freePort();
  const clients: Redis[] = [];
  let child: ChildProcess | undefined;
  const killOnExit = (): void => void child?.kill('SIGKILL');

  const start = async (): Promise<void> => {
    const common = ['--bind', '127.0.0.1', '--port', String(port), '--dir', directory, '--save', ''];
    const config = join(directory, 'sentinel.conf');
    // A Sentinel writes what it learns into its file.
    if (how.watches) await writeFile(config, sentinelConfig(port, how.watches));
    const started = spawn(program, how.watches ? [config, '--sentinel'] : [...common, ...settings], {
      stdio: 'ignore',
    });
    child = started;
    const until = performance.now() + START_MS;
    for (;;) {
      if (started.exitCode !== null) throw new Error(`redis-server ended with ${started.exitCode}`);
      if (await answers(port)) return;
      if (performance.now() > until) throw new Error('redis-server did not start');
    }
  };
  const end = async (): Promise<void> => {
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
  };

  process.once('exit', killOnExit);
  await start();
  return {
    port,
    url: `redis://127.0.0.1:${port}`,
    client(options = {}) {
      const client = new Redis({
        host: '127.0.0.1',
        port,
        retryStrategy: () => 50,
        disconnectTimeout: 100,
        disableClientInfo: true,
        ...options,
      });
      client.on('error', () => undefined);
      clients.push(client);
      return client;
    },
    pause: () => child && freeze(child),
    resume: () => void child?.kill('SIGCONT'),
    kill: end,
    restart: start,
    async stop() {
      process.off('exit', killOnExit);
      for (const client of clients) client.disconnect();
      await end();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

const sentinelConfig = (port: number, master: number): string =>
  [
    `port ${port}`,
    'bind 127.0.0.1',
    `sentinel monitor vestibule 127.0.0.1 ${master} 1`,
    'sentinel down-after-milliseconds vestibule 500',
    'sentinel failover-timeout vestibule 2000',
    '',
  ].join('\n');

/** Whether a server on that port has its data loaded, or says that it wants credentials. */
async function answers(port: number): Promise<boolean> {
  const probe = new Redis({
    host: '127.0.0.1',
    port,
    lazyConnect: true,
    retryStrategy: () => null,
    enableReadyCheck: false,
    disableClientInfo: true,
    connectTimeout: 500,
    commandTimeout: 500,
    disconnectTimeout: 100,
    protocol: 2,
  });
  probe.on('error', () => undefined);
  try {
    await probe.connect();
    await probe.ping();
    return true;
  } catch (error) {
    return /NOAUTH|READONLY|MASTERDOWN/.test((error as Error).message);
  } finally {
    probe.disconnect();
  }
}

let shared: RedisServer | undefined;

/**
 * One server for all tests of a process (and those it starts, by `REDIS_URL`): the one named there, else one of its own.
 * Every test has a key prefix for itself.
 */
export async function useSharedRedis(): Promise<void> {
  if (process.env.REDIS_URL !== undefined) return;
  shared = await startRedis();
  process.env.REDIS_URL = shared.url;
}

export async function releaseSharedRedis(): Promise<void> {
  if (!shared) return;
  delete process.env.REDIS_URL;
  await shared.stop();
  shared = undefined;
}

/** @returns keys beginning so that Redis would keep for ever */
export async function keysWithoutEnd(url: string, prefix: string): Promise<string[]> {
  const client = new Redis(url, { disableClientInfo: true });
  const found: string[] = [];
  try {
    for await (const keys of client.scanStream({ match: `${prefix}*`, count: 1000 })) {
      for (const key of keys as string[]) if ((await client.ttl(key)) === -1) found.push(key);
    }
    return found;
  } finally {
    client.disconnect();
  }
}
