import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { describe, expect, test } from '@jest/globals';

const repository = resolve(import.meta.dirname, '../..');
const find = (pattern: string): readonly string[] => globSync(pattern, { cwd: repository }).toSorted();
const read = (file: string): string => readFileSync(join(repository, file), 'utf8');

const sources = find('src/**/*.ts');
const folders = [...new Set(sources.map(dirname))];
const tests = find('test/**/*.test.ts');

const MAX_LINES = 400;
const HEAD_NOTES = ['README.md', 'index.ts', 'ports.ts'];

// What no tool checks for us; the rules stand in src/README.md and test/README.md.
describe('house rules', () => {
  test('there is something to check', () => {
    expect(sources.length).toBeGreaterThan(20);
    expect(tests).toContain('test/unit/house-rules.test.ts');
  });

  test('only src/config reads the environment, so that `config check` sees every setting', () => {
    expect(sources.filter((file) => !file.startsWith('src/config/') && /\bprocess\.env\b/.test(read(file)))).toEqual(
      [],
    );
  });

  test(`no source file is longer than ${MAX_LINES} lines`, () => {
    expect(sources.filter((file) => read(file).split('\n').length > MAX_LINES + 1)).toEqual([]);
  });

  test('every folder says what lives there: a README.md, or a comment at the head of its index.ts (or ports.ts)', () => {
    expect(folders.filter((folder) => folder !== 'src' && !hasHeadNote(folder))).toEqual([]);
    expect(existsSync(join(repository, 'src/README.md'))).toBe(true);
  });

  test('no test is focused or skipped by hand: what needs a program asks `requires` for it', () => {
    const byHand = /\b(?:describe|test|it)\.(?:only|skip|todo)\b|\b(?:fdescribe|fit|xdescribe|xtest|xit)\(/;
    expect(tests.filter((file) => byHand.test(read(file)))).toEqual([]);
  });
});

function hasHeadNote(folder: string): boolean {
  return HEAD_NOTES.some((name) => {
    const file = join(folder, name);
    return existsSync(join(repository, file)) && (name === 'README.md' || read(file).trimStart().startsWith('/**'));
  });
}
