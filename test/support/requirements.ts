import { describe } from '@jest/globals';
import { findChromium } from './chromium.ts';

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
} satisfies Record<string, Requirement>;

export type RequirementName = keyof typeof REQUIREMENTS;

/**
 * `requires('chromium')('sign-in page', () => { … })` in the place of `describe`: where the
 * program is absent the tests are skipped with one line that says what to install. With
 * `CI=true` nothing may be skipped, so absence throws and the test file fails.
 */
export function requires(...names: readonly RequirementName[]): typeof describe | typeof describe.skip {
  const missing = names.filter((name) => !REQUIREMENTS[name].available());
  if (missing.length === 0) return describe;
  const message = missing.map((name) => `${name} is missing; install ${REQUIREMENTS[name].install}`).join('\n');
  if (process.env.CI === 'true') throw new Error(message);
  process.stderr.write(`skipped: ${message}\n`);
  return describe.skip;
}
