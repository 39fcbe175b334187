import { statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { z } from 'zod';
import { applyEnvironment, type Environment } from './environment.ts';
import { withAbsoluteFiles } from './load.ts';
import { masterKeysOf } from './master-keys.ts';
import { ConfigError } from './problem.ts';
import { type ServerSettings, serverSchema } from './schema/server.ts';
import { resolveReferences } from './secrets.ts';
import { validate } from './validate.ts';
import { readYaml } from './yaml-file.ts';

type Storage = ServerSettings['storage'];

export interface StorageSettings {
  /** As `vestibule.yaml` says it; what it doesn't say has its default. Paths are absolute. */
  readonly storage: Storage;
  /** As `serve` would have them, the first seals; empty where neither the file nor the environment names any. */
  readonly masterKeys: readonly string[];
}

const schema = z.object({ storage: serverSchema.shape.storage, master_key: serverSchema.shape.master_key });
const NAME = 'vestibule.yaml';

const isFolder = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;

/**
 * Reads where a configuration keeps its data and what seals it, and nothing else: the rest of the file may be missing
 * or wrong.
 *
 * @param path configuration folder, or a YAML file that holds `storage`
 * @param environment variables that secrets may come from; `VESTIBULE_MASTER_KEY` where the file has no `master_key`
 * @throws ConfigError listing every problem of these two, such as a key file that can't be read
 */
export function readStorageSettings(path: string, environment: Environment = process.env): StorageSettings {
  const file = isFolder(path) ? join(path, NAME) : path;
  const directory = dirname(resolve(file));
  const source = readYaml(file, 'server');
  source.tree &&= picked(source.tree);
  resolveReferences(source, directory, environment);
  const { VESTIBULE_MASTER_KEY } = environment;
  applyEnvironment(source, { VESTIBULE_MASTER_KEY });
  const validated = validate(source, schema, {});
  const { problems } = source.inOrder();
  if (!validated || problems.length > 0) throw new ConfigError(path, problems);
  const { storage, master_key: masterKey = '' } = validated.value;
  const { durable, ephemeral } = storage;
  return {
    storage: { durable: withAbsoluteFiles(durable, directory), ephemeral: withAbsoluteFiles(ephemeral, directory) },
    masterKeys: masterKeysOf(masterKey),
  };
}

const picked = (tree: unknown): unknown =>
  typeof tree === 'object' && tree !== null
    ? Object.fromEntries(Object.entries(tree).filter(([name]) => name === 'storage' || name === 'master_key'))
    : tree;
