/** @type {import('jest').Config} */
export default {
  testEnvironment: 'node',
  testMatch: ['<rootDir>/test/**/*.test.ts'],
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
  testTimeout: 90_000,
  // Two cores, two workers; a flow test mostly waits for the server it started.
  maxWorkers: 2,
  // Tests that only pass in one order hide a shared state.
  randomize: true,
};
