import { mkdirSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { checkConfig } from '../../../src/config/index.ts';
import { check, client, configFolder, ENVIRONMENT, folder, ISSUER, KEY, markedLine, server } from './folder.ts';

describe('YAML is refused, at its line', () => {
  test.each<readonly [string, string, number, RegExp]>([
    ['a quote that is not closed', 'log: { level: "info }', 4, /missing here or above/],
    ['a tab as indentation', 'log:\n\tlevel: info', 4, /spaces, not with tabs/],
    ['two values on one line', 'branding: name: Portal', 3, /second ": "/],
    ['wrong indentation', 'log:\n   level: info\n  x: 1', 5, /not valid YAML|wrong indentation/],
    ['a value that begins with @', 'branding:\n  name: @portal', 4, /quotes/],
    ['a second document', '---\nlog: {}', 3, /second document/],
    ['a key set twice', 'log: {}\nlisten: {}\nlog: {}', 5, /`log` is set twice/],
    ['a key set twice within a section', 'listen:\n  port: 3000\n  port: 3001', 5, /`port` is set twice/],
    ['an anchor', 'log: &log {}', 3, /anchors/],
    ['an alias', 'log: *log', 3, /aliases|not valid/],
    ['a tag of its own', 'log: !mine {}', 3, /tags/],
    ['binary data', 'branding:\n  name: !!binary aGk=', 4, /tags/],
    ['a key that is no text', '[log]: {}', 3, /plain text|not valid/],
  ])('%s', (_behaviour, yaml, line, message) => {
    const { problems, directory } = check(server(yaml));
    expect(problems[0]).toMatchObject({
      file: `${directory}/vestibule.yaml`,
      line,
      message: expect.stringMatching(message),
    });
    expect(problems.every((problem) => (problem.line ?? 0) > 0 && (problem.column ?? 0) > 0)).toBe(true);
  });

  test('another version of YAML, where yes would mean true', () => {
    const { problems } = check({ 'vestibule.yaml': `%YAML 1.1\n---\n${ISSUER}${KEY}` });
    expect(problems).toMatchObject([{ line: 1, message: expect.stringMatching(/1\.2/) }]);
  });

  test('aliases that would grow to billions, without growing', () => {
    const levels = Array.from(
      { length: 30 },
      (_, level) => `a${level}: &a${level} [${level ? `*a${level - 1}, *a${level - 1}` : 'x'}]`,
    );
    const { problems } = check(server(levels.join('\n')));
    expect(problems[0]?.message).toMatch(/anchors|aliases/);
  });

  test('brackets without end, without overflowing', () => {
    const { problems } = check({ 'vestibule.yaml': `x: ${'['.repeat(5_000)}` });
    expect(problems[0]?.file).toMatch(/vestibule\.yaml$/);
  });

  test('a merge key: it is a name like any other, and unknown', () => {
    expect(check(server('"<<": { log: {} }')).problems).toMatchObject([
      { line: 3, message: expect.stringMatching(/unknown key `<<`/) },
    ]);
  });

  test('__proto__, without touching any prototype', () => {
    const { problems } = check(server('__proto__:\n  polluted: true'));
    expect(problems).toMatchObject([{ line: 3, message: expect.stringMatching(/unknown key `__proto__`/) }]);
    expect('polluted' in {}).toBe(false);
  });

  test('an empty file', () => {
    expect(check({ 'vestibule.yaml': '# nothing\n' }).problems).toMatchObject([
      { line: 1, message: 'holds no settings' },
    ]);
  });

  test('a list instead of settings', () => {
    expect(check({ 'vestibule.yaml': '- a\n- b\n' }).problems).toMatchObject([
      { line: 1, path: '', message: expect.stringMatching(/mapping/) },
    ]);
  });
});

test('a duplicate key does not hide the other problems of the file', () => {
  const { problems } = check(server('log: {}\nlog: {}\nlisten:\n  port: no'));
  expect(problems.map(({ line }) => line)).toEqual([4, 6]);
});

describe('what is missing or can’t be read is a problem', () => {
  test('the folder', () => {
    const missing = join(configFolder(), 'none');
    expect(checkConfig(missing, {}).problems).toMatchObject([
      { file: missing, line: 1, message: expect.stringMatching(/does not exist.*npx vestibule init/) },
    ]);
  });

  test('a file instead of the folder', () => {
    const directory = join(configFolder(), 'vestibule.yaml');
    expect(checkConfig(directory, {}).problems).toMatchObject([
      { file: directory, message: expect.stringMatching(/is not a folder/) },
    ]);
  });

  test('vestibule.yaml', () => {
    const directory = folder({ 'clients/.keep': '' });
    expect(checkConfig(directory, ENVIRONMENT).problems).toMatchObject([
      { file: join(directory, 'vestibule.yaml'), line: 1, message: 'does not exist' },
    ]);
  });

  test('the folder of the clients', () => {
    const directory = folder({ 'vestibule.yaml': ISSUER + KEY });
    expect(checkConfig(directory, ENVIRONMENT).problems).toMatchObject([
      {
        file: join(directory, 'clients'),
        line: 1,
        message: expect.stringMatching(/does not exist.*even if it is empty/),
      },
    ]);
  });

  test('a link that leads in a circle', () => {
    const directory = configFolder();
    symlinkSync('loop.yaml', join(directory, 'clients/loop.yaml'));
    expect(checkConfig(directory, ENVIRONMENT).problems).toMatchObject([
      { file: join(directory, 'clients/loop.yaml'), line: 1, message: expect.stringMatching(/can’t be read/) },
    ]);
  });

  test('a folder where a file should be', () => {
    const directory = configFolder();
    rmSync(join(directory, 'vestibule.yaml'));
    mkdirSync(join(directory, 'vestibule.yaml'));
    expect(checkConfig(directory, ENVIRONMENT).problems).toMatchObject([{ line: 1, message: 'is not a regular file' }]);
  });

  test('text in another encoding', () => {
    const { problems } = check({ 'vestibule.yaml': Buffer.from([0x69, 0xe9, 0x0a]) });
    expect(problems).toMatchObject([{ line: 1, message: 'is not UTF-8 text' }]);
  });
});

test('a byte order mark and Windows line ends do no harm', () => {
  expect(check({ 'vestibule.yaml': `\uFEFF${ISSUER}${KEY}`.replaceAll('\n', '\r\n') }).problems).toEqual([]);
});

test('lines are counted right behind Windows line ends', () => {
  const files = client('scope: 5 # !');
  const text = String(files['clients/portal.yaml']).replaceAll('\n', '\r\n');
  expect(check({ 'clients/portal.yaml': text }).problems[0]?.line).toBe(markedLine(files, 'clients/portal.yaml'));
});
