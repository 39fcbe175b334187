import { randomBytes } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { temporaryFolder, vestibule } from './program.ts';

const VESTIBULE_MASTER_KEY = randomBytes(32).toString('base64');

function config(files: Readonly<Record<string, string>>): string {
  const directory = temporaryFolder();
  mkdirSync(join(directory, 'clients'));
  for (const [name, text] of Object.entries({ 'vestibule.yaml': 'issuer: http://localhost:3000\n', ...files })) {
    writeFileSync(join(directory, name), text);
  }
  return directory;
}

const CLIENT =
  'client_id: portal\nclient_name: Portal\nclient_secret: 5e884898da28047151d0\nredirect_uris: [https://portal.test/cb]\n';

describe('config check', () => {
  test('prints every problem and warning with file, line, column, setting and sentence, and exits 1', async () => {
    const directory = config({
      'vestibule.yaml': 'issuer: http://login.test\nlissten: {}\n',
      'clients/portal.yaml': CLIENT,
    });
    const { code, stdout, stderr } = await vestibule(['config', 'check', directory], { VESTIBULE_MASTER_KEY });
    expect({ code, stderr }).toEqual({ code: 1, stderr: '' });
    const lines = stdout.trimEnd().split('\n');
    expect(lines).toEqual([
      expect.stringMatching(`^${directory}/vestibule\\.yaml:1:9  issuer  must begin with https`),
      `${directory}/vestibule.yaml:2:1  lissten  unknown key \`lissten\`; did you mean \`listen\`?`,
      expect.stringMatching(
        `^warning: ${directory}/clients/portal\\.yaml:3:16  client_secret  stands in the file in clear`,
      ),
      `${directory}: 2 problems, 1 warning`,
    ]);
  });

  test('exits 0 when there are only warnings', async () => {
    const directory = config({ 'clients/portal.yaml': CLIENT });
    const { code, stdout } = await vestibule(['config', 'check', '--config', directory], { VESTIBULE_MASTER_KEY });
    expect(code).toBe(0);
    expect(stdout).toContain(`${directory}: no problems, 1 warning, 1 client\n`);
  });

  test('finds the folder by VESTIBULE_CONFIG, or in the current one', async () => {
    const directory = config({});
    const env = { VESTIBULE_MASTER_KEY, VESTIBULE_CONFIG: directory };
    expect(await vestibule(['config', 'check'], env)).toMatchObject({
      code: 0,
      stdout: expect.stringContaining(directory),
    });
    const cwd = temporaryFolder();
    expect(await vestibule(['config', 'check'], { VESTIBULE_MASTER_KEY }, cwd)).toMatchObject({
      code: 1,
      stdout: expect.stringMatching(/^config:1:1 {2}does not exist/),
    });
  });

  test('prints JSON for scripts', async () => {
    const directory = config({ 'vestibule.yaml': 'issuer: http://localhost:3000\nlog: { level: loud }\n' });
    const { code, stdout } = await vestibule(['config', 'check', directory, '--json'], { VESTIBULE_MASTER_KEY });
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toEqual({
      valid: false,
      directory,
      problems: [
        {
          file: join(directory, 'vestibule.yaml'),
          line: 2,
          column: 15,
          path: 'log.level',
          message: 'must be one of "trace", "debug", "info", "warn", "error"',
          found: '"loud"',
        },
      ],
      warnings: [],
    });
  });
});

describe('config schema', () => {
  test('writes what --check then accepts, and --check refuses what is missing or stale', async () => {
    const directory = config({});
    const check = () => vestibule(['config', 'schema', '--check', '--config', directory]);
    expect(await check()).toMatchObject({ code: 1, stdout: expect.stringContaining('vestibule.schema.json') });
    expect(await vestibule(['config', 'schema', '--config', directory])).toMatchObject({ code: 0, stderr: '' });
    expect(await check()).toEqual({ code: 0, stdout: '', stderr: '' });
    writeFileSync(join(directory, 'schemas/client.schema.json'), '{}');
    const { code, stdout } = await check();
    expect(code).toBe(1);
    expect(stdout).toContain('client.schema.json');
    expect(stdout).not.toContain('vestibule.schema.json');
  });

  test('finds those of this repository current', async () => {
    expect(await vestibule(['config', 'schema', '--check'])).toEqual({ code: 0, stdout: '', stderr: '' });
  });

  test('refuses a folder that does not exist', async () => {
    expect(await vestibule(['config', 'schema', '--config', '/nowhere'])).toMatchObject({ code: 1, stdout: '' });
  });
});
