import { describe } from '@jest/globals';
import { findChromium } from './chromium.ts';
import { findMongodbServer, findRedisServer, onPath } from './programs.ts';

interface Requirement {
  available(): boolean;
  readonly install: string;
}

/** What some tests need beyond `npm ci`: one line each. */
const REQUIREMENTS = {
  chromium: {
    available: () => findChromium() !== undefined,
    install: 'a Chromium or Chrome on the PATH (Debian: apt-get install chromium), or CHROMIUM=/path/to/it',
  },
  mongodb: {
    available: () => process.env.MONGODB_URL !== undefined || findMongodbServer() !== undefined,
    install:
      'SecantusDB (python3 -m venv DIR && DIR/bin/pip install secantusdb==0.7.0b3) with DIR/bin on the PATH, or SECANTUS=DIR/bin/secantusd-py, or MONGODB_URL=mongodb://…',
  },
  'mongodb-server': {
    available: () => findMongodbServer() !== undefined,
    install:
      'SecantusDB (python3 -m venv DIR && DIR/bin/pip install secantusdb==0.7.0b3) with DIR/bin on the PATH, or SECANTUS=DIR/bin/secantusd-py; these tests stop and kill it',
  },
  redis: {
    available: () => process.env.REDIS_URL !== undefined || findRedisServer() !== undefined,
    install: 'redis-server on the PATH (Debian: apt-get install redis-server), or REDIS_URL=redis://…',
  },
  'redis-server': {
    available: () => findRedisServer() !== undefined,
    install: 'redis-server on the PATH (Debian: apt-get install redis-server); these tests stop and kill it',
  },
  nginx: {
    available: () => onPath('nginx') !== undefined,
    install: 'nginx on the PATH (Debian: apt-get install nginx-light)',
  },
  openssl: {
    available: () => onPath('openssl') !== undefined,
    install: 'openssl on the PATH (Debian: apt-get install openssl)',
  },
} satisfies Record<string, Requirement>;

export type RequirementName = keyof typeof REQUIREMENTS;

/** @returns what is absent and what to install; undefined when everything is there */
export function missing(...names: readonly RequirementName[]): string | undefined {
  const absent = names.filter((name) => !REQUIREMENTS[name].available());
  if (absent.length === 0) return undefined;
  return absent.map((name) => `${name} is missing; install ${REQUIREMENTS[name].install}`).join('\n');
}

/**
 * `requires('chromium')('sign-in page', () => { … })` in the place of `describe`: where the
 * program is absent the tests are skipped with one line that says what to install. With
 * `CI=true` nothing may be skipped, so absence throws and the test file fails.
 */
export function requires(...names: readonly RequirementName[]): typeof describe | typeof describe.skip {
  const message = missing(...names);
  if (message === undefined) return describe;
  if (process.env.CI === 'true') throw new Error(message);
  process.stderr.write(`skipped: ${message}\n`);
  return describe.skip;
}
