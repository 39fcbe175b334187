import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { Redis } from 'ioredis';
import { BSON, MongoClient } from 'mongodb';

/** Records of one sort in one database. */
export interface Size {
  readonly where: 'sqlite' | 'mongodb' | 'redis';
  /** Table, and kind where it holds several. */
  readonly what: string;
  readonly records: number;
  /** Bytes in all. SQLite: pages, indexes included. MongoDB: BSON, indexes apart. Redis: memory, keys included. */
  readonly bytes: number;
  /** Seconds from now until they expire, on average; absent where they don't. */
  readonly lives?: number | undefined;
}

interface Page {
  readonly table: string;
  readonly bytes: number;
}

/** Of both files. Artifacts of a table share its pages by the length of what they hold. */
export function sqliteSizes(data: string): Size[] {
  return ['durable.db', 'ephemeral.db'].flatMap((file) => {
    const database = new DatabaseSync(join(data, file), { readOnly: true });
    const pages = database
      .prepare(
        'SELECT s.tbl_name AS "table", sum(d.pgsize) AS bytes FROM dbstat d JOIN sqlite_schema s USING (name) GROUP BY 1',
      )
      .all() as unknown as Page[];
    const sizes = pages.flatMap(({ table, bytes }) =>
      table === 'artifacts' ? artifacts(database, bytes) : [{ ...rowsOf(database, table), bytes }],
    );
    database.close();
    return sizes;
  });
}

const EXPIRY: Readonly<Record<string, string>> = {
  journeys: 'expires_at',
  counters: 'resets_at',
  locks: 'expires_at',
};

function rowsOf(database: DatabaseSync, table: string): Omit<Size, 'bytes'> {
  const lives = EXPIRY[table] ? `avg(${EXPIRY[table]}) - unixepoch()` : 'NULL';
  const row = database.prepare(`SELECT count(*) AS records, ${lives} AS lives FROM ${table}`).get();
  return {
    where: 'sqlite',
    what: table,
    records: Number(row?.records),
    lives: row?.lives ? Number(row.lives) : undefined,
  };
}

function artifacts(database: DatabaseSync, bytes: number): Size[] {
  const kinds = database
    .prepare(
      'SELECT kind, count(*) AS records, sum(length(payload) + 200) AS weight, avg(expires_at) - unixepoch() AS lives FROM artifacts GROUP BY kind',
    )
    .all() as { kind: string; records: number; weight: number; lives: number }[];
  const all = kinds.reduce((sum, { weight }) => sum + weight, 0);
  return kinds.map(({ kind, records, weight, lives }) => ({
    where: 'sqlite',
    what: `artifacts: ${kind}`,
    records,
    bytes: (bytes * weight) / all,
    lives,
  }));
}

/** Of the keys that begin with the prefix. */
export async function redisSizes(url: string, prefix: string): Promise<Size[]> {
  const redis = new Redis(url);
  const found = new Map<string, { records: number; bytes: number; lives: number }>();
  for await (const keys of redis.scanStream({ match: `${prefix}*`, count: 1000 }) as AsyncIterable<string[]>) {
    for (const key of keys) {
      const what = sortOf(key.slice(prefix.length));
      const sum = found.get(what) ?? { records: 0, bytes: 0, lives: 0 };
      const [bytes, lives] = await Promise.all([redis.memory('USAGE', key, 'SAMPLES', 0), redis.ttl(key)]);
      found.set(what, { records: sum.records + 1, bytes: sum.bytes + Number(bytes), lives: sum.lives + lives });
    }
  }
  await redis.quit();
  return [...found].map(([what, { records, bytes, lives }]) => ({
    where: 'redis',
    what,
    records,
    bytes,
    lives: lives / records,
  }));
}

const SORTS: Readonly<Record<string, string>> = {
  a: 'artifacts',
  i: 'index',
  j: 'journeys',
  c: 'counters',
  l: 'locks',
  f: 'locks',
};

/** What a key of the engine holds (`src/storage/redis/keys.ts`). */
function sortOf(key: string): string {
  const [sort = '', first = '', second = ''] = key.split(':');
  if (sort === 'a') return `artifacts: ${first}`;
  if (sort === 'i') return `index: ${second} by ${first}`;
  return SORTS[sort] ?? sort;
}

export async function mongodbSizes(url: string, name: string): Promise<Size[]> {
  const client = new MongoClient(url);
  const database = client.db(name);
  const collections = await database.listCollections({}, { nameOnly: true }).toArray();
  const sizes: Size[] = [];
  for (const { name: collection } of collections) {
    const sums = new Map<string, { records: number; bytes: number; lives: number }>();
    for await (const document of database.collection(collection).find()) {
      const kind: unknown = collection === 'artifacts' ? document.kind : undefined;
      const what = kind === undefined ? collection : `${collection}: ${kind}`;
      const sum = sums.get(what) ?? { records: 0, bytes: 0, lives: 0 };
      const lives = typeof document.expiresAt === 'number' ? document.expiresAt - Date.now() / 1000 : 0;
      sums.set(what, {
        records: sum.records + 1,
        bytes: sum.bytes + BSON.calculateObjectSize(document),
        lives: sum.lives + lives,
      });
    }
    for (const [what, { records, bytes, lives }] of sums)
      sizes.push({ where: 'mongodb', what, records, bytes, lives: lives ? lives / records : undefined });
  }
  await client.close();
  return sizes;
}
