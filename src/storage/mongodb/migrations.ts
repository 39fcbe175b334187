import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import type { Collection, Db } from 'mongodb';
import { OperatorError } from '../../kernel/errors.ts';
import { isTaken } from './failure.ts';
import type { Migration } from './schema/migration.ts';

/** One document for each. */
interface MigrationsDocument {
  readonly _id: 'schema' | 'lease';
  /** Of the schema: how many migrations were run. */
  readonly version?: number;
  /** Of the lease: which node is migrating. */
  readonly owner?: string;
  /** Until when, in milliseconds by the database's clock. */
  readonly until?: number;
}

const LEASE_MS = 30_000;
const RENEW_EVERY_MS = 10_000;
const ASK_EVERY_MS = 100;
/** A migration that takes longer is left to whoever runs it: this node is started again later. */
const PATIENCE_MS = 60_000;

/**
 * Brings the database up to date, whoever else starts at the same moment: one node does it, the others wait.
 * A node that dies meanwhile loses its lease; the next begins that migration again, which each allows.
 *
 * @throws OperatorError when it is somebody else's, or of a newer version
 */
export async function migrate(db: Db, migrations: readonly Migration[]): Promise<void> {
  const collection = db.collection<MigrationsDocument>('migrations');
  const isUpToDate = async (): Promise<boolean> => (await versionOf(db, collection, migrations)) === migrations.length;
  const owner = randomUUID();
  const giveUpAt = performance.now() + PATIENCE_MS;
  while (!(await isUpToDate())) {
    if (await takeLease(collection, owner)) {
      await holding(collection, owner, () => runAll(db, collection, migrations));
    } else if (performance.now() > giveUpAt) {
      throw new OperatorError(
        `Another node has been preparing the database "${db.databaseName}" for a minute. Start this one when it has finished.`,
      );
    } else {
      await pause(ASK_EVERY_MS * (1 + Math.random()));
    }
  }
}

async function runAll(
  db: Db,
  collection: Collection<MigrationsDocument>,
  migrations: readonly Migration[],
): Promise<void> {
  let version = await versionOf(db, collection, migrations);
  // From here on the database is ours, half prepared or not.
  await collection.updateOne({ _id: 'schema' }, { $setOnInsert: { version: 0 } }, { upsert: true });
  for (; version < migrations.length; version++) {
    await migrations[version]?.(db);
    await collection.updateOne({ _id: 'schema', version }, { $set: { version: version + 1 } });
  }
}

async function versionOf(
  db: Db,
  collection: Collection<MigrationsDocument>,
  migrations: readonly Migration[],
): Promise<number> {
  const read = async () => (await collection.findOne({ _id: 'schema' }))?.version;
  // Asked again after the list: another node may have begun in between.
  const version = (await read()) ?? ((await isEmpty(db)) ? 0 : await read());
  if (version === undefined) {
    throw new OperatorError(
      `The database "${db.databaseName}" holds something else than Vestibule's data. Give storage.durable.database a name ` +
        'that is not in use.',
    );
  }
  if (version > migrations.length) {
    throw new OperatorError(
      `The database "${db.databaseName}" has version ${version}, this Vestibule knows versions up to ` +
        `${migrations.length}: a newer one has used it. Start that version again, or restore the backup made before the upgrade.`,
    );
  }
  return version;
}

async function isEmpty(db: Db): Promise<boolean> {
  const found = await db.listCollections({}, { nameOnly: true }).toArray();
  return found.every(({ name }) => name === 'migrations' || name.startsWith('system.'));
}

/** @returns whether it is this node's now. Times are the database's: the nodes' clocks need not agree. */
async function takeLease(collection: Collection<MigrationsDocument>, owner: string): Promise<boolean> {
  const now = { $toLong: '$$NOW' };
  const free = { $or: [{ $eq: ['$owner', owner] }, { $lt: [{ $ifNull: ['$until', 0] }, now] }] };
  const take = (member: string, value: unknown) => ({ $cond: [free, value, `$${member}`] });
  const update = [{ $set: { owner: take('owner', owner), until: take('until', { $add: [now, LEASE_MS] }) } }];
  try {
    const options = { upsert: true, returnDocument: 'after' } as const;
    return (await collection.findOneAndUpdate({ _id: 'lease' }, update, options))?.owner === owner;
  } catch (error) {
    if (isTaken(error)) return false;
    throw error;
  }
}

/** Keeps the lease while the work goes on, and gives it back. */
async function holding(
  collection: Collection<MigrationsDocument>,
  owner: string,
  work: () => Promise<void>,
): Promise<void> {
  let lost: unknown;
  const renewal = setInterval(() => {
    takeLease(collection, owner).catch((error: unknown) => {
      lost = error;
    });
  }, RENEW_EVERY_MS);
  try {
    await work();
    if (lost !== undefined) throw lost;
  } finally {
    clearInterval(renewal);
    await collection.deleteOne({ _id: 'lease', owner });
  }
}
