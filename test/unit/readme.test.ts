import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { PRESETS } from '../../src/config/schema/provider.ts';

const repository = join(import.meta.dirname, '../..');
const read = (file: string): string => readFileSync(join(repository, file), 'utf8');
const manifest = JSON.parse(read('package.json')) as Record<
  'dependencies' | 'devDependencies' | 'scripts',
  Record<string, string>
>;
/** What stands between backticks; a `*` at the end stands for whatever follows. */
const named = [...read('README.md').matchAll(/`([^`\n]+)`/g)].map(([, text = '']) => text);
const isNamed = (what: string): boolean =>
  named.some((text) => text === what || (text.endsWith('*') && what.startsWith(text.slice(0, -1))));

describe('what the README lists is what there is', () => {
  test('every package has its line', () => {
    const packages = Object.keys({ ...manifest.dependencies, ...manifest.devDependencies });
    expect(packages.filter((name) => !isNamed(name) && name !== 'tsc')).toEqual([]);
  });

  test('every command', () => {
    const commands = [...read('src/cli/vestibule.ts').matchAll(/\{\s*name: '([^']+)'/g)].map(([, name]) => name);
    expect(commands).toContain('config check');
    const rows = named.map((text) => text.replace(/^(?:npx vestibule|npm run) /, ''));
    expect(commands.filter((name) => !rows.some((row) => row === name || row.startsWith(`${name} `)))).toEqual([]);
  });

  test('every preset of an external provider, each with an example to copy', () => {
    expect(PRESETS.filter((preset) => !isNamed(preset))).toEqual([]);
    expect(
      PRESETS.filter((preset) => !existsSync(join(repository, `config/providers/${preset}.yaml.disabled`))),
    ).toEqual([]);
  });

  test('every script it names', () => {
    const scripts = named.flatMap((text) => /^npm run ([\w:]+)/.exec(text)?.[1] ?? []);
    expect(scripts).toContain('demo');
    expect(scripts.filter((script) => !(script in manifest.scripts))).toEqual([]);
  });
});
