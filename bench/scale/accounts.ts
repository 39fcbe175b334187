import { randomInt } from 'node:crypto';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { freePort } from '../../test/support/ports.ts';
import { Browser } from '../client/browser.ts';
import { type FlowKind, signIn } from '../client/flows.ts';
import { Load } from '../client/load.ts';
import { median, quantile } from '../report/statistics.ts';
import { Server } from '../servers/server.ts';
import { CLIENT, type Person, type World } from '../servers/subject.ts';
import { vestibuleSubject } from '../servers/vestibule.ts';

const CLIENTS = 4;
const WARM_UP = { flows: 800, seconds: 12 };
const SLICE = 1;

/** What a login costs beside its hash, with few accounts and with many. */
export interface AccountsCost {
  readonly few: number;
  readonly many: number;
  readonly cpuMs: { readonly few: number; readonly many: number };
  readonly p50: { readonly few: number; readonly many: number };
  /** Medians of slices measured one right after the other. */
  readonly ratio: { readonly cpu: number; readonly time: number };
  /** Seconds that filling the larger database took, and its size. */
  readonly seeding: number;
  readonly bytes: number;
}

interface Slice {
  readonly cpuMs: number;
  readonly p50: number;
}

export async function accountsCost(
  world: World,
  {
    directory,
    preload,
    few,
    many,
    slices,
  }: { directory: string; preload: string; few: number; many: number; slices: number },
): Promise<AccountsCost> {
  const [template] = world.people;
  if (!template) throw new Error('there is nobody');
  const from = performance.now();
  const sides = [];
  for (const count of [few, many]) {
    const subject = await vestibuleSubject(
      { ...world, people: [template] },
      {
        program: undefined,
        nodeOptions: [],
        directory: join(directory, `accounts-${count}`),
        port: await freePort(),
        operationsPort: await freePort(),
      },
    );
    const bytes = fill(join(directory, `accounts-${count}`, 'data/durable.db'), count);
    sides.push({ subject, count, bytes, samples: [] as Slice[] });
  }
  const seeding = (performance.now() - from) / 1000;
  const running = [];
  for (const side of sides) {
    const { server } = await Server.start(side.subject, preload);
    await server.memoiseHashes(true);
    const people = Array.from({ length: CLIENTS }, () => template);
    const load = await Load.prepare(anybodyOf(side.count), side.subject.port, people);
    await load.run(WARM_UP);
    running.push({ ...side, server, load });
  }
  for (let slice = 0; slice < slices; slice++) {
    for (const { server, load, samples } of slice % 2 === 0 ? running : running.toReversed()) {
      const before = await server.usage();
      const taken = await load.run({ seconds: SLICE });
      const { cpuMs } = await server.usage();
      samples.push({ cpuMs: (cpuMs - before.cpuMs) / taken.length, p50: quantile(taken, 0.5) });
    }
  }
  for (const { server, load } of running) {
    load.close();
    await server.stop();
  }
  const [small, large] = sides;
  if (!small || !large) throw new Error('there are two sides');
  const of = (samples: readonly Slice[], value: keyof Slice) => median(samples.map((sample) => sample[value]));
  const ratio = (value: keyof Slice) =>
    median(large.samples.map((sample, at) => sample[value] / (small.samples[at]?.[value] ?? Number.NaN)));
  return {
    few,
    many,
    cpuMs: { few: of(small.samples, 'cpuMs'), many: of(large.samples, 'cpuMs') },
    p50: { few: of(small.samples, 'p50'), many: of(large.samples, 'p50') },
    ratio: { cpu: ratio('cpuMs'), time: ratio('p50') },
    seeding,
    bytes: large.bytes,
  };
}

const nameOf = (number: number): string => `somebody-${number}`;

/** Each time somebody else, with a browser that was never here: nothing of them is in any cache. */
const anybodyOf =
  (count: number): FlowKind =>
  async (connection, { password }: Person) =>
  async () => {
    await signIn(new Browser(connection), { username: nameOf(randomInt(1, count + 1)), password }, CLIENT.web);
  };

/**
 * People in the shape that one has who was added properly, and with the same password: by SQL, as a million calls would
 * take half an hour. Their ids are random, so their rows lie anywhere. @returns bytes of the file
 */
function fill(path: string, count: number): number {
  const database = new DatabaseSync(path);
  database.exec(`
    PRAGMA cache_size = -200000;
    BEGIN;
    CREATE TEMP TABLE people AS
      WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < ${count})
      SELECT n, lower(hex(randomblob(16))) AS id FROM numbers;
    INSERT INTO accounts ${copied(database, 'accounts', { id: 'p.id', username: "'somebody-' || p.n", email: "'somebody-' || p.n || '@example.org'" })};
    INSERT INTO identifiers SELECT 'somebody-' || n, id FROM people;
    INSERT INTO identifiers SELECT 'somebody-' || n || '@example.org', id FROM people;
    INSERT INTO credentials ${copied(database, 'credentials', { account_id: 'p.id' })};
    DROP TABLE people;
    COMMIT;
    PRAGMA wal_checkpoint(TRUNCATE);
  `);
  const size = database
    .prepare('SELECT page_count * page_size AS bytes FROM pragma_page_count, pragma_page_size')
    .get();
  database.close();
  return Number(size?.bytes);
}

/** The one row there is, once for each of `people`, with these columns their own. */
function copied(database: DatabaseSync, table: string, own: Readonly<Record<string, string>>): string {
  const columns = database.prepare(`SELECT name FROM pragma_table_info('${table}')`).all() as { name: string }[];
  const values = columns.map(({ name }) => own[name] ?? `t.${name}`).join(', ');
  return `SELECT ${values} FROM people p, (SELECT * FROM ${table} LIMIT 1) t`;
}
