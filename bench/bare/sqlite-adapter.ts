import { DatabaseSync } from 'node:sqlite';
import type { Adapter, AdapterPayload } from 'oidc-provider';

const COLUMNS = 'payload, consumed, expires_at';

/**
 * The adapter somebody writes in an afternoon: one table, one prepared statement for each verb,
 * the payload as JSON. No batching, no hashing of ids, no compare-and-set.
 */
export function sqliteAdapter(path: string, synchronous: 'NORMAL' | 'FULL'): (model: string) => Adapter {
  const database = new DatabaseSync(path);
  database.exec(`
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = ${synchronous};
    CREATE TABLE IF NOT EXISTS models (
      model TEXT NOT NULL,
      id TEXT NOT NULL,
      payload TEXT NOT NULL,
      grant_id TEXT,
      uid TEXT,
      user_code TEXT,
      consumed INTEGER,
      expires_at INTEGER,
      PRIMARY KEY (model, id)
    );
    CREATE INDEX IF NOT EXISTS models_by_grant ON models (grant_id) WHERE grant_id IS NOT NULL;
    CREATE INDEX IF NOT EXISTS models_by_uid ON models (uid) WHERE uid IS NOT NULL;
    CREATE INDEX IF NOT EXISTS models_by_user_code ON models (user_code) WHERE user_code IS NOT NULL;
  `);
  const upsert = database.prepare(
    `INSERT INTO models (model, id, payload, grant_id, uid, user_code, expires_at) VALUES (?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT (model, id) DO UPDATE SET payload = excluded.payload, grant_id = excluded.grant_id,
       uid = excluded.uid, user_code = excluded.user_code, expires_at = excluded.expires_at`,
  );
  const find = database.prepare(`SELECT ${COLUMNS} FROM models WHERE model = ? AND id = ?`);
  const findByUid = database.prepare(`SELECT ${COLUMNS} FROM models WHERE model = ? AND uid = ?`);
  const findByUserCode = database.prepare(`SELECT ${COLUMNS} FROM models WHERE model = ? AND user_code = ?`);
  const consume = database.prepare('UPDATE models SET consumed = ? WHERE model = ? AND id = ?');
  const destroy = database.prepare('DELETE FROM models WHERE model = ? AND id = ?');
  const revoke = database.prepare('DELETE FROM models WHERE model = ? AND grant_id = ?');

  return (model) => ({
    async upsert(id, payload, expiresIn) {
      const { grantId = null, uid = null, userCode = null } = payload;
      const expiresAt = expiresIn ? now() + expiresIn : null;
      upsert.run(model, id, JSON.stringify(payload), grantId, uid, userCode, expiresAt);
    },
    find: async (id) => payloadOf(find.get(model, id)),
    findByUid: async (uid) => payloadOf(findByUid.get(model, uid)),
    findByUserCode: async (userCode) => payloadOf(findByUserCode.get(model, userCode)),
    async consume(id) {
      consume.run(now(), model, id);
    },
    async destroy(id) {
      destroy.run(model, id);
    },
    async revokeByGrantId(grantId) {
      revoke.run(model, grantId);
    },
  });
}

const now = (): number => Math.floor(Date.now() / 1000);

function payloadOf(row: Record<string, unknown> | undefined): AdapterPayload | undefined {
  if (!row || (typeof row.expires_at === 'number' && row.expires_at <= now())) return undefined;
  const payload = JSON.parse(String(row.payload)) as AdapterPayload;
  return typeof row.consumed === 'number' ? { ...payload, consumed: row.consumed } : payload;
}
