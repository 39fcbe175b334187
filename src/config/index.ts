/**
 * The files of the operator, and nothing else that can be configured: `vestibule.yaml`,
 * `clients/*.yaml` and `providers/*.yaml` are read, secrets resolved, environment variables laid over, everything
 * validated by one schema per section (`schema/`) and by the rules between settings (`rules/`).
 * All problems are reported at once, each with file, line and remedy. This folder is the only
 * reader of the process environment.
 */
export type { Config } from './config.ts';
export { DEVELOPMENT_MASTER_KEYS } from './development.ts';
export { configDirectory, type Environment } from './environment.ts';
export { jsonSchemaFiles } from './json-schema.ts';
export { type Checked, checkConfig, loadConfig } from './load.ts';
export { isLoopbackAddress, isLoopbackHost, networks } from './loopback.ts';
export { nearest } from './nearest.ts';
export { ConfigError, type Problem, problemText } from './problem.ts';
export type { CheckProvider, ProviderFinding } from './providers.ts';
export type { ClientFile, ClientSettings } from './schema/client.ts';
export type { ProviderFile, ProviderPolicy } from './schema/provider.ts';
export type { ServerSettings, Theme } from './schema/server.ts';
export { LANGUAGES, type Language } from './schema/values.ts';
export { readStorageSettings, type StorageSettings } from './storage-settings.ts';
