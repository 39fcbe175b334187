import type { Half } from '../migrations.ts';
import { artifactsVersion1, artifactsVersion2 } from './artifacts.ts';

const version1 = `
  CREATE TABLE journeys (
    uid TEXT NOT NULL PRIMARY KEY,
    state TEXT NOT NULL,
    version INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX journeys_by_expiry ON journeys (expires_at);

  CREATE TABLE counters (
    key TEXT NOT NULL PRIMARY KEY,
    count INTEGER NOT NULL,
    resets_at INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX counters_by_expiry ON counters (resets_at);

  ${artifactsVersion1}
`;

const version2 = `
  CREATE TABLE locks (
    key TEXT NOT NULL PRIMARY KEY,
    count INTEGER NOT NULL,
    locked_until INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX locks_by_expiry ON locks (expires_at);

  ${artifactsVersion2}
`;

export const ephemeral: Half = {
  name: 'ephemeral',
  applicationId: 0x56_73_74_45,
  migrations: [version1, version2],
};
