/**
 * Records of the protocol library; the same table in both halves.
 *
 * The key is the primary key, but of an ordinary table: rows of half a kilobyte and more, in the
 * random order of their ids, cost 1.6 times as much to write into a WITHOUT ROWID tree (few rows
 * a page, so more pages are split, logged and checkpointed). The other indexes are partial: most
 * rows aren't in them and don't pay for them.
 */
export const artifactsVersion1 = `
  CREATE TABLE artifacts (
    kind TEXT NOT NULL,
    id TEXT NOT NULL,
    payload TEXT NOT NULL,
    grant_id TEXT,
    uid TEXT,
    user_code TEXT,
    consumed_at INTEGER,
    expires_at INTEGER NOT NULL,
    PRIMARY KEY (kind, id)
  ) STRICT;
  CREATE INDEX artifacts_by_grant ON artifacts (kind, grant_id) WHERE grant_id IS NOT NULL;
  CREATE INDEX artifacts_by_uid ON artifacts (kind, uid) WHERE uid IS NOT NULL;
  CREATE INDEX artifacts_by_user_code ON artifacts (kind, user_code) WHERE user_code IS NOT NULL;
  CREATE INDEX artifacts_by_expiry ON artifacts (expires_at);
`;

/** Whose sessions and grants there are: ended together when the account's owner signs out everywhere. */
export const artifactsVersion2 = `
  ALTER TABLE artifacts ADD COLUMN account_id TEXT;
  UPDATE artifacts SET account_id = json_extract(payload, '$.accountId') WHERE kind IN ('Session', 'Grant');
  CREATE INDEX artifacts_by_account ON artifacts (kind, account_id) WHERE account_id IS NOT NULL;
`;
