import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { stripTypeScriptTypes } from 'node:module';
import { basename, join, resolve } from 'node:path';

const HERE = resolve(import.meta.dirname, '..');
const PRELOAD = ['servers/preload.ts'];
const BARE = ['bare/settings.ts', 'bare/sqlite-adapter.ts', 'bare/login.ts', 'bare/server.ts'];

export interface Programs {
  /** Module for `--import`. */
  readonly preload: string;
  readonly bare: string;
}

/**
 * Writes the bare server and the preload as plain JavaScript: node's TypeScript support costs 15 MB
 * and some 80 ms at the start, which Vestibule pays for its convenience and the baseline must not.
 * @param directory within the repository, so that packages are found
 */
export async function writePrograms(directory: string): Promise<Programs> {
  await mkdir(directory, { recursive: true });
  for (const file of [...PRELOAD, ...BARE]) {
    const code = stripTypeScriptTypes(await readFile(join(HERE, file), 'utf8'));
    await writeFile(javascript(directory, file), code.replaceAll(/(from '\.[^']*)\.ts'/g, "$1.mjs'"));
  }
  return { preload: javascript(directory, 'preload.ts'), bare: javascript(directory, 'server.ts') };
}

const javascript = (directory: string, file: string): string => join(directory, `${basename(file, '.ts')}.mjs`);
