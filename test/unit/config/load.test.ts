import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { ConfigError, loadConfig } from '../../../src/config/index.ts';
import { OperatorError } from '../../../src/kernel/errors.ts';
import { CLIENT_SECRET, check, client, configFolder, ENVIRONMENT, MASTER_KEY, server } from './folder.ts';

const BROKEN = {
  ...server('lissten: {}\nlisten: { port: no }\nlanguages: { offered: [fr] }\nlog: { level: loud }'),
  ...client(
    'client_name: 5\nredirect_uris: [nowhere, "http://portal.test/"]\nvestibule: { default_language: it }',
    'a',
  ),
  'clients/b.yaml': 'client_id: "b',
  ...client('client_secret: ${env:NONE}\nscopes: x', 'c'),
};

describe('loading', () => {
  test('gives everything the files say, with defaults', () => {
    const directory = configFolder({ ...server('branding: { name: Lemac }'), ...client('', 'b'), ...client('', 'a') });
    const config = loadConfig(directory, ENVIRONMENT);
    expect(config).toMatchObject({
      directory,
      issuer: 'http://localhost:3000',
      listen: { host: '127.0.0.1', port: 3000 },
      masterKeys: [MASTER_KEY],
      branding: { name: 'Lemac' },
      languages: { default: 'en', offered: ['en', 'fr', 'nl', 'de', 'it'] },
      clients: [
        { client_id: 'a', client_secret: CLIENT_SECRET, token_endpoint_auth_method: 'client_secret_basic' },
        { client_id: 'b', vestibule: { require_pkce: true, first_party: false } },
      ],
    });
    expect(config).not.toHaveProperty('master_key');
    expect(config).not.toHaveProperty('development');
  });

  test('makes every path absolute, relative to the configuration folder', () => {
    const directory = configFolder({
      ...server(
        'storage: { durable: { engine: sqlite, path: /var/lib/durable.db } }\nbranding: { overlay: mine, theme: { logo: mine/a.svg } }',
      ),
      ...client('vestibule: { theme: { logo: mine/a.svg } }'),
      'mine/a.svg': '<svg xmlns="http://www.w3.org/2000/svg"/>',
    });
    const config = loadConfig(directory, ENVIRONMENT);
    expect(config.storage.durable).toEqual({ engine: 'sqlite', path: '/var/lib/durable.db' });
    expect(config.storage.ephemeral).toEqual({ engine: 'sqlite', path: join(directory, '../data/ephemeral.db') });
    expect(config.branding.overlay).toBe(join(directory, 'mine'));
    expect(config.branding.theme.logo).toBe(join(directory, 'mine/a.svg'));
    expect(config.clients[0]?.vestibule.theme.logo).toBe(join(directory, 'mine/a.svg'));
  });

  test('freezes the result to its depths', () => {
    const config = loadConfig(configFolder(client('')), ENVIRONMENT);
    const thawed: string[] = [];
    const visit = (value: unknown, path: string) => {
      if (typeof value !== 'object' || value === null) return;
      if (!Object.isFrozen(value)) thawed.push(path);
      for (const [key, inner] of Object.entries(value)) visit(inner, `${path}.${key}`);
    };
    visit(config, 'config');
    expect(thawed).toEqual([]);
  });

  test('works from a relative folder as well', () => {
    const directory = configFolder();
    const relative = join('..', '..', '..', '..', '..', '..', '..', '..', directory);
    expect(loadConfig(relative, ENVIRONMENT).directory).toBe(directory);
  });
});

describe('a configuration with problems', () => {
  test('is refused with every problem of every file at once, in file order', () => {
    const { problems, directory, config } = check(BROKEN);
    expect(config).toBeUndefined();
    expect(problems.map(({ file, path }) => `${file.slice(directory.length + 1)} ${path}`)).toEqual([
      'vestibule.yaml lissten',
      'vestibule.yaml listen.port',
      'vestibule.yaml languages.default',
      'vestibule.yaml log.level',
      'clients/a.yaml client_name',
      'clients/a.yaml redirect_uris[0]',
      'clients/a.yaml redirect_uris[1]',
      'clients/a.yaml vestibule.default_language',
      'clients/b.yaml ',
      'clients/c.yaml client_secret',
      'clients/c.yaml scopes',
    ]);
  });

  test('throws them as one error that an operator can read', () => {
    const directory = configFolder(BROKEN);
    const error = (() => {
      try {
        return loadConfig(directory, ENVIRONMENT);
      } catch (thrown) {
        return thrown;
      }
    })();
    expect(error).toBeInstanceOf(ConfigError);
    expect(error).toBeInstanceOf(OperatorError);
    const { message, problems } = error as ConfigError;
    expect(problems).toHaveLength(11);
    expect(message).toContain('has 11 problems:');
    expect(message).toContain(
      `${directory}/vestibule.yaml:3:1  lissten  unknown key \`lissten\`; did you mean \`listen\`?`,
    );
    expect(message).toContain(
      `${directory}/vestibule.yaml:4:17  listen.port  must be a whole number from 0 to 65535 (found "no")`,
    );
  });

  test('gets no second problem for what only follows from the first', () => {
    // The issuer is unusable, so nothing is said about TLS; the list item, so the others keep their numbers.
    expect(check({ 'vestibule.yaml': 'issuer: 5\nmaster_key: ${env:KEY}\ndevelopment: {}' }).problems).toMatchObject([
      { path: 'issuer' },
    ]);
    const { problems } = check(client('redirect_uris: [https://a.test/, 5, https://b.test/, "http://c.test/"]'));
    expect(problems.map(({ path }) => path)).toEqual(['redirect_uris[1]', 'redirect_uris[3]']);
    const keys = 'jwks: { keys: [{ use: sig }, { kty: oct, k: x }, 5, { kty: RSA, d: x }, { kty: 5 }] }';
    const several = check(
      client(`contacts: [a, a@b.test, b]\n${keys}\npost_logout_redirect_uris: [5, "http://a.test/"]`),
    );
    expect(several.problems.map(({ path }) => path)).toEqual([
      'contacts[0]',
      'contacts[2]',
      'jwks.keys[0].kty',
      'jwks.keys[1]',
      'jwks.keys[2]',
      'jwks.keys[3]',
      'jwks.keys[4].kty',
      'post_logout_redirect_uris[0]',
      'post_logout_redirect_uris[1]',
    ]);
    expect(check(client('redirect_uris: [5]')).problems.map(({ path }) => path)).toEqual(['redirect_uris[0]']);
    expect(
      check(client('token_endpoint_auth_method: basic\n#client_secret: x')).problems.map(({ path }) => path),
    ).toEqual(['token_endpoint_auth_method']);
  });

  test('has its client files checked even when vestibule.yaml can’t be read', () => {
    const { problems } = check({ 'vestibule.yaml': ':\n:', ...client('scope: 5\nresponse_types: ["id_token"]') });
    expect(problems.map(({ path }) => path)).toEqual(expect.arrayContaining(['scope', 'grant_types']));
  });
});
