/**
 * Collections, indexes and validators, one file a version.
 */
import type { Migration } from './migration.ts';
import { version1 } from './version-1.ts';

/** In order; a version that has been released never changes, the next one is one more line. */
export const migrations: readonly Migration[] = [version1];
