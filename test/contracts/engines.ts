/**
 * What every storage engine must do, whichever it is: one file a port, run by `storage.test.ts`
 * for each engine in this table. Another engine is one more line. What only one engine promises
 * (files, migrations …) is tested in a folder of its name.
 */
import { basename, join } from 'node:path';
import type { DurableStorage, EngineContext, EphemeralStorage } from '../../src/storage/ports.ts';
import { openDurable, openEphemeral } from '../../src/storage/registry.ts';
import { dropDatabases, releaseSharedMongodb, useSharedMongodb } from '../support/mongodb-server.ts';
import { keysWithoutEnd, releaseSharedRedis, useSharedRedis } from '../support/redis-server.ts';
import type { RequirementName } from '../support/requirements.ts';

/** Opens the storage that lives in a folder; as often as asked, as several processes would. */
export type Open<Storage> = (directory: string, context: EngineContext) => Promise<Storage>;

/** A server the engine needs. What processes need to find it stands in `process.env`. */
export interface ServerUnderTest {
  readonly requirement: RequirementName;
  /** Variable with its address. */
  readonly variable: string;
  start(): Promise<void>;
  /** Whether what is left there may stay. @returns what may not */
  leftovers(): Promise<readonly string[]>;
  stop(): Promise<void>;
}

/** An engine may have one half only. */
export interface EngineUnderTest {
  readonly openDurable?: Open<DurableStorage>;
  readonly openEphemeral?: Open<EphemeralStorage>;
  readonly server?: ServerUnderTest;
  /** Acknowledged writes to see before a writer is killed; fewer where the server of the tests is slow. */
  readonly acknowledged?: number;
}

export const engines: Readonly<Record<string, EngineUnderTest>> = {
  sqlite: {
    openDurable: (directory, context) =>
      openDurable({ engine: 'sqlite', path: join(directory, 'durable.db') }, context),
    openEphemeral: (directory, context) =>
      openEphemeral({ engine: 'sqlite', path: join(directory, 'ephemeral.db') }, context),
  },
  mongodb: {
    openDurable: (directory, context) =>
      openDurable(
        {
          engine: 'mongodb',
          url: process.env.MONGODB_URL ?? '',
          database: basename(directory).toLowerCase(),
          connections: 20,
          // A thousand operations at once take the server of the tests some seconds.
          timeout: 30,
        },
        context,
      ),
    server: {
      requirement: 'mongodb',
      variable: 'MONGODB_URL',
      start: useSharedMongodb,
      leftovers: () => dropDatabases(process.env.MONGODB_URL ?? '', 'vestibule-storage-'),
      stop: releaseSharedMongodb,
    },
    acknowledged: 100,
  },
  redis: {
    openEphemeral: (directory, context) =>
      openEphemeral(
        { engine: 'redis', url: process.env.REDIS_URL, key_prefix: `${basename(directory)}:`, timeout: 5 },
        context,
      ),
    server: {
      requirement: 'redis',
      variable: 'REDIS_URL',
      start: useSharedRedis,
      // Redis evicts nothing: what never expires is there for ever.
      leftovers: () => keysWithoutEnd(process.env.REDIS_URL ?? '', 'vestibule-storage-'),
      stop: releaseSharedRedis,
    },
  },
};
