import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import type { Command } from './command.ts';

export const version: Command = {
  name: 'version',
  summary: 'print the version',
  usage: `
Usage: vestibule version [--json]

Prints the version of Vestibule and of the Node it runs on.

  --json   {"version": …, "node": …}`,

  async run(args, { stdout }) {
    const { values } = parseArgs({ args, options: { json: { type: 'boolean' } } });
    const manifest = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
      version: string;
    };
    const versions = { version: manifest.version, node: process.versions.node };
    stdout.write(
      values.json ? `${JSON.stringify(versions)}\n` : `Vestibule ${versions.version} (Node ${versions.node})\n`,
    );
    return 0;
  },
};
