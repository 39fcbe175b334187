import { readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Environment } from './environment.ts';
import type { FileKind } from './json-schema.ts';
import type { Problem } from './problem.ts';
import { resolveReferences } from './secrets.ts';
import type { Source } from './source.ts';
import { readFailure, readYaml } from './yaml-file.ts';

const SUFFIX = '.yaml';

/** A folder of files of one kind as it stands on disk. */
export interface FolderSources {
  /** Ordered by name. */
  readonly sources: readonly Source[];
  /** What is wrong with the folder itself and with the names of its files. */
  readonly problems: readonly Problem[];
}

/**
 * Reads `<folder>/*.yaml`, secrets resolved. Hidden files and other endings (`.disabled`, `.md`) are left alone.
 *
 * @param needed what is said when the folder is missing; without it a missing folder is an empty one
 */
export function readYamlFolder(
  directory: string,
  folderName: string,
  kind: FileKind,
  environment: Environment,
  needed?: string,
): FolderSources {
  const folder = join(directory, folderName);
  const problem = (file: string, message: string): Problem => ({ file, line: 1, column: 1, path: '', message });
  let names: string[];
  try {
    names = readdirSync(folder)
      .filter((name) => !name.startsWith('.'))
      .sort();
  } catch (error) {
    const isMissing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    if (isMissing && needed === undefined) return { sources: [], problems: [] };
    const message = [readFailure(error), needed].filter(Boolean).join(': ');
    return { sources: [], problems: [problem(folder, message)] };
  }
  const problems = names
    .filter((name) => name.endsWith('.yml'))
    .map((name) => problem(join(folder, name), `must be called ${name.slice(0, -4)}${SUFFIX} to be read`));
  const sources = names
    .filter((name) => name.endsWith(SUFFIX))
    .map((name) => {
      const source = readYaml(join(folder, name), kind);
      resolveReferences(source, resolve(directory), environment);
      return source;
    });
  return { sources, problems };
}

/** @returns the name of the file without folder and ending */
export const nameOf = (source: Source): string => source.name.replace(/^.*[/\\]/, '').slice(0, -SUFFIX.length);
