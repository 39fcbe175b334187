/**
 * What every storage engine must do, whichever it is: one file a port, run by `storage.test.ts`
 * for each engine in this table. Another engine is one more line. What only one engine promises
 * (files, migrations …) is tested in a folder of its name.
 */
import { join } from 'node:path';
import type { DurableStorage, EngineContext, EphemeralStorage } from '../../src/storage/ports.ts';
import { openDurable, openEphemeral } from '../../src/storage/registry.ts';

/** Opens the storage that lives in a folder; as often as asked, as several processes would. */
export type Open<Storage> = (directory: string, context: EngineContext) => Promise<Storage>;

export interface EngineUnderTest {
  readonly openDurable: Open<DurableStorage>;
  readonly openEphemeral: Open<EphemeralStorage>;
}

export const engines: Readonly<Record<string, EngineUnderTest>> = {
  sqlite: {
    openDurable: (directory, context) =>
      openDurable({ engine: 'sqlite', path: join(directory, 'durable.db') }, context),
    openEphemeral: (directory, context) =>
      openEphemeral({ engine: 'sqlite', path: join(directory, 'ephemeral.db') }, context),
  },
};
