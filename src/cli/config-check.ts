import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { type Checked, type Config, checkConfig, configDirectory, type Problem, problemText } from '../config/index.ts';
import { checkOnline, checkProvider, resolveUpstream } from '../federation/index.ts';
import { CONFIG_OPTION, CONFIG_USAGE, type Command, UsageError } from './command.ts';

const counted = (count: number, what: string): string => `${count || 'no'} ${what}${count === 1 ? '' : 's'}`;

/** What is printed, to people or as JSON. */
interface Report {
  readonly valid: boolean;
  readonly directory: string;
  readonly problems: readonly Problem[];
  readonly warnings: readonly Problem[];
}

export const configCheck: Command = {
  name: 'config check',
  summary: 'check the configuration and list every problem',
  usage: `
Usage: vestibule config check [<dir>] [--online] [--json]

Reads vestibule.yaml, clients/*.yaml and providers/*.yaml as the server would, secrets and environment
included, and lists everything that is wrong as "file:line:column  setting  what to do". Starts nothing
and changes nothing. Exits 0 when the server would accept it (warnings included), 1 when not.

  <dir>            the same as --config <dir>
  ${CONFIG_USAGE}
  --online         fetch the metadata of every enabled provider as well: what is configured and not
                   supported there is a problem where nobody could sign in, else a warning
  --json           {"valid": …, "directory": …, "problems": […], "warnings": […]}`,

  async run(args, { stdout }) {
    const { values, positionals } = parseArgs({
      args,
      options: { ...CONFIG_OPTION, json: { type: 'boolean' }, online: { type: 'boolean' } },
      allowPositionals: true,
    });
    if (positionals.length > 1) throw new UsageError('one folder at a time');
    const directory = positionals[0] ?? values.config ?? configDirectory();
    const checked = checkConfig(directory, undefined, checkProvider);
    const online = values.online && checked.config ? await checkProviders(checked, checked.config) : undefined;
    const problems = [...checked.problems, ...(online?.problems ?? [])];
    const warnings = [...checked.warnings, ...(online?.warnings ?? [])];
    const valid = problems.length === 0 && checked.config !== undefined;
    if (values.json) {
      const report: Report = { valid, directory: resolve(directory), problems, warnings };
      stdout.write(`${JSON.stringify(report, null, 2)}\n`);
    } else {
      const lines = [...problems.map(problemText), ...warnings.map((warning) => `warning: ${problemText(warning)}`)];
      const sum = `${directory}: ${counted(problems.length, 'problem')}, ${counted(warnings.length, 'warning')}${contents(checked.config)}`;
      stdout.write(`${[...(online?.notes ?? []), ...lines, sum].join('\n')}\n`);
    }
    return valid ? 0 : 1;
  },
};

function contents(config: Config | undefined): string {
  if (!config) return '';
  const providers = config.providers.length > 0 ? `, ${counted(config.providers.length, 'provider')}` : '';
  return `, ${counted(config.clients.length, 'client')}${providers}`;
}

interface Online {
  readonly problems: readonly Problem[];
  readonly warnings: readonly Problem[];
  /** What the operator has to tell each provider. */
  readonly notes: readonly string[];
}

/** Asks all of them at once: one that doesn't answer is waited for by nobody else. */
async function checkProviders({ describeProvider }: Checked, { issuer, providers }: Config): Promise<Online> {
  const enabled = providers.filter((provider) => provider.enabled);
  const found = await Promise.all(
    enabled.map(async (file) => {
      const { upstream } = resolveUpstream(file);
      const findings = upstream ? await checkOnline(file, upstream) : [];
      return findings.map((finding) => ({ ...finding, problem: describeProvider(file.id, finding) }));
    }),
  );
  const findings = found.flat();
  return {
    problems: findings.filter(({ breaks }) => breaks).map(({ problem }) => problem),
    warnings: findings.filter(({ breaks }) => !breaks).map(({ problem }) => problem),
    notes: enabled.map(
      ({ id }) =>
        `${id}: register the redirect URI ${issuer}/external/${id}/callback, and the keys ${issuer}/external/jwks`,
    ),
  };
}
