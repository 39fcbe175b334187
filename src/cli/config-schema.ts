import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { configDirectory, jsonSchemaFiles } from '../config/index.ts';
import { OperatorError } from '../kernel/errors.ts';
import { CONFIG_OPTION, CONFIG_USAGE, type Command } from './command.ts';

const isFolder = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;

function isCurrent(file: string, text: string): boolean {
  try {
    return readFileSync(file, 'utf8') === text;
  } catch {
    return false;
  }
}

export const configSchema: Command = {
  name: 'config schema',
  summary: 'write the JSON Schemas that editors complete and check with',
  usage: `
Usage: vestibule config schema [--check]

Writes schemas/*.schema.json in the configuration folder, generated from the code: after an upgrade,
editors know the new settings.

  --check          write nothing; exit 1 when they are missing or stale
  ${CONFIG_USAGE}`,

  async run(args, { stdout }) {
    const { values } = parseArgs({ args, options: { ...CONFIG_OPTION, check: { type: 'boolean' } } });
    const directory = values.config ?? configDirectory();
    if (!isFolder(directory)) throw new OperatorError(`${directory}  is not a folder`);
    const folder = join(directory, 'schemas');
    const files = [...jsonSchemaFiles()].map(([name, text]) => ({ file: join(folder, name), text }));
    const stale = files.filter(({ file, text }) => !isCurrent(file, text));
    if (values.check) {
      for (const { file } of stale) stdout.write(`${file}  is stale: write it anew with \`vestibule config schema\`\n`);
      return stale.length > 0 ? 1 : 0;
    }
    if (stale.length > 0) mkdirSync(folder, { recursive: true });
    for (const { file, text } of stale) writeFileSync(file, text);
    for (const { file } of files) stdout.write(`${file}\n`);
    return 0;
  },
};
