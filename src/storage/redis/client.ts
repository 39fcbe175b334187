import { readFileSync } from 'node:fs';
import type { ConnectionOptions } from 'node:tls';
import { Cluster, type CommonRedisOptions, Redis } from 'ioredis';
import { OperatorError } from '../../kernel/errors.ts';
import { SCRIPTS } from './scripts.ts';
import type { Address, RedisSettings } from './settings.ts';

/** A connection (or one to each node of a cluster), not opened yet. */
export interface Client {
  readonly redis: Redis | Cluster;
  readonly isCluster: boolean;
  /** Where it goes, without credentials. */
  readonly place: string;
  /** What no message may hold. */
  readonly secrets: readonly (string | undefined)[];
}

const RECONNECT_FIRST_MS = 50;
const RECONNECT_LONGEST_MS = 1000;
/** A server that was demoted answers every write so: one reconnection in this time looks for its successor. */
const READONLY_PAUSE_MS = 1000;

/** Doubling, and never at the same moment on all nodes: a server that comes back is not overrun. */
export const reconnectAfter = (times: number): number =>
  Math.min(RECONNECT_FIRST_MS * 2 ** Math.min(times, 10), RECONNECT_LONGEST_MS) * (0.5 + Math.random() / 2);

/** @throws OperatorError when the settings can't be used */
export function createClient(settings: RedisSettings): Client {
  const { sentinels, cluster } = settings;
  const target = settings.url === undefined ? undefined : targetOf(settings.url);
  const tls = tlsOf(settings, target?.isTls ?? false);
  const username = settings.username ?? target?.username;
  const password = settings.password ?? target?.password;
  const shared = {
    ...commonOptions(settings.timeout * 1000),
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    ...(tls ? { tls } : {}),
  };
  const secrets = [password, settings.sentinel_password, settings.url].flatMap(spellings);
  if (cluster) {
    return {
      redis: clusterOf(cluster, shared, settings.timeout * 1000),
      isCluster: true,
      place: listed(cluster),
      secrets,
    };
  }
  const db = settings.database ?? target?.database ?? 0;
  if (sentinels) {
    const redis = new Redis({ ...shared, db, ...sentinelOptions(settings, sentinels, tls) });
    const place = `Sentinels ${listed(sentinels)} (${settings.sentinel_name ?? ''})`;
    return { redis, isCluster: false, place, secrets };
  }
  if (!target) throw new OperatorError('storage.ephemeral: one of url, sentinels and cluster must say where Redis is.');
  const { host, port } = target;
  return {
    redis: new Redis({ ...shared, db, host, port }),
    isCluster: false,
    place: listed([{ host, port }]),
    secrets,
  };
}

type SharedOptions = ReturnType<typeof commonOptions>;

/** As a password stands in a URL, and decoded. */
const spellings = (secret: string | undefined): (string | undefined)[] =>
  secret === undefined ? [] : [secret, encodeURIComponent(secret)];

const listed = (addresses: readonly Address[]): string =>
  addresses.map(({ host, port }) => `${host}:${port}`).join(', ');

function commonOptions(timeoutMs: number) {
  let lookedForSuccessor = Number.NEGATIVE_INFINITY;
  return {
    lazyConnect: true,
    // RESP2: credentials go in a command of their own, which no server quotes in an error.
    protocol: 2,
    connectionName: 'vestibule',
    disableClientInfo: true,
    scripts: Object.fromEntries(Object.entries(SCRIPTS).map(([name, lua]) => [name, { lua }])),
    // Nothing waits for a server that is away, and nothing is sent twice: what was under way when the
    // connection broke may have been executed, and counting or using something up twice is no repetition.
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    // A server that says nothing is given up with its connection, also while connecting.
    connectTimeout: timeoutMs,
    socketTimeout: timeoutMs,
    disconnectTimeout: 200,
    maxLoadingRetryTime: 500,
    retryStrategy: reconnectAfter,
    reconnectOnError: ({ message }: Error) => {
      if (!/\b(READONLY|MASTERDOWN)\b/.test(message)) return false;
      if (performance.now() - lookedForSuccessor < READONLY_PAUSE_MS) return false;
      lookedForSuccessor = performance.now();
      return true;
    },
  } as const satisfies CommonRedisOptions & { disconnectTimeout: number };
}

const sentinelOptions = (
  settings: RedisSettings,
  sentinels: readonly Address[],
  tls: ConnectionOptions | undefined,
) => ({
  sentinels: sentinels.map((address) => ({ ...address })),
  name: settings.sentinel_name ?? '',
  ...(settings.sentinel_username === undefined ? {} : { sentinelUsername: settings.sentinel_username }),
  ...(settings.sentinel_password === undefined ? {} : { sentinelPassword: settings.sentinel_password }),
  ...(tls ? { sentinelTLS: tls, enableTLSForSentinelMode: true } : {}),
  sentinelCommandTimeout: settings.timeout * 1000,
  sentinelRetryStrategy: reconnectAfter,
  sentinelReconnectStrategy: reconnectAfter,
  // Told of a failover instead of finding out by errors.
  failoverDetector: true,
});

function clusterOf(nodes: readonly Address[], shared: SharedOptions, timeoutMs: number): Cluster {
  const { scripts, lazyConnect, enableOfflineQueue, retryStrategy: _ofTheCluster, ...redisOptions } = shared;
  return new Cluster(
    nodes.map((address) => ({ ...address })),
    {
      scripts,
      lazyConnect,
      enableOfflineQueue,
      clusterRetryStrategy: reconnectAfter,
      slotsRefreshTimeout: timeoutMs,
      slotsRefreshInterval: 2000,
      // Zero: not repeated. A redirection (MOVED, ASK) was not executed and is followed.
      retryDelayOnFailover: 0,
      retryDelayOnClusterDown: 0,
      maxRedirections: 4,
      redisOptions,
    },
  );
}

interface Target extends Address {
  readonly isTls: boolean;
  readonly username: string | undefined;
  readonly password: string | undefined;
  readonly database: number | undefined;
}

/** Read here and not by the driver, to which every parameter of the query is an option. */
function targetOf(text: string): Target {
  const fault = (what: string): OperatorError => new OperatorError(`storage.ephemeral.url ${what}.`);
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url || !/^rediss?:$/.test(url.protocol) || url.hostname === '') {
    throw fault('must be redis://host:6379 or rediss://host:6379, with user:password@ before the host where needed');
  }
  if (url.search !== '' || url.hash !== '')
    throw fault('must end after the database: settings have names of their own');
  const database = /^\/?(\d{0,5})$/.exec(url.pathname)?.[1];
  if (database === undefined) throw fault('must name a database by its number, such as redis://host:6379/1');
  const decoded = (part: string): string | undefined => (part === '' ? undefined : decodeURIComponent(part));
  return {
    isTls: url.protocol === 'rediss:',
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port: url.port === '' ? 6379 : Number(url.port),
    username: decoded(url.username),
    password: decoded(url.password),
    database: database === '' ? undefined : Number(database),
  };
}

function tlsOf({ tls }: RedisSettings, isTls: boolean): ConnectionOptions | undefined {
  if (!tls && !isTls) return undefined;
  const { ca, cert, key, server_name: servername } = tls ?? {};
  return {
    ...(ca === undefined ? {} : { ca: readPem('ca', ca) }),
    ...(cert === undefined ? {} : { cert: readPem('cert', cert) }),
    ...(key === undefined ? {} : { key: readPem('key', key) }),
    ...(servername === undefined ? {} : { servername }),
  };
}

function readPem(name: string, file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    throw new OperatorError(
      `storage.ephemeral.tls.${name}: ${file} can’t be read (${(error as NodeJS.ErrnoException).code}).`,
    );
  }
}
