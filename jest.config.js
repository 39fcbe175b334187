import { serversFound } from './test/support/storage/shared-servers.ts';

/** @type {import('jest').Config} */
const common = {
  testEnvironment: 'node',
  roots: ['<rootDir>/src', '<rootDir>/test'],
  extensionsToTreatAsEsm: ['.ts'],
  // Types are stripped as Node itself strips them: nothing is checked here (`npm run types` does).
  transform: {
    '\\.ts$': [
      '@swc/jest',
      {
        swcrc: false,
        jsc: { parser: { syntax: 'typescript' }, target: 'es2024' },
        module: { type: 'es6' },
        sourceMaps: 'inline',
      },
    ],
  },
};

/** Everything, with SQLite wherever a test doesn't say otherwise. */
const embedded = { ...common, displayName: 'embedded', testMatch: ['<rootDir>/test/**/*.test.ts'] };

/** Security tests that are about storage: single use, store confusion, operator injection, failing closed, races. */
const ABOUT_STORAGE = [
  'single-use',
  'tokens',
  'recovery-links',
  'recovery-races',
  'recovery-secrets',
  'injection',
  'passkey-robust',
  'storage-failures',
];
/** Flows that choose their storage themselves. */
const OWN_STORAGE = ['cluster', 'container', 'storage-migrate'];

/** Those once more on MongoDB and Redis. */
const servers = {
  ...common,
  displayName: 'servers',
  testMatch: ['<rootDir>/test/flows/*.test.ts', `<rootDir>/test/security/{${ABOUT_STORAGE.join(',')}}.test.ts`],
  testPathIgnorePatterns: ['/node_modules/', `/test/flows/(${OWN_STORAGE.join('|')})\\.test\\.ts$`],
  globalSetup: '<rootDir>/test/support/storage/setup.ts',
  globalTeardown: '<rootDir>/test/support/storage/teardown.ts',
  setupFilesAfterEnv: ['<rootDir>/test/support/storage/servers-required.ts'],
};

// With CI=true nothing is skipped: each of these files fails where a server is absent.
const isRunOnServers = process.env.CI === 'true' || serversFound();
if (!isRunOnServers) process.stderr.write('skipped: flows on MongoDB and Redis; test/README.md says what they need\n');

/** @type {import('jest').Config} */
export default {
  projects: isRunOnServers ? [embedded, servers] : [embedded],
  testTimeout: 90_000,
  // Two cores, two workers; a flow test mostly waits for the server it started.
  maxWorkers: 2,
  // Tests that only pass in one order hide a shared state.
  randomize: true,
};
