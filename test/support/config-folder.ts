import { randomBytes } from 'node:crypto';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { stringify } from 'yaml';

/** Part of a YAML file; `null` removes a key of the tests' defaults. */
export type Settings = { readonly [name: string]: unknown };

export interface ConfigContents {
  /** Laid over the defaults below, key by key. */
  readonly settings?: Settings;
  /** What `clients/<client_id>.yaml` says; one object a file. */
  readonly clients?: readonly ClientFileContents[];
  /** What `providers/<id>.yaml` says, by id; `null` removes the file. */
  readonly providers?: Readonly<Record<string, Settings | null>>;
  /** Any other file below the configuration folder: text as it is, objects as YAML, `null` removes it. */
  readonly files?: Readonly<Record<string, string | Settings | null>>;
}

export interface ClientFileContents {
  readonly client_id: string;
  readonly [name: string]: unknown;
}

/** A demo-strength server on free ports: the cheapest password hash that the schema accepts. */
export const defaultSettings = (ports: { readonly public: number; readonly operations: number }): Settings => ({
  issuer: `http://localhost:${ports.public}`,
  listen: { host: '127.0.0.1', port: ports.public },
  operations: { host: '127.0.0.1', port: ports.operations },
  storage: {
    durable: { engine: 'sqlite', path: '../data/durable.db' },
    ephemeral: { engine: 'sqlite', path: '../data/ephemeral.db' },
  },
  master_key: '${env:VESTIBULE_MASTER_KEY}',
  passwords: { argon2id: { memory_kib: 8192, iterations: 1 } },
  development: {},
});

export const newMasterKey = (): string => randomBytes(32).toString('base64');

/** Writes the folder; files of an earlier call that are not named again stay. */
export async function writeConfig(directory: string, contents: ConfigContents): Promise<void> {
  const files = new Map<string, unknown>(Object.entries(contents.files ?? {}));
  if (contents.settings) files.set('vestibule.yaml', contents.settings);
  for (const client of contents.clients ?? []) files.set(`clients/${client.client_id}.yaml`, client);
  for (const [id, provider] of Object.entries(contents.providers ?? {})) files.set(`providers/${id}.yaml`, provider);
  await mkdir(join(directory, 'clients'), { recursive: true });
  for (const [name, content] of files) {
    const path = join(directory, name);
    if (content === null) {
      await rm(path, { force: true });
      continue;
    }
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, typeof content === 'string' ? content : stringify(content));
  }
}

/** Objects are merged, everything else is replaced, `null` removes. */
export function mergeSettings(base: Settings, over: Settings): Settings {
  const merged: Record<string, unknown> = { ...base };
  for (const [name, value] of Object.entries(over)) {
    if (value === null) delete merged[name];
    else if (isObject(value) && isObject(merged[name])) merged[name] = mergeSettings(merged[name], value);
    else merged[name] = value;
  }
  return merged;
}

const isObject = (value: unknown): value is Settings =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
