import { resolve } from 'node:path';
import type { Environment } from './environment.ts';
import { valueAt } from './paths.ts';
import { applyRules, CLIENT_RULES } from './rules/index.ts';
import { type ClientFile, clientSchema } from './schema/client.ts';
import { type ServerSettings, serverSchema } from './schema/server.ts';
import type { Source } from './source.ts';
import { validate } from './validate.ts';
import { type FolderSources, nameOf, readYamlFolder } from './yaml-folder.ts';

const PLACEHOLDERS = { client_id: 'unknown', client_name: 'unknown' };

/** `clients/` as it stands on disk. */
export interface ClientSources extends FolderSources {
  /** Every client somebody may name, those whose file has problems included. */
  readonly ids: ReadonlySet<string>;
}

/** Reads `clients/*.yaml`. */
export function readClients(directory: string, environment: Environment): ClientSources {
  const needed = 'the folder of the client files is needed, even if it is empty';
  const { sources, problems } = readYamlFolder(directory, 'clients', 'client', environment, needed);
  const ids = sources.flatMap((source) => [idOf(source), nameOf(source)]).filter((id) => id !== undefined);
  return { sources, problems, ids: new Set(ids) };
}

function idOf(source: Source): string | undefined {
  const id = valueAt(source.tree, ['client_id']);
  return typeof id === 'string' ? id : undefined;
}

/** One file, one client, one name: whoever looks for a client finds it at once. */
function checkNames(sources: readonly Source[]): void {
  const first = new Map<string, Source>();
  for (const source of sources) {
    const id = idOf(source);
    if (id === undefined || source.isDamaged(['client_id'])) continue;
    const other = first.get(id);
    if (other) source.object(['client_id'], `is the client_id of ${other.name} as well`);
    else first.set(id, source);
    if (id !== nameOf(source)) source.object(['client_id'], 'must equal the name of its file: <client_id>.yaml');
  }
}

/** Defaults that depend on other settings, and absolute paths. */
function complete(client: ClientFile, source: Source, directory: string): ClientFile {
  const { theme } = client.vestibule;
  // The protocol's default, code, makes no sense for a client that may not redeem one.
  const answersNothing =
    valueAt(source.tree, ['response_types']) === undefined &&
    !client.grant_types.includes('authorization_code') &&
    !client.grant_types.includes('implicit');
  return {
    ...client,
    ...(answersNothing ? { response_types: [] } : {}),
    vestibule: {
      ...client.vestibule,
      theme: { ...theme, ...(theme.logo === undefined ? {} : { logo: resolve(directory, theme.logo) }) },
    },
  };
}

/**
 * Checks what was read; problems are recorded in the sources.
 *
 * @param directory absolute folder of the configuration
 * @param server source of `vestibule.yaml`, whose damaged settings no rule draws on
 * @param settings what that file says; undefined when nothing can be made of it
 * @returns the clients, ordered by file name
 */
export function checkClients(
  { sources }: ClientSources,
  directory: string,
  server: Source,
  settings: ServerSettings = serverSchema.parse({ issuer: 'http://localhost:3000' }),
): ClientFile[] {
  const files = sources.map((source) => ({ source, validated: validate(source, clientSchema, PLACEHOLDERS) }));
  checkNames(sources);
  return files.flatMap(({ source, validated }) => {
    if (!validated) return [];
    const client = complete(validated.value, source, directory);
    const subject = { client, server: settings, isLiteral: source.isLiteral.bind(source) };
    applyRules(CLIENT_RULES, subject, source, validated, server);
    return [client];
  });
}
