/**
 * What a server under test keeps its data in: files, or a database of its own on servers that all tests
 * share. `VESTIBULE_TEST_STORAGE` says which where a test does not; `jest.config.js` sets it.
 */
import { systemClock as clock } from '../../../src/kernel/clock.ts';
import { createLogger } from '../../../src/kernel/logger.ts';
import type { DurableStorage, EngineContext } from '../../../src/storage/ports.ts';
import { createFiles } from './files.ts';
import type { StorageOptions, TestStorage } from './test-storage.ts';

export type { Half, TestStorage } from './test-storage.ts';

type Create = (root: string, options: StorageOptions) => Promise<TestStorage>;

const KINDS = {
  sqlite: createFiles,
  // Loaded late: both drivers take a test file half a second.
  'mongodb+redis': async (root, options) => (await import('./on-servers.ts')).createOnServers(root, options),
} satisfies Record<string, Create>;

export type StorageName = keyof typeof KINDS;

/** @param root folder that nobody else uses */
export function createStorage(root: string, name: StorageName, options: StorageOptions): Promise<TestStorage> {
  return KINDS[name](root, options);
}

export function defaultStorage(): StorageName {
  const name = process.env.VESTIBULE_TEST_STORAGE ?? 'sqlite';
  if (name in KINDS) return name as StorageName;
  throw new Error(`VESTIBULE_TEST_STORAGE is one of ${Object.keys(KINDS).join(', ')}, not ${name}`);
}

/** Whoever has a storage: a server under test. */
export interface Keeper {
  readonly storage: TestStorage;
}

const context = (): EngineContext => ({ clock, logger: createLogger('silent') });

/** Works on the running server's people, as a command in another process would. */
export async function withDurable<T>({ storage }: Keeper, work: (durable: DurableStorage) => Promise<T>): Promise<T> {
  const durable = await storage.openDurable(context());
  try {
    return await work(durable);
  } finally {
    await durable.close();
  }
}
