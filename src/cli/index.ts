/**
 * The command line. `vestibule.ts` is the program and the table of commands; each command is one
 * file here. This file finds the command, answers `--help`, and turns errors into exit codes:
 * 0 done, 1 refused or failed, 2 not understood.
 */
import { OperatorError } from '../kernel/errors.ts';
import { type Command, type CommandIo, UsageError } from './command.ts';

/** Loaded when it is called, so that a small command doesn't wait for a large one. */
export interface CommandEntry {
  readonly name: string;
  load(): Promise<Command>;
}

const isHelp = (arg: string): boolean => arg === '--help' || arg === '-h';

/**
 * @param argv what follows the program's name
 * @returns the exit code; problems were written to `io.stderr`
 */
export async function runCommandLine(
  table: readonly CommandEntry[],
  argv: readonly string[],
  io: CommandIo,
): Promise<number> {
  const [first, ...others] = argv;
  if (first === undefined) {
    io.stderr.write(await overview(table));
    return 2;
  }
  if (isHelp(first) || (first === 'help' && others.length === 0)) {
    io.stdout.write(await overview(table));
    return 0;
  }
  if (first === 'help') return runCommandLine(table, [...others, '--help'], io);
  if (first === '--version') return runCommandLine(table, ['version', ...others], io);

  const entry = table.find(({ name }) => name === `${first} ${others[0]}`) ?? table.find(({ name }) => name === first);
  if (!entry) return unknown(table, argv, io);
  const args = argv.slice(entry.name.split(' ').length);
  const command = await entry.load();
  const end = args.indexOf('--');
  if ((end < 0 ? args : args.slice(0, end)).some(isHelp)) {
    io.stdout.write(`${command.usage.trim()}\n`);
    return 0;
  }
  try {
    return await command.run(args, io);
  } catch (error) {
    return failed(error, command, io);
  }
}

function failed(error: unknown, command: Command, io: CommandIo): number {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  if (error instanceof UsageError || code.startsWith('ERR_PARSE_ARGS')) {
    io.stderr.write(`vestibule ${command.name}: ${(error as Error).message}\n\n${command.usage.trim()}\n`);
    return 2;
  }
  const text = error instanceof OperatorError ? error.message : error instanceof Error ? error.stack : String(error);
  io.stderr.write(`${text}\n`);
  return 1;
}

async function overview(table: readonly CommandEntry[]): Promise<string> {
  const commands = await Promise.all(table.map((entry) => entry.load()));
  const width = Math.max(...commands.map(({ name }) => name.length));
  return [
    'Usage: vestibule <command> [options]',
    '',
    ...commands.map(({ name, summary }) => `  ${name.padEnd(width)}  ${summary}`),
    '',
    '`vestibule <command> --help` tells more. Exit codes: 0 done, 1 refused, 2 not understood.',
    '',
  ].join('\n');
}

/** No command of that name: a group of commands is listed, anything else gets the nearest name. */
async function unknown(table: readonly CommandEntry[], argv: readonly string[], io: CommandIo): Promise<number> {
  const [first = '', second] = argv;
  const group = table.filter(({ name }) => name.startsWith(`${first} `));
  if (group.length > 0 && (second === undefined || isHelp(second))) {
    const isAsked = second !== undefined;
    (isAsked ? io.stdout : io.stderr).write(await overview(group));
    return isAsked ? 0 : 2;
  }
  const names = (group.length > 0 ? group : table).map(({ name }) => name);
  const typed =
    argv
      .filter((arg) => !arg.startsWith('-'))
      .slice(0, 2)
      .join(' ') || first;
  const { nearest } = await import('../config/index.ts');
  const close = nearest(typed, names) ?? nearest(first, names);
  const advice = close ? `did you mean \`${close}\`?` : `the commands are: ${names.join(', ')}`;
  io.stderr.write(`unknown command \`${typed}\`; ${advice}\n`);
  return 2;
}
