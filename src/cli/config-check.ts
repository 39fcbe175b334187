import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { checkConfig, configDirectory, problemText } from '../config/index.ts';
import { CONFIG_OPTION, CONFIG_USAGE, type Command, UsageError } from './command.ts';

const counted = (count: number, what: string): string => `${count || 'no'} ${what}${count === 1 ? '' : 's'}`;

export const configCheck: Command = {
  name: 'config check',
  summary: 'check the configuration and list every problem',
  usage: `
Usage: vestibule config check [<dir>] [--json]

Reads vestibule.yaml and clients/*.yaml as the server would, secrets and environment included, and
lists everything that is wrong as "file:line:column  setting  what to do". Starts nothing and
changes nothing. Exits 0 when the server would accept it (warnings included), 1 when not.

  <dir>            the same as --config <dir>
  ${CONFIG_USAGE}
  --json           {"valid": …, "directory": …, "problems": […], "warnings": […]}`,

  async run(args, { stdout }) {
    const { values, positionals } = parseArgs({
      args,
      options: { ...CONFIG_OPTION, json: { type: 'boolean' } },
      allowPositionals: true,
    });
    if (positionals.length > 1) throw new UsageError('one folder at a time');
    const directory = positionals[0] ?? values.config ?? configDirectory();
    const { problems, warnings, config } = checkConfig(directory);
    if (values.json) {
      const report = { valid: config !== undefined, directory: resolve(directory), problems, warnings };
      stdout.write(`${JSON.stringify(report, null, 2)}\n`);
    } else {
      const lines = [...problems.map(problemText), ...warnings.map((warning) => `warning: ${problemText(warning)}`)];
      const clients = config ? `, ${counted(config.clients.length, 'client')}` : '';
      const sum = `${directory}: ${counted(problems.length, 'problem')}, ${counted(warnings.length, 'warning')}${clients}`;
      stdout.write(`${[...lines, sum].join('\n')}\n`);
    }
    return config ? 0 : 1;
  },
};
