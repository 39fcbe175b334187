import type { Half } from '../migrations.ts';
import { artifactsVersion1, artifactsVersion2 } from './artifacts.ts';

const version1 = `
  CREATE TABLE accounts (
    id TEXT NOT NULL PRIMARY KEY,
    username TEXT NOT NULL,
    email TEXT,
    email_verified INTEGER NOT NULL,
    state TEXT NOT NULL,
    profile TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    version INTEGER NOT NULL
  ) STRICT;

  -- One row an identifier: usernames and e-mail addresses share one space, each taken once.
  CREATE TABLE identifiers (
    identifier TEXT NOT NULL PRIMARY KEY,
    account_id TEXT NOT NULL REFERENCES accounts (id)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX identifiers_by_account ON identifiers (account_id);

  CREATE TABLE credentials (
    account_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    id TEXT NOT NULL,
    data TEXT NOT NULL,
    version INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (account_id, kind, id)
  ) STRICT;

  CREATE TABLE consents (
    account_id TEXT NOT NULL,
    client_id TEXT NOT NULL,
    scopes TEXT NOT NULL,
    claims TEXT NOT NULL,
    resources TEXT NOT NULL,
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (account_id, client_id)
  ) STRICT;

  CREATE TABLE signing_keys (
    kid TEXT NOT NULL PRIMARY KEY,
    alg TEXT NOT NULL,
    sealed_jwk TEXT NOT NULL,
    position INTEGER NOT NULL,
    created_at INTEGER NOT NULL
  ) STRICT;

  -- \`sequence\` keeps the order of events of one millisecond.
  CREATE TABLE audit_events (
    sequence INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    at INTEGER NOT NULL,
    event TEXT NOT NULL,
    account_id TEXT,
    client_id TEXT,
    request_id TEXT,
    address TEXT,
    details TEXT
  ) STRICT;
  CREATE INDEX audit_events_by_time ON audit_events (at);
  CREATE INDEX audit_events_by_account ON audit_events (account_id, at) WHERE account_id IS NOT NULL;

  ${artifactsVersion1}
`;

/** Credentials found without their account, and counts that are kept instead of taken. */
const version2 = `
  ALTER TABLE credentials ADD COLUMN lookup TEXT;
  CREATE UNIQUE INDEX credentials_by_lookup ON credentials (kind, lookup) WHERE lookup IS NOT NULL;

  -- How many accounts there are (''), and how many hold a credential of a kind.
  CREATE TABLE totals (
    kind TEXT NOT NULL PRIMARY KEY,
    accounts INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  INSERT INTO totals SELECT '', count(*) FROM accounts;
  INSERT INTO totals SELECT kind, count(DISTINCT account_id) FROM credentials GROUP BY kind;

  CREATE TRIGGER account_added AFTER INSERT ON accounts BEGIN
    UPDATE totals SET accounts = accounts + 1 WHERE kind = '';
  END;
  CREATE TRIGGER account_removed AFTER DELETE ON accounts BEGIN
    UPDATE totals SET accounts = accounts - 1 WHERE kind = '';
  END;
  CREATE TRIGGER first_of_kind AFTER INSERT ON credentials
  WHEN NOT EXISTS (SELECT 1 FROM credentials
                   WHERE account_id = new.account_id AND kind = new.kind AND id <> new.id) BEGIN
    INSERT INTO totals VALUES (new.kind, 1) ON CONFLICT DO UPDATE SET accounts = accounts + 1;
  END;
  CREATE TRIGGER last_of_kind AFTER DELETE ON credentials
  WHEN NOT EXISTS (SELECT 1 FROM credentials WHERE account_id = old.account_id AND kind = old.kind) BEGIN
    UPDATE totals SET accounts = accounts - 1 WHERE kind = old.kind;
  END;
`;

const version3 = 'ALTER TABLE accounts ADD COLUMN minimum_acr TEXT';

const version4 = `
  ALTER TABLE accounts ADD COLUMN generation INTEGER NOT NULL DEFAULT 0;

  CREATE TABLE outbox (
    id TEXT NOT NULL PRIMARY KEY,
    kind TEXT NOT NULL,
    payload TEXT NOT NULL,
    urgent INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    due_at INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    dead INTEGER NOT NULL,
    problem TEXT
  ) STRICT;
  CREATE INDEX outbox_by_due ON outbox (urgent DESC, due_at) WHERE dead = 0;
  CREATE INDEX outbox_dead ON outbox (created_at) WHERE dead = 1;

  ${artifactsVersion2}
`;

const version5 = `
  CREATE TABLE upstream_keys (
    kid TEXT NOT NULL PRIMARY KEY,
    alg TEXT NOT NULL,
    sealed_jwk TEXT NOT NULL,
    position INTEGER NOT NULL,
    created_at INTEGER NOT NULL
  ) STRICT;
`;

export const durable: Half = {
  name: 'durable',
  applicationId: 0x56_73_74_44,
  migrations: [version1, version2, version3, version4, version5],
};
