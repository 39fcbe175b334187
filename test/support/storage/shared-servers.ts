/**
 * Redis and MongoDB for a whole test run, started by the first process of Jest (`globalSetup`) unless
 * `REDIS_URL` and `MONGODB_URL` name some. Every server under test has a database and a key prefix of its own.
 */
import { findMongodbServer, findRedisServer } from '../programs.ts';

const hasMongodb = (): boolean => process.env.MONGODB_URL !== undefined || findMongodbServer() !== undefined;
const hasRedis = (): boolean => process.env.REDIS_URL !== undefined || findRedisServer() !== undefined;

/** Whether there are both, or can be. */
export const serversFound = (): boolean => hasMongodb() && hasRedis();

// Loaded late: the configuration of Jest asks only whether they are found.
const [mongodb, redis] = [() => import('../mongodb-server.ts'), () => import('../redis-server.ts')];

/** Whoever is absent is complained about by the tests that need it (`servers-required.ts`). */
export async function start(): Promise<void> {
  if (!serversFound()) return;
  // Without a handler the signal ends the process before those of `exit` take the servers along.
  process.once('SIGTERM', () => process.exit(143));
  await Promise.all([(await mongodb()).useSharedMongodb(), (await redis()).useSharedRedis()]);
}

export async function stop(): Promise<void> {
  await Promise.all([(await mongodb()).releaseSharedMongodb(), (await redis()).releaseSharedRedis()]);
}
