import { spawn } from 'node:child_process';
import { join, resolve } from 'node:path';
import {
  type ConfigContents,
  defaultSettings,
  mergeSettings,
  newMasterKey,
  type Settings,
  writeConfig,
} from '../../test/support/config-folder.ts';
import { endWithBench } from './server.ts';
import type { Subject, World } from './subject.ts';

const COMMAND_LINE = resolve(import.meta.dirname, '../../src/cli/bin.js');
const SEED = resolve(import.meta.dirname, '../../test/support/seed.ts');

/**
 * The real `serve` command on a configuration folder of its own: default password hash, default
 * logs, both halves of the storage on SQLite unless told otherwise. Only the limits on tries are raised, as everybody
 * here comes from one address.
 */
export async function vestibuleSubject(
  world: World,
  options: {
    program: string | undefined;
    nodeOptions: readonly string[];
    directory: string;
    port: number;
    operationsPort: number;
    /** External providers, by id. */
    providers?: ConfigContents['providers'];
    /** Settings of `storage` that are others. */
    storage?: Settings;
  },
): Promise<Subject> {
  const {
    program = COMMAND_LINE,
    nodeOptions,
    directory,
    port,
    operationsPort,
    providers = {},
    storage = {},
  } = options;
  const folder = join(directory, 'config');
  const many = { count: 1_000_000, window: '1h' };
  const settings = mergeSettings(defaultSettings({ public: port, operations: operationsPort }), {
    // Not the tests' cheap hash: the product's own default.
    passwords: null,
    storage,
    limits: {
      lockout: { tries: 1_000_000 },
      address: { ...many },
      recovery_address: { ...many },
      recovery_account: { ...many },
    },
  });
  const ours = { first_party: true };
  const clients = world.clients.map((client) => ({
    ...client,
    vestibule: { ...ours, ...(isRefreshing(client) ? { refresh_token_without_offline_access: true } : {}) },
  }));
  await writeConfig(folder, { settings, clients, providers });
  const env = { VESTIBULE_MASTER_KEY: newMasterKey() };
  await addPeople(folder, world, env);
  return {
    id: 'vestibule',
    label: 'Vestibule',
    port,
    nodeOptions,
    program: [program, 'serve', '--config', folder],
    env,
  };
}

const isRefreshing = (client: Readonly<Record<string, unknown>>): boolean =>
  Array.isArray(client.grant_types) && client.grant_types.includes('refresh_token');

function addPeople(folder: string, { people }: World, env: Readonly<Record<string, string>>): Promise<void> {
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', SEED, folder], {
    env: { PATH: process.env.PATH, ...env },
    stdio: ['pipe', 'ignore', 'inherit'],
  });
  endWithBench(child);
  child.stdin.end(JSON.stringify(people));
  return new Promise((done, failed) => {
    child.once('error', failed);
    child.once('close', (code) => (code === 0 ? done() : failed(new Error('the people were not added'))));
  });
}
