import { globSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parse } from 'yaml';

export const REPOSITORY = resolve(import.meta.dirname, '../..');
export const repositoryFile = (name: string): string => readFileSync(join(REPOSITORY, name), 'utf8');

export interface Instruction {
  readonly name: string;
  /** What follows it, options such as `--from=…` included. */
  readonly text: string;
}

export interface Stage {
  readonly name: string;
  /** An image, or the name of another stage. */
  readonly base: string;
  readonly instructions: readonly Instruction[];
}

/** Stages of the Dockerfile in their order, comments and line continuations resolved. */
export function dockerfileStages(): readonly Stage[] {
  const lines = repositoryFile('Dockerfile')
    .split('\n')
    .filter((line) => !line.startsWith('#'))
    .join('\n')
    .replaceAll(/\\\n\s*/g, ' ')
    .split('\n')
    .filter(Boolean);
  const stages: { name: string; base: string; instructions: Instruction[] }[] = [];
  for (const line of lines) {
    const [, name = '', text = ''] = /^([A-Z]+)\s+(.*)$/.exec(line) ?? [];
    const [, base = '', stage = ''] = name === 'FROM' ? (/^(\S+) AS (\S+)$/.exec(text) ?? []) : [];
    if (name === 'FROM') stages.push({ name: stage, base, instructions: [] });
    else stages.at(-1)?.instructions.push({ name, text });
  }
  return stages;
}

/** All that a stage is made of: the instructions of the stages it builds upon, then its own. */
export function instructionsOf(name: string, stages = dockerfileStages()): readonly Instruction[] {
  const stage = stages.find((one) => one.name === name);
  return stage ? [...instructionsOf(stage.base, stages), ...stage.instructions] : [];
}

export const valuesOf = (instructions: readonly Instruction[], name: string): readonly string[] =>
  instructions.filter((one) => one.name === name).map(({ text }) => text);

/** Files and folders that the image `name` gets from the repository, packages apart. */
export const copiedInto = (name: string): readonly string[] =>
  valuesOf(instructionsOf(name), 'COPY')
    .filter((text) => !text.startsWith('--from='))
    .flatMap((text) => text.split(' ').slice(0, -1));

/** The health check's program and its arguments. */
export function healthCheck(): readonly [string, ...string[]] {
  const [text = ''] = valuesOf(instructionsOf('vestibule'), 'HEALTHCHECK');
  return JSON.parse(text.slice(text.indexOf('['))) as [string, ...string[]];
}

export interface Service {
  readonly image?: string;
  readonly build?: { readonly target: string };
  readonly user?: string;
  readonly volumes?: readonly string[];
  readonly restart?: string;
  readonly healthcheck?: { readonly test: readonly string[] };
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
  readonly read_only?: boolean;
  readonly cap_drop?: readonly string[];
  readonly security_opt?: readonly string[];
  readonly mem_limit?: string;
  readonly ports?: readonly string[];
}

export const COMPOSE_FILES = globSync('docker-compose*.yml', { cwd: REPOSITORY }).toSorted();

export interface Compose {
  readonly services: Readonly<Record<string, Service>>;
  readonly volumes?: Readonly<Record<string, unknown>>;
}

export const composeFile = (name: string): Compose =>
  parse(repositoryFile(name), { merge: true, maxAliasCount: -1 }) as Compose;
