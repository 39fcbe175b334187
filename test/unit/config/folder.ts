import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, expect } from '@jest/globals';
import { type Checked, checkConfig, type Environment, type Problem } from '../../../src/config/index.ts';

export const MASTER_KEY = randomBytes(32).toString('base64');
export const CLIENT_SECRET = 'b8c1d7e1f0934c5d9a61';
/** Variables the files below refer to. */
export const ENVIRONMENT: Environment = { KEY: MASTER_KEY, SECRET: CLIENT_SECRET };

export const ISSUER = 'issuer: http://localhost:3000\n';
export const KEY = 'master_key: ${env:KEY}\n';

const made: string[] = [];
afterAll(() => {
  for (const folder of made.splice(0)) rmSync(folder, { recursive: true, force: true });
});

/** A temporary folder holding these files, removed after the tests of the file. */
export function folder(files: Readonly<Record<string, string | Buffer>>): string {
  const directory = mkdtempSync(join(tmpdir(), 'vestibule-config-'));
  made.push(directory);
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(directory, name)), { recursive: true });
    writeFileSync(join(directory, name), content);
  }
  return directory;
}

export type Files = Readonly<Record<string, string | Buffer>>;

/** A configuration folder: what isn't given is a valid minimum. */
export function configFolder(files: Files = {}): string {
  return folder({ 'vestibule.yaml': ISSUER + KEY, 'clients/.keep': '', ...files });
}

export function check(files: Files, environment: Environment = ENVIRONMENT): Checked & { directory: string } {
  const directory = configFolder(files);
  return { ...checkConfig(directory, environment), directory };
}

/** The settings given on top of the valid minimum; one that gives an issuer or a key of its own replaces it. */
export const server = (yaml: string): Files => ({
  'vestibule.yaml': `${yaml.includes('issuer:') ? '' : ISSUER}${yaml.includes('master_key:') ? '' : KEY}${yaml}\n`,
});

/** A client file that is valid without `yaml`; a setting given there replaces the one of the minimum. */
export function client(yaml: string, name = 'portal'): Files {
  const minimum: Record<string, string> = {
    client_id: name,
    client_name: 'Portal',
    client_secret: '${env:SECRET}',
    redirect_uris: '[https://portal.test/callback]',
  };
  const given = (key: string) => new RegExp(`^#?${key}:`, 'm').test(yaml);
  const rest = Object.entries(minimum).filter(([key]) => !given(key));
  return { [`clients/${name}.yaml`]: `${rest.map(([key, value]) => `${key}: ${value}\n`).join('')}${yaml}\n` };
}

/** Line of a file marked with `# !` at its end: where the problem must be reported. */
export function markedLine(files: Files, name: string): number {
  const line = String(files[name])
    .split('\n')
    .findIndex((text) => text.endsWith('# !'));
  if (line < 0) throw new Error(`no line of ${name} is marked`);
  return line + 1;
}

/** `line path message` of each problem in one file, for comparing. */
export const inFile = (problems: readonly Problem[], directory: string, name: string): Problem[] =>
  problems.filter(({ file }) => file === join(directory, name));

/** What is wrong in `clients/portal.yaml`, on the line marked `# !`; and settings of the server. */
export type ClientRow = readonly [behaviour: string, yaml: string, path: string, message: RegExp, serverYaml?: string];

/** Expects the client file to have this problem and no other, on its marked line. */
export function expectOneClientProblem(yaml: string, path: string, message: RegExp, serverYaml: string): void {
  const files = { ...server(serverYaml), ...client(yaml) };
  const { problems, config, directory } = check(files);
  // What is missing is reported at the head of the file.
  const line = /is missing/.test(message.source) ? 1 : markedLine(files, 'clients/portal.yaml');
  const file = join(directory, 'clients/portal.yaml');
  expect(problems).toMatchObject([{ file, line, path, message: expect.stringMatching(message) }]);
  expect(config).toBeUndefined();
}
