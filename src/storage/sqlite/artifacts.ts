import type { StatementSync } from 'node:sqlite';
import { type Clock, epochSeconds } from '../../kernel/clock.ts';
import type { Artifact, ArtifactStore } from '../ports.ts';
import { json, type Mutable, optionalText, optionalWhole, text, whole } from '../values.ts';
import type { Database } from './database.ts';

const COLUMNS = 'id, payload, grant_id, uid, user_code, account_id, consumed_at, expires_at';
const INSERT = `INSERT INTO artifacts (kind, ${COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`;

interface Row {
  id: string;
  payload: string;
  grant_id: string | null;
  uid: string | null;
  user_code: string | null;
  account_id: string | null;
  consumed_at: number | null;
  expires_at: number;
}

/** The same in both halves; each opens it on its own file. */
export class SqliteArtifacts implements ArtifactStore {
  readonly #database: Database;
  readonly #clock: Clock;
  readonly #save: StatementSync;
  readonly #insertOnly: StatementSync;
  readonly #find: StatementSync;
  readonly #findByUid: StatementSync;
  readonly #findByUserCode: StatementSync;
  readonly #consume: StatementSync;
  readonly #remove: StatementSync;
  readonly #removeByGrant: StatementSync;
  readonly #endByAccount: StatementSync;

  constructor(database: Database, clock: Clock) {
    this.#database = database;
    this.#clock = clock;
    const overwrite = `payload = excluded.payload, grant_id = excluded.grant_id, uid = excluded.uid,
      user_code = excluded.user_code, account_id = excluded.account_id, expires_at = excluded.expires_at`;
    // A row that has expired counts as absent, swept or not: neither its use nor its key stands.
    this.#save = database.prepare(
      `${INSERT} ON CONFLICT (kind, id) DO UPDATE SET ${overwrite},
         consumed_at = iif(artifacts.expires_at > ?, coalesce(artifacts.consumed_at, excluded.consumed_at),
                           excluded.consumed_at)`,
    );
    this.#insertOnly = database.prepare(
      `${INSERT} ON CONFLICT (kind, id) DO UPDATE SET ${overwrite}, consumed_at = excluded.consumed_at
         WHERE artifacts.expires_at <= ?`,
    );
    const select = `SELECT ${COLUMNS} FROM artifacts WHERE kind = ?`;
    this.#find = database.prepare(`${select} AND id = ? AND expires_at > ?`);
    this.#findByUid = database.prepare(`${select} AND uid = ? AND expires_at > ? LIMIT 1`);
    this.#findByUserCode = database.prepare(`${select} AND user_code = ? AND expires_at > ? LIMIT 1`);
    this.#consume = database.prepare(
      'UPDATE artifacts SET consumed_at = ? WHERE kind = ? AND id = ? AND consumed_at IS NULL AND expires_at > ?',
    );
    this.#remove = database.prepare('DELETE FROM artifacts WHERE kind = ? AND id = ?');
    this.#removeByGrant = database.prepare('DELETE FROM artifacts WHERE kind = ? AND grant_id = ?');
    this.#endByAccount = database.prepare(
      `UPDATE artifacts SET payload = '{}', consumed_at = coalesce(consumed_at, ?), expires_at = ?
       WHERE kind = ? AND account_id = ? AND uid IS NOT ?`,
    );
  }

  async save(kind: string, id: string, artifact: Artifact): Promise<void> {
    await this.#database.change(this.#save, ...row(kind, id, artifact), this.#now());
  }

  async insertOnly(kind: string, id: string, artifact: Artifact): Promise<boolean> {
    return this.#database.change(this.#insertOnly, ...row(kind, id, artifact), this.#now());
  }

  async find(kind: string, id: string): Promise<Artifact | undefined> {
    return this.#one(this.#find, text('kind', kind), text('id', id))?.artifact;
  }

  async findByUid(kind: string, uid: string): Promise<{ id: string; artifact: Artifact } | undefined> {
    return this.#one(this.#findByUid, text('kind', kind), text('uid', uid));
  }

  async findByUserCode(kind: string, userCode: string): Promise<{ id: string; artifact: Artifact } | undefined> {
    return this.#one(this.#findByUserCode, text('kind', kind), text('userCode', userCode));
  }

  async consumeOnce(kind: string, id: string, at: number): Promise<boolean> {
    return this.#database.change(this.#consume, whole('at', at), text('kind', kind), text('id', id), this.#now());
  }

  async remove(kind: string, id: string): Promise<void> {
    await this.#database.change(this.#remove, text('kind', kind), text('id', id));
  }

  async removeByGrant(kind: string, grantId: string): Promise<void> {
    await this.#database.change(this.#removeByGrant, text('kind', kind), text('grantId', grantId));
  }

  async endByAccount(
    kind: string,
    accountId: string,
    end: { readonly at: number; readonly until: number; readonly exceptUid?: string | undefined },
  ): Promise<void> {
    await this.#database.change(
      this.#endByAccount,
      whole('at', end.at),
      whole('until', end.until),
      text('kind', kind),
      text('accountId', accountId),
      // No record's uid is empty; without an exception those that have none are ended as well.
      end.exceptUid === undefined ? '' : text('exceptUid', end.exceptUid),
    );
  }

  #one(statement: StatementSync, kind: string, key: string): { id: string; artifact: Artifact } | undefined {
    return this.#database.read(() => {
      const found = statement.get(kind, key, this.#now()) as Row | undefined;
      return found && { id: found.id, artifact: artifactOf(found) };
    });
  }

  #now(): number {
    return epochSeconds(this.#clock);
  }
}

/** In the order of INSERT. */
const row = (kind: string, id: string, artifact: Artifact): (string | number | null)[] => [
  text('kind', kind),
  text('id', id),
  json('payload', artifact.payload),
  optionalText('grantId', artifact.grantId),
  optionalText('uid', artifact.uid),
  optionalText('userCode', artifact.userCode),
  optionalText('accountId', artifact.accountId),
  optionalWhole('consumedAt', artifact.consumedAt),
  whole('expiresAt', artifact.expiresAt),
];

function artifactOf(found: Row): Artifact {
  const artifact: Mutable<Artifact> = { payload: JSON.parse(found.payload), expiresAt: found.expires_at };
  if (found.grant_id !== null) artifact.grantId = found.grant_id;
  if (found.uid !== null) artifact.uid = found.uid;
  if (found.user_code !== null) artifact.userCode = found.user_code;
  if (found.account_id !== null) artifact.accountId = found.account_id;
  if (found.consumed_at !== null) artifact.consumedAt = found.consumed_at;
  return artifact;
}
