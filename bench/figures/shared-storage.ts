import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { MongoClient } from 'mongodb';
import type { Settings } from '../../test/support/config-folder.ts';
import { freePort } from '../../test/support/ports.ts';
import { findRedisServer, startRedis } from '../../test/support/redis-server.ts';
import type { Options } from '../options.ts';
import type { Subject, World } from '../servers/subject.ts';
import { vestibuleSubject } from '../servers/vestibule.ts';
import { runRounds } from './rounds.ts';
import { cpuRatio, type FlowFigures, flowFigures } from './samples.ts';

/** A single sign-on by what Vestibule keeps its data in. */
export interface SharedStorage {
  /** Engines of the two halves → figures; the first is what the others are compared with. */
  readonly servers: Readonly<Record<string, FlowFigures>>;
  /** CPU of the node against the one on SQLite, medians of slices that follow each other. */
  readonly ratios: { readonly redis: number | undefined; readonly mongodb: number | undefined };
}

interface Engines {
  readonly id: Subject['id'];
  readonly label: string;
  readonly storage: Settings;
}

/**
 * Vestibule with its short-lived data on Redis (`REDIS_URL`, else a server started for this), and, where `MONGODB_URL` is
 * set, the rest on MongoDB: against itself on SQLite.
 * @returns undefined where there is no Redis
 */
export async function sharedStorage(
  world: World,
  options: Options,
  { directory, preload, progress }: { directory: string; preload: string; progress(text: string): void },
): Promise<SharedStorage | undefined> {
  const { REDIS_URL, MONGODB_URL } = process.env;
  if (REDIS_URL === undefined && !findRedisServer()) {
    progress('Redis left out: no redis-server on the PATH, no REDIS_URL');
    return undefined;
  }
  const started = REDIS_URL === undefined ? await startRedis() : undefined;
  const url = REDIS_URL ?? started?.url ?? '';
  // Somebody else's servers: nothing of theirs is met, nothing of ours is left.
  const name = `vestibule-bench-${randomBytes(6).toString('hex')}`;
  const ephemeral = { engine: 'redis', url, key_prefix: `${name}:`, path: null };
  const engines: Engines[] = [
    { id: 'vestibule', label: 'SQLite', storage: {} },
    { id: 'redis', label: 'SQLite and Redis', storage: { ephemeral } },
  ];
  if (MONGODB_URL !== undefined) {
    const durable = { engine: 'mongodb', url: MONGODB_URL, database: name, path: null };
    engines.push({ id: 'mongodb', label: 'MongoDB and Redis', storage: { durable, ephemeral } });
  }
  try {
    const subjects: Subject[] = [];
    for (const { id, label, storage } of engines) {
      const subject = await vestibuleSubject(world, {
        program: options.program,
        nodeOptions: options.serverOptions,
        directory: join(directory, `on-${id}`),
        port: await freePort(),
        operationsPort: await freePort(),
        storage,
      });
      subjects.push({ ...subject, id, label });
    }
    const samples = await runRounds(subjects, {
      world,
      options: { ...options, figures: new Set(['sso']) },
      preload,
      progress: (round) => progress(`Redis, ${round}`),
    });
    const embedded = samples.get('vestibule') ?? [];
    const ratio = (id: Subject['id']) => cpuRatio(samples.get(id) ?? [], embedded, 'sso');
    const figures = subjects.flatMap(({ id, label }) => {
      const found = flowFigures(samples.get(id) ?? [], 'sso');
      return found ? [[label, found] as const] : [];
    });
    return { servers: Object.fromEntries(figures), ratios: { redis: ratio('redis'), mongodb: ratio('mongodb') } };
  } finally {
    if (started) await started.stop();
    else await forgetKeys(url, `${name}:`);
    if (MONGODB_URL !== undefined) await dropDatabase(MONGODB_URL, name);
  }
}

async function forgetKeys(url: string, prefix: string): Promise<void> {
  const redis = new Redis(url);
  for await (const keys of redis.scanStream({ match: `${prefix}*`, count: 1000 }) as AsyncIterable<string[]>)
    if (keys.length > 0) await redis.unlink(...keys);
  await redis.quit();
}

async function dropDatabase(url: string, name: string): Promise<void> {
  const client = new MongoClient(url);
  await client.db(name).dropDatabase();
  await client.close();
}
