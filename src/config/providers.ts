import { resolve } from 'node:path';
import type { Environment } from './environment.ts';
import type { Path } from './paths.ts';
import type { Problem } from './problem.ts';
import { applyRules, PROVIDER_RULES } from './rules/index.ts';
import { type ProviderFile, providerSchema } from './schema/provider.ts';
import { type ServerSettings, serverSchema } from './schema/server.ts';
import type { Source } from './source.ts';
import { type Validated, validate } from './validate.ts';
import { type FolderSources, nameOf, readYamlFolder } from './yaml-folder.ts';

/** Part of an address, of a field's value and of the store's keys. */
const ID = /^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$/;
/** Let the rest be checked when one of them is missing or wrong; the preset is then not asked. */
const PLACEHOLDERS = { preset: 'generic', client_id: 'unknown' };

/** What a preset has to say about one place of a provider's file. */
export interface ProviderFinding {
  /** Of the file's own settings: `['levels', 0, 'acr']`; for what is missing, where it should stand. */
  readonly path: Path;
  /** A full sentence that says what is wrong and what to do. It quotes no value. */
  readonly message: string;
  readonly warning?: true;
}

/**
 * Judges a file whose settings are sound each for itself against its preset: `checkProvider` of `federation/`.
 * This folder may not import that one, so whoever loads the configuration passes it in.
 */
export type CheckProvider = (provider: ProviderFile) => Iterable<ProviderFinding>;

/** What the provider files are checked against. */
interface Surroundings {
  /** Absolute folder of the configuration. */
  readonly directory: string;
  /** Source of `vestibule.yaml`, whose damaged settings no rule draws on. */
  readonly server: Source;
  /** What that file says; undefined when nothing can be made of it. */
  readonly settings: ServerSettings | undefined;
  readonly clientIds: ReadonlySet<string>;
  readonly checkProvider: CheckProvider | undefined;
}

/** Reads `providers/*.yaml`. Without that folder there are none. */
export const readProviders = (directory: string, environment: Environment): FolderSources =>
  readYamlFolder(directory, 'providers', 'provider', environment);

/** The name of a file is part of the callback's address, which is registered at the provider. */
function checkName(source: Source): void {
  if (ID.test(nameOf(source))) return;
  source.object([], 'must be called by at most 40 small letters, digits and hyphens, such as itsme.yaml', {
    hide: true,
  });
}

function askPreset(
  provider: ProviderFile,
  source: Source,
  { placeInFile }: Pick<Validated<unknown>, 'placeInFile'>,
  checkProvider: CheckProvider,
): void {
  if (source.isDamaged(['preset'])) return;
  for (const { path, message, warning } of checkProvider(provider)) {
    const place = placeInFile(path);
    // What the operator wrote wrong is not missing.
    if (source.isDamaged(place)) continue;
    if (warning) source.warn(place, message);
    else source.problems.push(source.describe(place, message));
  }
}

/**
 * Checks what was read; problems are recorded in the sources.
 *
 * @returns the providers, in the order of their buttons
 */
export function checkProviders({ sources }: FolderSources, surroundings: Surroundings): ProviderFile[] {
  const { directory, server, clientIds, checkProvider } = surroundings;
  const settings = surroundings.settings ?? serverSchema.parse({ issuer: 'http://localhost:3000' });
  const providers = sources.flatMap((source) => {
    checkName(source);
    const validated = validate(source, providerSchema, PLACEHOLDERS);
    if (!validated) return [];
    const { logo } = validated.value;
    const provider: ProviderFile = {
      ...validated.value,
      id: nameOf(source),
      ...(logo === undefined ? {} : { logo: resolve(directory, logo) }),
    };
    const subject = { provider, server: settings, clientIds, isLiteral: source.isLiteral.bind(source) };
    applyRules(PROVIDER_RULES, subject, source, validated, server);
    if (checkProvider) askPreset(provider, source, validated, checkProvider);
    return [provider];
  });
  return providers.toSorted((a, b) => a.order - b.order || (a.id < b.id ? -1 : 1));
}

/** Words what is found out later (`config check --online`) as a problem of the provider's file. */
export function describeIn({ sources }: FolderSources, id: string, { path, message }: ProviderFinding): Problem {
  const source = sources.find((one) => nameOf(one) === id);
  return source?.describe(path, message) ?? { file: `providers/${id}.yaml`, path: '', message };
}
