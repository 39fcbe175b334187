/**
 * Storage: `ports.ts` says what the domain needs, each folder is an engine that gives it or a half
 * of it, and these tables name them. Another engine is one more line here, its settings in the
 * configuration schema and a line in `test/contracts/engines.ts`.
 */
import { OperatorError } from '../kernel/errors.ts';
import type { MongodbSettings } from './mongodb/index.ts';
import type { DurableStorage, EngineContext, EphemeralStorage } from './ports.ts';
import type { RedisSettings } from './redis/index.ts';
import type { SqliteSettings } from './sqlite/index.ts';

interface DurableSettings {
  mongodb: MongodbSettings;
  sqlite: SqliteSettings;
}

interface EphemeralSettings {
  redis: RedisSettings;
  sqlite: SqliteSettings;
}

type Engines<SettingsOf, Storage> = {
  readonly [Name in keyof SettingsOf]: (settings: SettingsOf[Name], context: EngineContext) => Promise<Storage>;
};

// Loaded when it is opened: an engine that isn't configured, and its driver, costs a start nothing.
const durableEngines: Engines<DurableSettings, DurableStorage> = {
  mongodb: async (settings, context) => (await import('./mongodb/index.ts')).openDurable(settings, context),
  sqlite: async (settings, context) => (await import('./sqlite/index.ts')).openDurable(settings, context),
};

const ephemeralEngines: Engines<EphemeralSettings, EphemeralStorage> = {
  redis: async (settings, context) => (await import('./redis/index.ts')).openEphemeral(settings, context),
  sqlite: async (settings, context) => (await import('./sqlite/index.ts')).openEphemeral(settings, context),
};

/**
 * Opens the durable half with the engine its settings name.
 *
 * @param settings `storage.durable` of the configuration, paths absolute
 * @throws OperatorError when it can't be opened, with the reason
 */
export const openDurable = <Name extends keyof DurableSettings>(
  settings: DurableSettings[Name] & { readonly engine: Name },
  context: EngineContext,
): Promise<DurableStorage> => durableEngines[settings.engine](settings, context);

/** The same for the ephemeral half (`storage.ephemeral`). */
export const openEphemeral = <Name extends keyof EphemeralSettings>(
  settings: EphemeralSettings[Name] & { readonly engine: Name },
  context: EngineContext,
): Promise<EphemeralStorage> => ephemeralEngines[settings.engine](settings, context);

/**
 * Of a copy that `storage migrate` has not finished people may be missing, and whatever is written to it would be gone
 * after the rest was copied.
 * @param halves those that were opened
 * @throws OperatorError when one of them is such a copy
 */
export async function refuseUnfinishedCopy(halves: {
  readonly durable?: DurableStorage;
  readonly ephemeral?: EphemeralStorage;
}): Promise<void> {
  for (const [half, { transfer }] of Object.entries(halves)) {
    if ((await transfer.marker()) === undefined) continue;
    throw new OperatorError(
      `storage.${half} is an unfinished copy. Finish it with \`vestibule storage migrate --resume\`, or empty it.`,
    );
  }
}
