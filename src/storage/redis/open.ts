import type { Cluster, Redis } from 'ioredis';
import { OperatorError } from '../../kernel/errors.ts';
import type { Logger } from '../../kernel/logger.ts';
import { type Client, createClient } from './client.ts';
import { Connection } from './connection.ts';
import { type Cleaner, createCleaner, refusalIn } from './failure.ts';
import type { RedisSettings } from './settings.ts';

/** How long a server that isn't there yet is waited for at start. */
const PATIENCE_MS = 5000;

/**
 * Connects, and looks at how the server is set up.
 *
 * @throws OperatorError when it can't be used, with the reason; it never holds a password
 */
export async function openConnection(settings: RedisSettings, logger: Logger): Promise<Connection> {
  const client = createClient(settings);
  const clean = createCleaner(client.secrets);
  const fault = (what: string): OperatorError =>
    new OperatorError(`Redis at ${client.place} (storage.ephemeral) ${what}.`);
  try {
    await ready(client, clean, fault);
    for (const node of await mastersOf(client.redis)) await inspect(node, client, { clean, fault, logger });
  } catch (error) {
    client.redis.disconnect();
    throw error instanceof OperatorError ? error : fault(`can’t be used: ${clean(error).message}`);
  }
  return new Connection(client, settings.timeout * 1000, logger);
}

type Fault = (what: string) => OperatorError;

async function ready({ redis }: Client, clean: Cleaner, fault: Fault): Promise<void> {
  let last = 'it closes the connection; does it want TLS (rediss://)?';
  let timer: NodeJS.Timeout | undefined;
  const listeners: [event: string, listener: (error: unknown) => void][] = [];
  try {
    await new Promise<void>((resolve, reject) => {
      const note = (error: unknown): void => {
        last = clean((error as { lastNodeError?: unknown }).lastNodeError ?? error).message;
        const refusal = refusalIn(last);
        if (refusal) reject(fault(`${refusal}: ${last}`));
      };
      for (const event of ['error', 'node error', 'sentinelError']) listeners.push([event, note]);
      listeners.push(['ready', () => resolve()]);
      for (const [event, listener] of listeners) redis.on(event, listener);
      timer = setTimeout(() => reject(fault(`does not answer: ${last}`)), PATIENCE_MS);
      redis.connect().catch(note);
    });
  } finally {
    clearTimeout(timer);
    for (const [event, listener] of listeners) redis.off(event, listener);
    // The driver writes errors nobody listens for to standard error, with their arguments.
    redis.on('error', () => undefined);
  }
}

/** Every node that takes writes, connected: a node that is still connecting refuses what is sent to it. */
async function mastersOf(redis: Redis | Cluster): Promise<Redis[]> {
  if (!('nodes' in redis)) return [redis];
  const masters = redis.nodes('master');
  await Promise.all(
    masters.map((node) => {
      if (node.status === 'ready') return undefined;
      if (node.status === 'wait') return node.connect();
      return new Promise<void>((resolve, reject) => {
        node.once('ready', () => resolve());
        node.once('end', () =>
          reject(new Error(`the node ${node.options.host}:${node.options.port} can’t be reached`)),
        );
      });
    }),
  );
  return masters;
}

/** What stands in INFO, by name; undefined where this user may not ask. */
async function infoOf(node: Redis): Promise<ReadonlyMap<string, string> | undefined> {
  try {
    const lines = (await node.info()).split('\r\n').filter((line) => line.includes(':'));
    return new Map(lines.map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1)]));
  } catch (error) {
    if (/NOPERM|unknown command/i.test((error as Error).message)) return undefined;
    throw error;
  }
}

async function inspect(
  node: Redis,
  { isCluster, place }: Client,
  { clean, fault, logger }: { clean: Cleaner; fault: Fault; logger: Logger },
): Promise<void> {
  const info = await infoOf(node).catch((error: unknown) => {
    throw fault(`can’t be used: ${clean(error).message}`);
  });
  if (!info) {
    const message =
      'Redis does not say how it is set up (INFO is not allowed): see that it evicts nothing and keeps an append-only file';
    logger.warn({ event: 'storage.redis.unknown', place }, message);
    return;
  }
  const mode = info.get('redis_mode');
  if (mode === 'sentinel') throw fault('is a Sentinel: list it under storage.ephemeral.sentinels instead');
  if (mode === 'cluster' && !isCluster)
    throw fault('is a cluster: list its nodes under storage.ephemeral.cluster instead');
  if (info.get('role') === 'slave') throw fault('is a replica and takes no writes: name its master, or the Sentinels');
  const [major = 0, minor = 0] = (info.get('redis_version') ?? '').split('.').map(Number);
  if (major < 6 || (major === 6 && minor < 2)) throw fault('is older than version 6.2');

  const policy = info.get('maxmemory_policy');
  if (policy !== 'noeviction') {
    const message =
      'Redis may drop sessions, counters and replay marks when its memory is full: set maxmemory-policy noeviction';
    logger.warn({ event: 'storage.redis.evicts', place, policy: policy ?? 'unknown' }, message);
  }
  if (info.get('aof_enabled') !== '1') {
    const message = 'Redis forgets what was written last when it is killed, uses of codes included: set appendonly yes';
    logger.warn({ event: 'storage.redis.forgets', place }, message);
  }
}
