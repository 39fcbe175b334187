import type { Collection, Document } from 'mongodb';
import { type Clock, epochSeconds } from '../../kernel/clock.ts';
import type { Artifact, ArtifactStore } from '../ports.ts';
import { json, text, whole } from '../values.ts';
import type { Database } from './database.ts';
import { isTaken } from './failure.ts';
import { joined, optional, present } from './values.ts';

interface ArtifactDocument {
  /** Kind and id. */
  readonly _id: string;
  readonly kind: string;
  readonly id: string;
  /** JSON text. */
  readonly payload: string;
  readonly grantId?: string;
  readonly uid?: string;
  readonly userCode?: string;
  readonly accountId?: string;
  readonly consumedAt?: number;
  /** Decides, by our clock. Without an index, so that nothing is looked for by it. */
  readonly expiresAt: number;
  /** When the database may forget it, by its own clock. Absent where that is beyond what a date can be. */
  readonly sweepAt?: Date;
}

/** How much the database's clock may be ahead of ours before it forgets what is still good. */
const MARGIN_SECONDS = 3600;
/** The year 9999: what has no end (RFC 3339 §5.6 knows no later year) is never swept. */
const LAST_DATE_MS = 253_402_300_799_999;

export class MongodbArtifacts implements ArtifactStore {
  readonly #database: Database;
  readonly #clock: Clock;
  readonly #artifacts: Collection<ArtifactDocument>;

  constructor(database: Database, clock: Clock) {
    this.#database = database;
    this.#clock = clock;
    this.#artifacts = database.collection('artifacts');
  }

  async save(kind: string, id: string, artifact: Artifact): Promise<void> {
    const { consumedAt, ...rest } = documentOf(kind, id, artifact);
    // A record that has expired counts as absent, swept or not: its use doesn't stand.
    const wasUsed = { $and: [{ $gt: ['$expiresAt', this.#now()] }, { $ne: [{ $type: '$consumedAt' }, 'missing'] }] };
    const use = { $cond: [wasUsed, '$consumedAt', consumedAt ?? '$$REMOVE'] };
    const overwrite = [{ $replaceWith: { ...literals(rest), consumedAt: use } }];
    const write = () => this.#artifacts.updateOne({ _id: rest._id }, overwrite, { upsert: true });
    await this.#database.run(async () => {
      try {
        await write();
      } catch (error) {
        // Somebody else wrote the first version in the same moment: there is one to overwrite now.
        if (!isTaken(error)) throw error;
        await write();
      }
    });
  }

  async insertOnly(kind: string, id: string, artifact: Artifact): Promise<boolean> {
    const document = documentOf(kind, id, artifact);
    // Replaces what has expired and inserts what isn't there; what is there has the key.
    const free = { _id: document._id, expiresAt: { $lte: this.#now() } };
    return this.#database.run(async () => {
      try {
        await this.#artifacts.replaceOne(free, document, { upsert: true });
        return true;
      } catch (error) {
        if (isTaken(error)) return false;
        throw error;
      }
    });
  }

  async find(kind: string, id: string): Promise<Artifact | undefined> {
    return (await this.#one({ _id: keyOf(kind, id) }))?.artifact;
  }

  async findByUid(kind: string, uid: string): Promise<{ id: string; artifact: Artifact } | undefined> {
    return this.#one({ kind: text('kind', kind), uid: text('uid', uid) });
  }

  async findByUserCode(kind: string, userCode: string): Promise<{ id: string; artifact: Artifact } | undefined> {
    return this.#one({ kind: text('kind', kind), userCode: text('userCode', userCode) });
  }

  async consumeOnce(kind: string, id: string, at: number): Promise<boolean> {
    const consumedAt = whole('at', at);
    const unused = { _id: keyOf(kind, id), consumedAt: { $exists: false }, expiresAt: { $gt: this.#now() } };
    return this.#database.run(async () => {
      const { matchedCount } = await this.#artifacts.updateOne(unused, { $set: { consumedAt } });
      return matchedCount === 1;
    });
  }

  async remove(kind: string, id: string): Promise<void> {
    const _id = keyOf(kind, id);
    await this.#database.run(() => this.#artifacts.deleteOne({ _id }));
  }

  async removeByGrant(kind: string, grantId: string): Promise<void> {
    const filter = { kind: text('kind', kind), grantId: text('grantId', grantId) };
    await this.#database.run(() => this.#artifacts.deleteMany(filter));
  }

  /** One by one as the database does it: cut short, it throws, and what was ended by then stays ended. */
  async endByAccount(
    kind: string,
    accountId: string,
    end: { readonly at: number; readonly until: number; readonly exceptUid?: string | undefined },
  ): Promise<void> {
    const at = whole('at', end.at);
    const expiresAt = whole('until', end.until);
    const filter = {
      kind: text('kind', kind),
      accountId: text('accountId', accountId),
      ...(end.exceptUid !== undefined && { uid: { $ne: text('exceptUid', end.exceptUid) } }),
    };
    const used = { $ifNull: ['$consumedAt', at] };
    const mark = { payload: '{}', consumedAt: used, expiresAt, sweepAt: sweepAt(expiresAt) ?? '$$REMOVE' };
    await this.#database.run(() => this.#artifacts.updateMany(filter, [{ $set: mark }]));
  }

  async #one(key: Document): Promise<{ id: string; artifact: Artifact } | undefined> {
    const filter = { ...key, expiresAt: { $gt: this.#now() } };
    const found = await this.#database.run(() => this.#artifacts.findOne(filter));
    return found ? { id: found.id, artifact: artifactOf(found) } : undefined;
  }

  #now(): number {
    return epochSeconds(this.#clock);
  }
}

const keyOf = (kind: string, id: string): string => joined('kind', text('kind', kind), text('id', id));

export function documentOf(kind: string, id: string, artifact: Artifact): ArtifactDocument {
  const expiresAt = whole('expiresAt', artifact.expiresAt);
  const sweep = sweepAt(expiresAt);
  return {
    _id: keyOf(kind, id),
    kind,
    id,
    payload: json('payload', artifact.payload),
    ...optional('grantId', text, artifact.grantId),
    ...optional('uid', text, artifact.uid),
    ...optional('userCode', text, artifact.userCode),
    ...optional('accountId', text, artifact.accountId),
    ...optional('consumedAt', whole, artifact.consumedAt),
    expiresAt,
    ...(sweep && { sweepAt: sweep }),
  };
}

function sweepAt(expiresAt: number): Date | undefined {
  const milliseconds = (expiresAt + MARGIN_SECONDS) * 1000;
  return milliseconds <= LAST_DATE_MS ? new Date(milliseconds) : undefined;
}

/** As they are: a pipeline would read a string that begins with a dollar sign as the name of a member. */
const literals = (document: object): Document =>
  Object.fromEntries(Object.entries(document).map(([name, $literal]) => [name, { $literal }]));

const artifactOf = (found: ArtifactDocument): Artifact => ({
  payload: JSON.parse(found.payload),
  ...present(found, 'grantId', 'uid', 'userCode', 'accountId', 'consumedAt', 'expiresAt'),
});
