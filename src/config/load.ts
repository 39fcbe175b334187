import { statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { checkClients, readClients } from './clients.ts';
import type { Config } from './config.ts';
import { applyEnvironment, type Environment } from './environment.ts';
import { masterKeysOf } from './master-keys.ts';
import { ConfigError, type Problem } from './problem.ts';
import { applyRules, SERVER_RULES } from './rules/index.ts';
import { type ServerSettings, serverSchema } from './schema/server.ts';
import { resolveReferences } from './secrets.ts';
import { validate } from './validate.ts';
import { readFailure, readYaml } from './yaml-file.ts';

/** Lets the rest be checked when the issuer is missing or wrong. */
const PLACEHOLDERS = { issuer: 'http://localhost:3000' };

export interface Checked {
  /** In file order; empty when the configuration can be used. */
  readonly problems: readonly Problem[];
  readonly warnings: readonly Problem[];
  /** Present when there are no problems. */
  readonly config?: Config;
}

function folderFault(directory: string): string | undefined {
  try {
    return statSync(directory).isDirectory() ? undefined : 'is not a folder';
  } catch (error) {
    return readFailure(error);
  }
}

/** Paths within the settings become absolute: nothing later depends on where the process was started. */
function absolute(settings: ServerSettings, directory: string): ServerSettings {
  const { storage, branding, passkeys } = settings;
  const { theme, overlay } = branding;
  return {
    ...settings,
    storage: {
      durable: { ...storage.durable, path: resolve(directory, storage.durable.path) },
      ephemeral: { ...storage.ephemeral, path: resolve(directory, storage.ephemeral.path) },
    },
    passkeys: { ...passkeys, trust_anchors: passkeys.trust_anchors.map((file) => resolve(directory, file)) },
    branding: {
      ...branding,
      ...(overlay === undefined ? {} : { overlay: resolve(directory, overlay) }),
      theme: { ...theme, ...(theme.logo === undefined ? {} : { logo: resolve(directory, theme.logo) }) },
    },
  };
}

function freeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  for (const inner of Object.values(value)) freeze(inner);
  return Object.freeze(value);
}

/**
 * Reads and checks every file of a configuration folder. Never throws for what stands in the files.
 *
 * @param directory folder that holds `vestibule.yaml` and `clients/`
 * @param environment variables that secrets may come from and that override settings
 */
export function checkConfig(directory: string, environment: Environment = process.env): Checked {
  const fault = folderFault(directory);
  if (fault) {
    const message = `${fault}; the configuration folder is named by VESTIBULE_CONFIG. A new one: npx vestibule init`;
    return { problems: [{ file: directory, line: 1, column: 1, path: '', message }], warnings: [] };
  }
  const folder = resolve(directory);

  const source = readYaml(join(directory, 'vestibule.yaml'), 'server');
  resolveReferences(source, folder, environment);
  applyEnvironment(source, environment);
  const server = validate(source, serverSchema, PLACEHOLDERS);
  const settings = server && absolute(server.value, folder);

  const clients = readClients(directory, environment);
  if (server && settings) {
    const subject = { settings, clientIds: clients.ids, isLiteral: source.isLiteral.bind(source) };
    applyRules(SERVER_RULES, subject, source, server);
  }
  const files = checkClients(clients, folder, source, settings);

  const found = clients.sources.map((file) => file.inOrder());
  const problems = [source.inOrder().problems, clients.problems, ...found.map((file) => file.problems)].flat();
  const warnings = [source.inOrder().warnings, ...found.map((file) => file.warnings)].flat();
  if (problems.length > 0 || !settings) return { problems, warnings };

  const { master_key: masterKey = '', ...rest } = settings;
  const config: Config = { ...rest, directory: folder, masterKeys: masterKeysOf(masterKey), clients: files };
  return { problems, warnings, config: freeze(config) };
}

/**
 * @param directory folder that holds `vestibule.yaml` and `clients/`
 * @param environment variables that secrets may come from and that override settings
 * @returns everything the files say: validated, secrets resolved, paths absolute, frozen
 * @throws ConfigError listing every problem of every file
 */
export function loadConfig(directory: string, environment: Environment = process.env): Config {
  const { problems, config } = checkConfig(directory, environment);
  if (!config) throw new ConfigError(directory, problems);
  return config;
}
