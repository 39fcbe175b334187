import { describe, expect, test } from '@jest/globals';
import { type Command, UsageError } from '../../../src/cli/command.ts';
import { type CommandEntry, runCommandLine } from '../../../src/cli/index.ts';
import { OperatorError } from '../../../src/kernel/errors.ts';
import { recorder, vestibule } from './program.ts';

const command = (name: string, run: Command['run'] = async () => 0): CommandEntry => ({
  name,
  load: async () => ({ name, summary: `what ${name} does`, usage: `\nUsage: vestibule ${name}`, run }),
});

const TABLE: readonly CommandEntry[] = [
  command('serve'),
  command('keys list', async (args, { stdout }) => {
    stdout.write(JSON.stringify(args));
    return 0;
  }),
  command('keys rotate', async () => 1),
  command('usage', async () => {
    throw new UsageError('one at a time');
  }),
  command('refuse', async () => {
    throw new OperatorError('The disk is full.');
  }),
  command('break', async () => {
    throw new TypeError('a bug');
  }),
];

async function run(...argv: string[]) {
  const io = recorder();
  const code = await runCommandLine(TABLE, argv, io);
  return { code, ...io.written };
}

describe('the command line', () => {
  test('finds commands of two words, and hands over what follows', async () => {
    expect(await run('keys', 'list', '--json', 'x')).toEqual({ code: 0, stdout: '["--json","x"]', stderr: '' });
  });

  test('exits with what the command answers', async () => {
    expect(await run('keys', 'rotate')).toMatchObject({ code: 1 });
  });

  test.each([['--help'], ['-h'], ['help']])('lists every command with %s', async (...argv) => {
    const { code, stdout } = await run(...argv);
    expect(code).toBe(0);
    for (const { name } of TABLE) expect(stdout).toMatch(new RegExp(`^ {2}${name} +what ${name} does$`, 'm'));
  });

  test('without a command shows the list on standard error and exits 2', async () => {
    expect(await run()).toMatchObject({ code: 2, stdout: '', stderr: expect.stringContaining('keys list') });
  });

  test.each([[['serve', '--help']], [['serve', 'x', '-h']], [['help', 'serve']]])(
    'shows the usage of a command: %j',
    async (argv) => {
      expect(await run(...argv)).toEqual({ code: 0, stdout: 'Usage: vestibule serve\n', stderr: '' });
    },
  );

  test('lists a group of commands', async () => {
    const { code, stdout } = await run('keys', '--help');
    expect(code).toBe(0);
    expect(stdout).toContain('keys rotate');
    expect(stdout).not.toContain('serve');
  });

  test('leaves --help behind -- to the command', async () => {
    expect(await run('keys', 'list', '--', '--help')).toMatchObject({ stdout: '["--","--help"]' });
  });

  test.each<readonly [string[], RegExp]>([
    [['sreve'], /unknown command `sreve`; did you mean `serve`\?/],
    [['keys', 'lst'], /unknown command `keys lst`; did you mean `keys list`\?/],
    [['kyes', 'list'], /did you mean `keys list`\?/],
    [['kyes', 'list', '--json'], /did you mean `keys list`\?/],
    [['xyzzy'], /unknown command `xyzzy`; the commands are: serve, keys list/],
    [['--jsno'], /unknown command `--jsno`/],
    [['keys'], /keys list +what.*\n +keys rotate/],
    [['keys', 'x'], /unknown command `keys x`; the commands are: keys list, keys rotate/],
  ])('exits 2 and helps with %j', async (argv, message) => {
    expect(await run(...argv)).toMatchObject({ code: 2, stdout: '', stderr: expect.stringMatching(message) });
  });

  test('exits 2 with the usage when a command was called wrongly', async () => {
    const { code, stderr } = await run('usage');
    expect(code).toBe(2);
    expect(stderr).toBe('vestibule usage: one at a time\n\nUsage: vestibule usage\n');
  });

  test('exits 1 with the sentence alone when the operator must act', async () => {
    expect(await run('refuse')).toEqual({ code: 1, stdout: '', stderr: 'The disk is full.\n' });
  });

  test('exits 1 with the stack when the program is at fault', async () => {
    expect(await run('break')).toMatchObject({ code: 1, stderr: expect.stringMatching(/TypeError: a bug\n +at /) });
  });
});

describe('the program', () => {
  test('answers --help with all its commands', async () => {
    const { code, stdout, stderr } = await vestibule(['--help']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    for (const name of [
      'serve',
      'init',
      'config check',
      'config schema',
      'people unlock',
      'people set-email',
      'version',
    ])
      expect(stdout).toContain(`  ${name} `);
  });

  test.each([
    ['serve'],
    ['init'],
    ['config', 'check'],
    ['config', 'schema'],
    ['people', 'add'],
    ['people', 'reset-factors'],
    ['people', 'unlock'],
    ['people', 'set-email'],
    ['version'],
  ])('answers %s %s --help with its usage', async (...words) => {
    const { code, stdout } = await vestibule([...words.filter((word) => typeof word === 'string'), '--help']);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^Usage: vestibule /);
  });

  test('prints its version, also for scripts', async () => {
    expect(await vestibule(['version'])).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^Vestibule \d+\.\d+\.\d+ \(Node \d/),
    });
    const { stdout } = await vestibule(['--version', '--json']);
    expect(JSON.parse(stdout)).toEqual({ version: expect.any(String), node: process.versions.node });
  });

  test.each([
    [['version', '--jsno']],
    [['config', 'check', 'a', 'b']],
    [['init', '--force']],
    [['serve', 'x']],
    [['people', 'unlock']],
    [['people', 'unlock', 'a', 'b']],
    [['people', 'unlock', 'a', '--force']],
    [['people', 'set-email', 'a']],
    [['people', 'set-email', 'a', 'b@mail.example']],
    [['people', 'set-email', 'a', 'b@mail.example', '--verified-by', ' ']],
    [['chekc']],
  ])('exits 2 for %j', async (args) => {
    expect(await vestibule(args)).toMatchObject({ code: 2, stdout: '' });
  });
});
