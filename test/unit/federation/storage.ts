import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLogger } from '../../../src/kernel/logger.ts';
import type { EphemeralStorage } from '../../../src/storage/ports.ts';
import { openEphemeral } from '../../../src/storage/registry.ts';
import { clock } from './arrange.ts';

/** The ephemeral half in a folder of its own. */
export async function openStorage(): Promise<{
  readonly artifacts: EphemeralStorage['artifacts'];
  /** Every byte of it on disk. */
  bytes(): Promise<string>;
  close(): Promise<void>;
}> {
  const folder = await mkdtemp(join(tmpdir(), 'vestibule-federation-'));
  const file = join(folder, 'ephemeral.db');
  const storage = await openEphemeral({ engine: 'sqlite', path: file }, { clock, logger: createLogger('silent') });
  return {
    artifacts: storage.artifacts,
    bytes: async () => (await Promise.all([readFile(file), readFile(`${file}-wal`)])).join('\n'),
    async close() {
      await storage.close();
      await rm(folder, { recursive: true });
    },
  };
}
