import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { checkConfig } from '../../../src/config/index.ts';
import {
  CLIENT_SECRET,
  check,
  client,
  configFolder,
  ENVIRONMENT,
  ISSUER,
  MASTER_KEY,
  markedLine,
  server,
} from './folder.ts';

const ANOTHER_KEY = Buffer.from('another-key-for-tests-of-32bytes').toString('base64');

describe('a reference', () => {
  test('to an environment variable is resolved', () => {
    const { config } = check(client(''));
    expect(config?.masterKeys).toEqual([MASTER_KEY]);
    expect(config?.clients[0]?.client_secret).toBe(CLIENT_SECRET);
  });

  test('to a file is resolved, relative to the configuration folder, without the newline at its end', () => {
    const { config } = check({
      ...server('master_key: ${file:keys/master}'),
      'keys/master': `${MASTER_KEY}\n`,
      ...client('client_secret: ${file:keys/portal}'),
      'keys/portal': `${CLIENT_SECRET}\r\n`,
    });
    expect(config?.masterKeys).toEqual([MASTER_KEY]);
    expect(config?.clients[0]?.client_secret).toBe(CLIENT_SECRET);
  });

  test('to an absolute file is resolved', () => {
    const elsewhere = configFolder({ key: MASTER_KEY });
    expect(check(server(`master_key: \${file:${elsewhere}/key}`)).config?.masterKeys).toEqual([MASTER_KEY]);
  });

  test('may stand for any text', () => {
    const { config } = check(
      { 'vestibule.yaml': 'issuer: ${env:WHERE}\nmaster_key: ${env:KEY}' },
      { ...ENVIRONMENT, WHERE: 'http://localhost:4000' },
    );
    expect(config?.issuer).toBe('http://localhost:4000');
  });

  test('to a file with several keys, one a line, gives them all, the first first', () => {
    const { config } = check({ ...server('master_key: ${file:keys}'), keys: `${MASTER_KEY}\n\n${ANOTHER_KEY}\n` });
    expect(config?.masterKeys).toEqual([MASTER_KEY, ANOTHER_KEY]);
  });

  test('with one bad key among several says which line', () => {
    const { problems } = check({ ...server('master_key: ${file:keys}'), keys: `${MASTER_KEY}\nshort\n` });
    expect(problems).toMatchObject([
      { path: 'master_key', message: expect.stringMatching(/^line 2 must be 32 random bytes/) },
    ]);
  });
});

describe('a reference is refused', () => {
  test.each<readonly [string, string, RegExp]>([
    ['to a variable that is not set', '${env:MISSING}', /environment variable MISSING is not set/],
    ['to a variable that is empty', '${env:EMPTY}', /environment variable EMPTY is empty/],
    ['to a variable without a name', '${env:}', /names no environment variable/],
    ['to a variable with an impossible name', '${env:a-b}', /names no environment variable/],
    ['to a file that does not exist', '${file:none}', /secret file .*\/none does not exist/],
    ['to a file that is empty', '${file:empty}', /secret file .*\/empty is empty/],
    ['to a file that holds only a newline', '${file:newline}', /secret file .*\/newline is empty/],
    ['to a file that is too large', '${file:large}', /secret file .*\/large is larger than 64 KiB/],
    ['to a folder', '${file:.}', /is not a regular file/],
    ['to a file that is no text', '${file:binary}', /is not UTF-8 text/],
    ['to a file without a name', '${file:}', /names no file/],
    ['with text before it', 'abc${env:SECRET}', /must be the whole value/],
    ['with text behind it', '${file:empty}abc', /must be the whole value/],
    ['within other text', 'a ${env:SECRET} b', /must be the whole value/],
    ['of a kind nobody knows', '${SECRET}', /\$\{env:NAME\} and \$\{file:\/path\}/],
    ['of another kind nobody knows', '${vault:secret}', /\$\{env:NAME\} and \$\{file:\/path\}/],
  ])('%s', (_behaviour, reference, message) => {
    const files = client(`client_secret: "${reference}" # !`);
    const { problems } = check(
      {
        ...files,
        empty: '',
        newline: '\n',
        large: 'x'.repeat(64 * 1024 + 1),
        binary: Buffer.from([0xff, 0xfe, 0x00]),
      },
      { ...ENVIRONMENT, EMPTY: '' },
    );
    expect(problems).toMatchObject([
      {
        line: markedLine(files, 'clients/portal.yaml'),
        path: 'client_secret',
        message: expect.stringMatching(message),
      },
    ]);
    expect(JSON.stringify(problems)).not.toContain('abc');
  });

  test('in a list as well, at its own place', () => {
    const files = client('contacts:\n  - a@portal.test\n  - ${env:MISSING} # !');
    expect(check(files).problems).toMatchObject([
      { line: markedLine(files, 'clients/portal.yaml'), path: 'contacts[1]' },
    ]);
  });
});

describe('a secret is never shown', () => {
  const SECRET = 'S3cr3t-V4lue-Th4t-No-Message-May-Sh0w';
  const bad: readonly (readonly [string, Readonly<Record<string, string | Buffer>>])[] = [
    ['as master key', server('master_key: ${env:SECRET}')],
    ['as literal master key', server(`master_key: ${SECRET}`)],
    ['as issuer', { 'vestibule.yaml': 'issuer: ${env:SECRET}\nmaster_key: ${env:KEY}' }],
    ['as a setting with a choice', server('log: { level: "${env:SECRET}" }')],
    ['as a number', server('listen: { port: "${env:SECRET}" }')],
    ['as an address', client('redirect_uris: ["${env:SECRET}"]')],
    ['as client_id', client('client_id: ${env:SECRET}')],
    ['as user part of an address', client(`redirect_uris: ["https://user:${SECRET}@portal.test/"]`)],
    ['as user part of something no address', client(`redirect_uris: ["https://user:${SECRET}@"]`)],
    ['as a secret that is not used', client(`client_secret: ${SECRET}\ntoken_endpoint_auth_method: none`)],
    ['as a secret with characters it may not have', client(`client_secret: "${SECRET}\\u00e9"`)],
    ['as value of an unknown key', client(`client_secrets: ${SECRET}`)],
    ['as a list', client(`client_secret: [${SECRET}]`)],
    ['as private key', client(`jwks: { keys: [{ kty: oct, k: ${SECRET} }] }`)],
    ['within broken YAML', client(`client_secret: "${SECRET}`)],
    ['as broken YAML', client(`client_secret: @${SECRET}`)],
    ['as an alias', client(`client_secret: *${SECRET}`)],
    ['as a tag', client(`client_secret: !${SECRET} x`)],
    ['in a second document', client(`---\n${SECRET}: x`)],
    ['set twice', client(`client_secret: ${SECRET}\nclient_secret: ${SECRET}`)],
  ];

  test.each(bad)('%s', (_where, files) => {
    const { problems, warnings } = check(files, { ...ENVIRONMENT, SECRET });
    expect(problems.length).toBeGreaterThan(0);
    expect(JSON.stringify([problems, warnings])).not.toContain(SECRET);
  });
});

test('a reference that fails does not hide the other problems of the file', () => {
  const { problems } = check(client('client_secret: ${env:MISSING}\nredirect_uris: [http://portal.test/]\nscope: 5'));
  expect(problems.map(({ path }) => path)).toEqual(['client_secret', 'redirect_uris[0]', 'scope']);
});

describe('the master key', () => {
  test('comes from VESTIBULE_MASTER_KEY when the file has none', () => {
    const { config, warnings } = check({ 'vestibule.yaml': ISSUER }, { VESTIBULE_MASTER_KEY: MASTER_KEY });
    expect(config?.masterKeys).toEqual([MASTER_KEY]);
    expect(warnings).toEqual([]);
  });

  test('of the file wins over the variable', () => {
    const { config } = check({}, { ...ENVIRONMENT, VESTIBULE_MASTER_KEY: ANOTHER_KEY });
    expect(config?.masterKeys).toEqual([MASTER_KEY]);
  });

  test('that is bad in the variable is reported as the variable’s, without showing it', () => {
    const { problems } = check({ 'vestibule.yaml': ISSUER }, { VESTIBULE_MASTER_KEY: 'not-a-key' });
    expect(problems).toMatchObject([{ file: 'environment VESTIBULE_MASTER_KEY', path: 'master_key' }]);
    expect(JSON.stringify(problems)).not.toContain('not-a-key');
  });

  test('that is nowhere: the problem says how to get one', () => {
    const { problems, directory } = check({ 'vestibule.yaml': ISSUER }, {});
    expect(problems).toMatchObject([
      {
        file: `${directory}/vestibule.yaml`,
        line: 1,
        path: 'master_key',
        message: expect.stringContaining('npx vestibule init'),
      },
    ]);
  });
});

test('client files are read where a folder stands beside them, and hidden or disabled ones are left alone', () => {
  const directory = configFolder({
    ...client(''),
    'clients/.hidden.yaml': ':',
    'clients/old.yaml.disabled': ':',
    'clients/README.md': ':',
  });
  mkdirSync(join(directory, 'clients/folder'));
  expect(checkConfig(directory, ENVIRONMENT).config?.clients.map(({ client_id }) => client_id)).toEqual(['portal']);
});
