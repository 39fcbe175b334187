/**
 * Holds what must not outlive the test, however that ends: the storage servers, folders, and the right to leave a
 * process stopped. A process of its own; when its channel closes, its parent is gone, and it tidies up.
 */
import { rm } from 'node:fs/promises';
import { type MongodbServer, startMongodb } from '../support/mongodb-server.ts';
import { type RedisServer, startRedis } from '../support/redis-server.ts';

export type ServerName = 'redis' | 'mongodb';
export type ServerVerb = 'kill' | 'restart' | 'pause' | 'resume';

export type Order = { readonly id: number } & (
  | { readonly server: ServerName; readonly verb: ServerVerb }
  | { readonly pid: number; readonly verb: 'pause' | 'resume' }
  | { readonly folder: string; readonly verb: 'remove at the end' }
);

/** The first one, without an id, says that all is up. */
export type Answer =
  | { readonly urls: Readonly<Record<ServerName, string>> }
  | { readonly id: number; readonly problem?: string };

const folders = new Set<string>();
const stopped = new Set<number>();
const tell = (answer: Answer): void => void process.send?.(answer);

const starting: Promise<{ redis: RedisServer; mongodb: MongodbServer }> = Promise.all([
  // What was answered is on disk: a kill loses nothing.
  startRedis(['--appendonly', 'yes', '--appendfsync', 'always', '--maxmemory-policy', 'noeviction']),
  startMongodb(['--sync-on-commit']),
]).then(([redis, mongodb]) => ({ redis, mongodb }));

async function obey(order: Order): Promise<void> {
  if ('folder' in order) folders.add(order.folder);
  else if ('server' in order) await (await starting)[order.server][order.verb]();
  else if (order.verb === 'pause') {
    stopped.add(order.pid);
    process.kill(order.pid, 'SIGSTOP');
  } else {
    process.kill(order.pid, 'SIGCONT');
    stopped.delete(order.pid);
  }
}

async function tidyUp(): Promise<void> {
  // A stopped server can't see that its parent is gone.
  for (const pid of stopped) process.kill(pid, 'SIGKILL');
  const { redis, mongodb } = await starting;
  await Promise.all([redis.stop(), mongodb.stop()]);
  await Promise.all([...folders].map((folder) => rm(folder, { recursive: true, force: true, maxRetries: 3 })));
}

process.on('message', (order: Order) => {
  obey(order).then(
    () => tell({ id: order.id }),
    (error: unknown) => tell({ id: order.id, problem: String(error) }),
  );
});
process.on('disconnect', () => {
  tidyUp().then(
    () => process.exit(0),
    (error: unknown) => {
      process.stderr.write(`not everything was tidied up: ${String(error)}\n`);
      process.exit(1);
    },
  );
});
// Meant for the test, which may have something to say first; what follows is its end.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined);

const { redis, mongodb } = await starting;
tell({ urls: { redis: redis.url, mongodb: mongodb.url } });
