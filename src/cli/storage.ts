import { type Config, configDirectory, loadConfig } from '../config/index.ts';
import { systemClock } from '../kernel/clock.ts';
import { createLogger } from '../kernel/logger.ts';
import type { DurableStorage, EngineContext, EphemeralStorage } from '../storage/ports.ts';
import { openDurable, openEphemeral } from '../storage/registry.ts';

/** What a command that changes people or keys works with; a server may be running on the same storage. */
export interface CommandStorage extends EngineContext {
  readonly config: Config;
  readonly durable: DurableStorage;
  readonly ephemeral: EphemeralStorage;
}

/**
 * Opens the durable storage of a configuration folder for one command, and closes it again.
 * @throws ConfigError when the configuration is invalid
 */
export async function withStorage<T>(
  directory: string | undefined,
  work: (storage: CommandStorage) => Promise<T>,
): Promise<T> {
  const config = loadConfig(directory ?? configDirectory());
  const context = { clock: systemClock, logger: createLogger('silent') };
  const durable = await openDurable(config.storage.durable, context);
  try {
    const ephemeral = await openEphemeral(config.storage.ephemeral, context);
    try {
      return await work({ config, durable, ephemeral, ...context });
    } finally {
      await ephemeral.close();
    }
  } finally {
    await durable.close();
  }
}
