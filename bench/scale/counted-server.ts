import { registerHooks } from 'node:module';
import { join } from 'node:path';
import { loadConfig } from '../../src/config/index.ts';
import { createLogger } from '../../src/kernel/logger.ts';
import type { Vestibule } from '../../src/main.ts';
import {
  defaultSettings,
  mergeSettings,
  newMasterKey,
  type Settings,
  writeConfig,
} from '../../test/support/config-folder.ts';
import { freePort } from '../../test/support/ports.ts';
import { CLIENT, type World } from '../servers/subject.ts';

export interface CountedServer {
  readonly port: number;
  readonly vestibule: Vestibule;
  /** Of the two databases, where they are files. */
  readonly data: string;
}

/** `main.ts` is handed the counting engines; it knows nothing of them. */
function countStorage(): { undo(): void } {
  const hooks = registerHooks({
    resolve(specifier, context, next) {
      const isRegistry = specifier === './storage/registry.ts' && context.parentURL?.endsWith('/src/main.ts');
      return isRegistry
        ? next(new URL('counting-registry.ts', import.meta.url).href, context)
        : next(specifier, context);
    },
  });
  return { undo: () => hooks.deregister() };
}

/** The whole server in this process, on the given engines, with cheap password hashes: what it asks of the storage is the same. */
export async function startCounted(world: World, directory: string, storage: Settings): Promise<CountedServer> {
  const port = await freePort();
  const settings = mergeSettings(defaultSettings({ public: port, operations: await freePort() }), {
    storage,
    // Everybody comes from one address.
    limits: { address: { count: 1_000_000, window: '1h' } },
  });
  const clients = world.clients.map((client) => ({
    ...client,
    vestibule: {
      first_party: true,
      ...(client.client_id === CLIENT.refresh ? { refresh_token_without_offline_access: true } : {}),
    },
  }));
  const folder = join(directory, 'config');
  await writeConfig(folder, { settings, clients });
  const config = loadConfig(folder, { VESTIBULE_MASTER_KEY: newMasterKey() });
  const hooks = countStorage();
  try {
    const { start } = await import('../../src/main.ts');
    const vestibule = await start(config, { logger: createLogger('silent') });
    for (const { username, password } of world.people) {
      const account = await vestibule.accounts.add({
        username,
        email: `${username}@example.org`,
        emailVerified: true,
        profile,
      });
      await vestibule.credentials.password.set(account.id, password);
    }
    return { port, vestibule, data: join(directory, 'data') };
  } finally {
    hooks.undo();
  }
}

/** As much as organisations usually know of somebody. */
const profile = {
  name: 'Maximilian Beispielmann',
  given_name: 'Maximilian',
  family_name: 'Beispielmann',
  locale: 'de-CH',
  zoneinfo: 'Europe/Zurich',
};
