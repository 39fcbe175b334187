/**
 * Storage: `ports.ts` says what the domain needs, each folder is an engine that gives it, and this
 * table names them. Another engine is one more line here, its settings in the configuration
 * schema and a line in `test/contracts/engines.ts`.
 */
import type { DurableStorage, EngineContext, EphemeralStorage } from './ports.ts';
import * as sqlite from './sqlite/index.ts';

interface Engine<Settings> {
  openDurable(settings: Settings, context: EngineContext): Promise<DurableStorage>;
  openEphemeral(settings: Settings, context: EngineContext): Promise<EphemeralStorage>;
}

interface SettingsOf {
  sqlite: sqlite.SqliteSettings;
}

const engines: { readonly [Name in keyof SettingsOf]: Engine<SettingsOf[Name]> } = { sqlite };

type EngineName = keyof SettingsOf;

/**
 * Opens the durable half with the engine its settings name.
 *
 * @param settings `storage.durable` of the configuration, paths absolute
 * @throws OperatorError when it can't be opened, with the reason
 */
export const openDurable = <Name extends EngineName>(
  settings: SettingsOf[Name] & { readonly engine: Name },
  context: EngineContext,
): Promise<DurableStorage> => engines[settings.engine].openDurable(settings, context);

/** The same for the ephemeral half (`storage.ephemeral`). */
export const openEphemeral = <Name extends EngineName>(
  settings: SettingsOf[Name] & { readonly engine: Name },
  context: EngineContext,
): Promise<EphemeralStorage> => engines[settings.engine].openEphemeral(settings, context);
