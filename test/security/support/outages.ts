import type { Redis } from 'ioredis';
import type { Settings } from '../../support/config-folder.ts';
import { type MongodbServer, startMongodb } from '../../support/mongodb-server.ts';
import { freePort } from '../../support/ports.ts';
import { type RedisServer, startRedis } from '../../support/redis-server.ts';

const USER = 'vestibule';
export const REDIS_PASSWORD = 'redis-canary-password';
const RIGHTS = ['on', `>${REDIS_PASSWORD}`, '~*', '&*', '+@all'];

export interface Servers {
  readonly redis: RedisServer;
  readonly mongodb: MongodbServer;
  /** Meddles as an administrator of Redis. */
  readonly admin: Redis;
  readonly settings: Settings;
  readonly env: Readonly<Record<string, string>>;
  stop(): Promise<void>;
}

/** Both servers, our own, as they are to be run: what was acknowledged is on disk. Time-outs as they are by default. */
export async function startServers(): Promise<Servers> {
  const [redis, mongodb] = await Promise.all([
    startRedis(['--appendonly', 'yes', '--appendfsync', 'always', '--user', USER, ...RIGHTS]),
    startMongodb(['--sync-on-commit', '--enable-test-commands']),
  ]);
  return {
    redis,
    mongodb,
    admin: redis.client(),
    settings: {
      durable: { engine: 'mongodb', path: null, url: '${env:MONGODB_URL}', database: 'outages' },
      ephemeral: { engine: 'redis', path: null, url: '${env:REDIS_URL}', key_prefix: 'outages:' },
    },
    env: { MONGODB_URL: mongodb.url, REDIS_URL: `redis://${USER}:${REDIS_PASSWORD}@127.0.0.1:${redis.port}` },
    async stop() {
      await redis.stop();
      await mongodb.stop();
    },
  };
}

/** What people and programs ask for. */
export type Deed =
  | 'a new sign-in'
  | 'the name'
  | 'the password'
  | 'a wrong password'
  | 'single sign-on'
  | 'the sign-out'
  | 'a code'
  | 'a refresh'
  | 'an assertion'
  | 'userinfo'
  | 'introspection'
  | 'a revocation';

export interface Outage {
  /** What is answered all the same, and rightly. Everything else is refused. */
  readonly goesOn: readonly Deed[];
  /** What may be answered, and may be refused. */
  readonly mayGoOn?: readonly Deed[];
  begin(servers: Servers): Promise<unknown>;
  end(servers: Servers): Promise<unknown>;
}

const COMMANDS = ['find', 'aggregate', 'count', 'insert', 'update', 'delete', 'findAndModify', 'commitTransaction'];

/** The first page, and a program that proves itself and gets a token for itself: no person is looked at. */
const NOT_DURABLE: readonly Deed[] = ['a new sign-in', 'an assertion'];

/** Every answer of MongoDB is this error, by its code. */
const answering = (errorCode: number): Outage => ({
  goesOn: NOT_DURABLE,
  begin: ({ mongodb }) =>
    mongodb
      .client()
      .db('admin')
      .command({ configureFailPoint: 'failCommand', mode: 'alwaysOn', data: { failCommands: COMMANDS, errorCode } }),
  end: ({ mongodb }) => mongodb.client().db('admin').command({ configureFailPoint: 'failCommand', mode: 'off' }),
});

/** Of a user whom Redis lets do less, until `end`. */
const withRights = (rights: string, back: string): Outage => ({
  goesOn: [],
  begin: async ({ admin }) => {
    await admin.call('ACL', 'SETUSER', USER, rights);
    // Redis looks at the password when a connection begins.
    await admin.call('CLIENT', 'KILL', 'USER', USER);
  },
  end: ({ admin }) => admin.call('ACL', 'SETUSER', USER, back),
});

/** What happens to the servers in production, one at a time. */
export const OUTAGES: Readonly<Record<string, Outage>> = {
  'Redis killed': {
    goesOn: [],
    begin: ({ redis }) => redis.kill(),
    end: ({ redis }) => redis.restart(),
  },
  'Redis stopped in the middle': {
    goesOn: [],
    begin: async ({ redis }) => redis.pause(),
    end: async ({ redis }) => redis.resume(),
  },
  'Redis out of memory': {
    // What is there is read and removed; nothing is added.
    goesOn: ['userinfo', 'introspection', 'a revocation'],
    begin: ({ admin }) => admin.config('SET', 'maxmemory', '1'),
    end: ({ admin }) => admin.config('SET', 'maxmemory', '0'),
  },
  'Redis read-only, a replica': {
    // It is read, until the driver disconnects to look for the master.
    goesOn: [],
    mayGoOn: ['userinfo', 'introspection'],
    begin: async ({ admin }) => admin.replicaof('127.0.0.1', await freePort()),
    end: ({ admin }) => admin.replicaof('NO', 'ONE'),
  },
  'Redis refusing the password': withRights('off', 'on'),
  'Redis refusing every command': withRights('-@all', '+@all'),
  'MongoDB killed': {
    goesOn: NOT_DURABLE,
    begin: ({ mongodb }) => mongodb.kill(),
    end: ({ mongodb }) => mongodb.restart(),
  },
  'MongoDB stopped in the middle': {
    goesOn: NOT_DURABLE,
    begin: async ({ mongodb }) => mongodb.pause(),
    end: async ({ mongodb }) => mongodb.resume(),
  },
  'MongoDB with a full disk': answering(14_031),
  'MongoDB failing over, not the primary any more': answering(10_107),
  'MongoDB refusing the rights': answering(13),
  'MongoDB refusing the password': answering(18),
};
