import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { findMongodbServer, startMongodb } from '../../test/support/mongodb-server.ts';
import { findRedisServer, startRedis } from '../../test/support/redis-server.ts';
import { Browser } from '../client/browser.ts';
import { signIn } from '../client/flows.ts';
import { Connection } from '../client/http.ts';
import { CLIENT, type World } from '../servers/subject.ts';
import { type CountedServer, startCounted } from './counted-server.ts';
import { countFlows, type FlowCount } from './flows.ts';
import { mongodbSizes, redisSizes, type Size, sqliteSizes } from './sizes.ts';

const DATABASE = 'vestibule-bench';
const PREFIX = 'bench:';

/** What the storage is asked, and what it holds then. */
export interface Operations {
  readonly engines: string;
  readonly flows: readonly FlowCount[];
  /** People who signed in once each, with a refresh token. */
  readonly logins: number;
  /** What there is more of after these than before. */
  readonly grown: readonly Size[];
  /** What was there before: accounts, credentials, keys. */
  readonly atRest: readonly Size[];
}

/** On SQLite, and on MongoDB and Redis where both can be started here. */
export async function operations(world: World, directory: string): Promise<Operations[]> {
  const embedded = join(directory, 'embedded');
  await mkdir(join(embedded, 'data'), { recursive: true });
  const sqlite = {
    durable: { engine: 'sqlite', path: '../data/durable.db' },
    ephemeral: { engine: 'sqlite', path: '../data/ephemeral.db' },
  };
  const found = [await measured('SQLite', world, embedded, sqlite, async ({ data }) => sqliteSizes(data))];
  if (!findRedisServer() || !findMongodbServer()) return found;
  const [redis, mongodb] = await Promise.all([startRedis(), startMongodb()]);
  try {
    const shared = {
      durable: { engine: 'mongodb', url: mongodb.url, database: DATABASE, path: null },
      ephemeral: { engine: 'redis', url: redis.url, key_prefix: PREFIX, path: null },
    };
    const sizes = async () => [
      ...(await mongodbSizes(mongodb.url, DATABASE)),
      ...(await redisSizes(redis.url, PREFIX)),
    ];
    found.push(await measured('MongoDB and Redis', world, join(directory, 'shared'), shared, sizes));
  } finally {
    await Promise.all([redis.stop(), mongodb.stop()]);
  }
  return found;
}

async function measured(
  engines: string,
  world: World,
  directory: string,
  storage: Parameters<typeof startCounted>[2],
  sizesOf: (server: CountedServer) => Promise<Size[]>,
): Promise<Operations> {
  const server = await startCounted(world, directory, storage);
  try {
    const atRest = await sizesOf(server);
    const connection = new Connection(server.port);
    for (const person of world.people) await signIn(new Browser(connection), person, CLIENT.refresh);
    connection.close();
    const after = await sizesOf(server);
    const [person] = world.people;
    if (!person) throw new Error('there is nobody');
    const flows = await countFlows(server, person);
    return { engines, flows, logins: world.people.length, grown: difference(after, atRest), atRest };
  } finally {
    await server.vestibule.close();
  }
}

function difference(after: readonly Size[], before: readonly Size[]): Size[] {
  return after.flatMap((size) => {
    const old = before.find(({ where, what }) => where === size.where && what === size.what);
    const [records, bytes] = [size.records - (old?.records ?? 0), size.bytes - (old?.bytes ?? 0)];
    return records > 0 ? [{ ...size, records, bytes }] : [];
  });
}
