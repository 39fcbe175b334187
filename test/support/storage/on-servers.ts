import { randomBytes } from 'node:crypto';
import { basename } from 'node:path';
import { Redis } from 'ioredis';
import { BSON, MongoClient } from 'mongodb';
import { openDurable, openEphemeral } from '../../../src/storage/registry.ts';
import { isOurs } from '../mongodb-server.ts';
import { type MongodbGate, startMongodbGate } from './mongodb-gate.ts';
import type { Half, StorageOptions, TestStorage } from './test-storage.ts';

/** Patience with servers that share two cores with browsers and other tests; an outage is tested with the default. */
const TIMEOUT_SECONDS = 10;

/** What the keys of a store begin with, behind the prefix (`src/storage/redis/keys.ts`). */
const KEYS: Readonly<Record<string, readonly string[]>> = {
  artifacts: ['a:', 'i:'],
  journeys: ['j:'],
  counters: ['c:'],
  locks: ['l:', 'f:'],
  probe: ['p:', 't:'],
};

/** Collections of MongoDB where they are not named as SQLite's tables are. */
const COLLECTIONS: Readonly<Record<string, string>> = { identifiers: 'accounts' };

/** A database and a key prefix that nobody else has, on the servers of `MONGODB_URL` and `REDIS_URL`. */
export async function createOnServers(root: string, { breakable }: StorageOptions): Promise<TestStorage> {
  const name = basename(root).toLowerCase();
  const prefix = `${name}:`;
  const mongodbUrl = addressIn('MONGODB_URL');
  const redisUrl = addressIn('REDIS_URL');
  const mongodb = new MongoClient(mongodbUrl);
  const redis = new Redis(redisUrl, { disableClientInfo: true, lazyConnect: true });
  await redis.connect();

  const rights = (absent?: string): string[] =>
    Object.entries(KEYS)
      .filter(([table]) => table !== absent)
      .flatMap(([, beginnings]) => beginnings.map((beginning) => `~${prefix}${beginning}*`));
  const password = randomBytes(16).toString('hex');
  let gate: MongodbGate | undefined;
  if (breakable) {
    gate = await startMongodbGate(mongodbUrl);
    await redis.call('ACL', 'SETUSER', name, 'reset', 'on', `>${password}`, '+@all', ...rights());
  }
  const asUser = new URL(redisUrl);
  asUser.username = name;
  asUser.password = password;

  const durable = { engine: 'mongodb', database: name, connections: 20, timeout: TIMEOUT_SECONDS } as const;
  const ephemeral = { engine: 'redis', key_prefix: prefix, timeout: TIMEOUT_SECONDS } as const;
  const keys = async (): Promise<string[]> => {
    const found: string[] = [];
    for await (const some of redis.scanStream({ match: `${prefix}*`, count: 1000 })) found.push(...(some as string[]));
    return [...new Set(found)];
  };
  const takeAway: Readonly<Record<Half, (table: string) => Promise<() => Promise<void>>>> = {
    durable: async (table) => {
      const collection = COLLECTIONS[table] ?? table;
      gate?.refuse(collection);
      return async () => gate?.allow(collection);
    },
    ephemeral: async (table) => {
      await redis.call('ACL', 'SETUSER', name, 'resetkeys', ...rights(table));
      return async () => void (await redis.call('ACL', 'SETUSER', name, 'resetkeys', ...rights()));
    },
  };

  return {
    settings: {
      durable: { ...durable, url: '${env:MONGODB_URL}', timeout: `${TIMEOUT_SECONDS}s` },
      ephemeral: { ...ephemeral, url: '${env:REDIS_URL}', timeout: `${TIMEOUT_SECONDS}s` },
    },
    env: { MONGODB_URL: gate?.url ?? mongodbUrl, REDIS_URL: breakable ? asUser.href : redisUrl },
    openDurable: (context) => openDurable({ ...durable, url: mongodbUrl }, context),
    openEphemeral: (context) => openEphemeral({ ...ephemeral, url: redisUrl }, context),
    async contents() {
      const parts: Uint8Array[] = [];
      for (const collection of await mongodb.db(name).collections())
        for await (const document of collection.find()) parts.push(BSON.serialize(document));
      // As the server writes a key and its value to disk, whatever its type; so small a value is not compressed.
      for (const key of await keys()) parts.push(Buffer.from(key), (await redis.dumpBuffer(key)) ?? Buffer.alloc(0));
      return Buffer.concat(parts);
    },
    takeAway: (half, table) => {
      if (!breakable) throw new Error('start the server with `breakable: true` to take something away from it');
      return takeAway[half](table);
    },
    async remove() {
      if (!isOurs(mongodbUrl)) await mongodb.db(name).dropDatabase();
      await mongodb.close();
      const left = await keys();
      if (left.length > 0) await redis.unlink(...left);
      if (breakable) await redis.call('ACL', 'DELUSER', name);
      redis.disconnect();
      await gate?.close();
    },
  };
}

function addressIn(variable: string): string {
  const address = process.env[variable];
  if (address === undefined)
    throw new Error(`${variable} is not set: test/support/storage/shared-servers.ts does that`);
  return address;
}
