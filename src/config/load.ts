import { statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { checkClients, readClients } from './clients.ts';
import type { Config } from './config.ts';
import { applyEnvironment, type Environment } from './environment.ts';
import { masterKeysOf } from './master-keys.ts';
import { ConfigError, type Problem } from './problem.ts';
import { type CheckProvider, checkProviders, describeIn, type ProviderFinding, readProviders } from './providers.ts';
import { applyRules, SERVER_RULES } from './rules/index.ts';
import { type ServerSettings, serverSchema } from './schema/server.ts';
import { resolveReferences } from './secrets.ts';
import { validate } from './validate.ts';
import { readFailure, readYaml } from './yaml-file.ts';

type TlsFiles = Readonly<Record<string, string | undefined>>;
const TLS_FILES: ReadonlySet<string> = new Set(['ca', 'cert', 'key']);

/** Lets the rest be checked when the issuer is missing or wrong. */
const PLACEHOLDERS = { issuer: 'http://localhost:3000' };

export interface Checked {
  /** In file order; empty when the configuration can be used. */
  readonly problems: readonly Problem[];
  readonly warnings: readonly Problem[];
  /** Present when there are no problems. */
  readonly config?: Config;
  /** Words what is found out about a provider later as a problem of its file, with its line. */
  describeProvider(id: string, finding: ProviderFinding): Problem;
}

function folderFault(directory: string): string | undefined {
  try {
    return statSync(directory).isDirectory() ? undefined : 'is not a folder';
  } catch (error) {
    return readFailure(error);
  }
}

/** The file of an embedded engine; certificates and keys of the others. */
export function withAbsoluteFiles<Engine extends { path?: string | undefined; tls?: TlsFiles | undefined }>(
  engine: Engine,
  directory: string,
): Engine {
  const absolute = (files: TlsFiles): TlsFiles =>
    Object.fromEntries(
      Object.entries(files).map(([name, value]) => [
        name,
        TLS_FILES.has(name) && typeof value === 'string' ? resolve(directory, value) : value,
      ]),
    );
  return {
    ...engine,
    ...(engine.path === undefined ? {} : { path: resolve(directory, engine.path) }),
    ...(engine.tls === undefined ? {} : { tls: absolute(engine.tls) }),
  };
}

/** Paths within the settings become absolute: nothing later depends on where the process was started. */
function absolute(settings: ServerSettings, directory: string): ServerSettings {
  const { storage, branding, passkeys } = settings;
  const { theme, overlay } = branding;
  return {
    ...settings,
    storage: {
      durable: withAbsoluteFiles(storage.durable, directory),
      ephemeral: withAbsoluteFiles(storage.ephemeral, directory),
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
 * @param directory folder that holds `vestibule.yaml`, `clients/` and, where there are any, `providers/`
 * @param environment variables that secrets may come from and that override settings
 * @param checkProvider judges provider files against their presets; without it only their settings are checked
 */
export function checkConfig(
  directory: string,
  environment: Environment = process.env,
  checkProvider?: CheckProvider,
): Checked {
  const fault = folderFault(directory);
  if (fault) {
    const message = `${fault}; the configuration folder is named by VESTIBULE_CONFIG. A new one: npx vestibule init`;
    const problem: Problem = { file: directory, line: 1, column: 1, path: '', message };
    return { problems: [problem], warnings: [], describeProvider: () => problem };
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
  const upstreams = readProviders(directory, environment);
  const providers = checkProviders(upstreams, {
    directory: folder,
    server: source,
    settings,
    clientIds: clients.ids,
    checkProvider,
  });

  const found = [clients, upstreams].map((read) => ({ ...read, files: read.sources.map((file) => file.inOrder()) }));
  const problems = [
    ...source.inOrder().problems,
    ...found.flatMap((read) => [...read.problems, ...read.files.flatMap((file) => file.problems)]),
  ];
  const warnings = [
    ...source.inOrder().warnings,
    ...found.flatMap((read) => read.files.flatMap((file) => file.warnings)),
  ];
  const describeProvider = (id: string, finding: ProviderFinding) => describeIn(upstreams, id, finding);
  if (problems.length > 0 || !settings) return { problems, warnings, describeProvider };

  const { master_key: masterKey = '', ...rest } = settings;
  const masterKeys = masterKeysOf(masterKey);
  const config: Config = { ...rest, directory: folder, masterKeys, clients: files, providers };
  return { problems, warnings, config: freeze(config), describeProvider };
}

/**
 * @param directory folder that holds `vestibule.yaml`, `clients/` and, where there are any, `providers/`
 * @param environment variables that secrets may come from and that override settings
 * @param checkProvider judges provider files against their presets; without it only their settings are checked
 * @returns everything the files say: validated, secrets resolved, paths absolute, frozen
 * @throws ConfigError listing every problem of every file
 */
export function loadConfig(
  directory: string,
  environment: Environment = process.env,
  checkProvider?: CheckProvider,
): Config {
  const { problems, config } = checkConfig(directory, environment, checkProvider);
  if (!config) throw new ConfigError(directory, problems);
  return config;
}
