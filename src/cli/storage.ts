import { type Config, configDirectory, loadConfig } from '../config/index.ts';
import { systemClock } from '../kernel/clock.ts';
import { createLogger } from '../kernel/logger.ts';
import type { DurableStorage, EngineContext, EphemeralStorage } from '../storage/ports.ts';
import { openDurable, openEphemeral, refuseUnfinishedCopy } from '../storage/registry.ts';

/** What a command about people or keys works with; a server may be running on the same storage. */
export interface CommandDurable extends EngineContext {
  readonly config: Config;
  readonly durable: DurableStorage;
}

export interface CommandStorage extends CommandDurable {
  readonly ephemeral: EphemeralStorage;
}

/**
 * Opens the durable half of a configuration folder's storage for one command, and closes it again. Nothing of the
 * other half is asked: keys can be rotated while it is away.
 * @throws ConfigError when the configuration is invalid; OperatorError when the half can't be opened, or is an
 *   unfinished copy
 */
export async function withDurable<T>(
  directory: string | undefined,
  work: (storage: CommandDurable) => Promise<T>,
): Promise<T> {
  const config = loadConfig(directory ?? configDirectory());
  const context = { clock: systemClock, logger: createLogger('silent') };
  const durable = await openDurable(config.storage.durable, context);
  try {
    await refuseUnfinishedCopy({ durable });
    return await work({ config, durable, ...context });
  } finally {
    await durable.close();
  }
}

/**
 * Opens both halves, for a command that changes sessions, links or counters as well.
 * @throws as `withDurable`, of either half
 */
export const withStorage = <T>(
  directory: string | undefined,
  work: (storage: CommandStorage) => Promise<T>,
): Promise<T> =>
  withDurable(directory, async (opened) => {
    const { config, clock, logger } = opened;
    const ephemeral = await openEphemeral(config.storage.ephemeral, { clock, logger });
    try {
      await refuseUnfinishedCopy({ ephemeral });
      return await work({ ...opened, ephemeral });
    } finally {
      await ephemeral.close();
    }
  });
