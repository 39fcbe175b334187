import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type Command, UsageError } from './command.ts';
import { assertFree, type Calibration, calibrate, createInstance } from './instance/index.ts';

const DEFAULT_DIRECTORY = 'instance';
/** Milliseconds a password hash may take: unnoticed by a person, dear to somebody guessing. */
const TARGET = 50;

export const init: Command = {
  name: 'init',
  summary: 'create a working directory: configuration, master key, measured password hashing',
  usage: `
Usage: vestibule init [<dir>]

Creates a directory to run from (default: ${DEFAULT_DIRECTORY}): config/ with every setting explained, a fresh master
key in secrets/master.key, and argon2id parameters that take about ${TARGET} ms on this machine. Never
overwrites anything. What it makes passes \`vestibule config check\`.`,

  async run(args, { stdout }) {
    const { positionals } = parseArgs({ args, allowPositionals: true });
    if (positionals.length > 1) throw new UsageError('one directory at a time');
    const directory = positionals[0] ?? DEFAULT_DIRECTORY;
    assertFree(directory);
    const hashing = calibrate(TARGET);
    createInstance(directory, randomBytes(32).toString('base64'), hashing);
    stdout.write(report(directory, hashing));
    return 0;
  },
};

function report(directory: string, hashing: Calibration): string {
  const config = join(directory, 'config');
  const hash = `${Math.round(hashing.memory_kib / 1024)} MiB, ${hashing.iterations} passes: ${Math.round(hashing.duration)} ms`;
  return `Created ${directory}
  config/vestibule.yaml   every setting, explained
  config/clients/         one file for each portal
  config/providers/       one file for each external eID: copy an example to <id>.yaml
  secrets/master.key      opens everything stored: keep a copy elsewhere, and out of backups of data/
  data/                   databases, once the server runs
Password hashing: argon2id with ${hash} on this machine

Next
  1. In ${join(config, 'vestibule.yaml')} set issuer to the https address people will use,
     and proxy.trusted to the reverse proxy that terminates TLS.
  2. Copy ${join(config, 'clients/example.yaml.disabled')} to <client_id>.yaml and fill it in.
  3. npx vestibule config check ${config}
  4. VESTIBULE_CONFIG=${config} npm start
`;
}
