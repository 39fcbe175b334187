import { resolve } from 'node:path';
import type { Environment } from './environment.ts';
import type { Path } from './paths.ts';
import type { Source } from './source.ts';
import { readText } from './yaml-file.ts';

const LARGEST = 64 * 1024;
const REFERENCE = /^\$\{(env|file):([^{}]*)\}$/;
const LOOKS_LIKE_REFERENCE = /\$\{(env|file):|^\$\{.*\}$/s;
const FORMS = '${env:NAME} and ${file:/path}';

/** @throws Error with a sentence that names where the secret should have come from */
function read(from: string, name: string, directory: string, environment: Environment): string {
  if (from === 'env') {
    if (!/^[A-Za-z_]\w*$/.test(name)) throw new Error(`names no environment variable; the forms are ${FORMS}`);
    const value = environment[name];
    if (!value) throw new Error(`environment variable ${name} is ${value === '' ? 'empty' : 'not set'}`);
    return value;
  }
  if (!name) throw new Error(`names no file; the forms are ${FORMS}`);
  const file = resolve(directory, name);
  let text: string;
  try {
    text = readText(file, LARGEST);
  } catch (error) {
    throw new Error(`secret file ${file} ${(error as Error).message}`);
  }
  const value = text.replace(/\r?\n$/, '');
  if (!value) throw new Error(`secret file ${file} is empty`);
  return value;
}

/**
 * Replaces every `${env:NAME}` and `${file:/path}` in the file's tree by what it stands for.
 * One that can't be resolved is a problem of the file, and its place counts as damaged.
 *
 * @param directory what relative paths are relative to
 */
export function resolveReferences(source: Source, directory: string, environment: Environment): void {
  const walk = (value: unknown, path: Path): void => {
    if (Array.isArray(value)) {
      for (const [index, item] of value.entries()) walk(item, [...path, index]);
    } else if (typeof value === 'object' && value !== null) {
      for (const [key, item] of Object.entries(value)) walk(item, [...path, key]);
    } else if (typeof value === 'string' && LOOKS_LIKE_REFERENCE.test(value)) {
      const [, from, name] = REFERENCE.exec(value) ?? [];
      try {
        if (from === undefined || name === undefined) {
          throw new Error(`a reference must be the whole value; the forms are ${FORMS}, with nothing before or after`);
        }
        source.resolve(path, read(from, name, directory, environment));
      } catch (error) {
        source.fail(path, (error as Error).message, { hide: true });
      }
    }
  };
  walk(source.tree, []);
}
