import { describe, expect, test } from '@jest/globals';
import { configDirectory } from '../../../src/config/index.ts';
import { check, ENVIRONMENT, type Files, server } from './folder.ts';

const load = (variables: Record<string, string>, files: Files = {}) => check(files, { ...ENVIRONMENT, ...variables });

describe('the environment', () => {
  test('overrides where the server listens', () => {
    const { config } = load({ HOST: '0.0.0.0', PORT: '8080', OPERATIONS_PORT: '9999' });
    expect(config?.listen).toEqual({ host: '0.0.0.0', port: 8080 });
    expect(config?.operations).toEqual({ host: '127.0.0.1', port: 9999 });
  });

  test('overrides the issuer, which must keep the rules', () => {
    expect(load({ ISSUER: 'http://localhost:8080' }).config?.issuer).toBe('http://localhost:8080');
    expect(load({ ISSUER: 'http://login.test' }).problems).toMatchObject([
      { file: 'environment ISSUER', path: 'issuer', found: '"http://login.test"' },
    ]);
  });

  test('that is empty counts as unset', () => {
    const { config } = load({ HOST: '', PORT: '', ISSUER: '', OPERATIONS_PORT: '' });
    expect(config).toMatchObject({ issuer: 'http://localhost:3000', listen: { host: '127.0.0.1', port: 3000 } });
  });

  test.each(['many', '-1', '70000', '1e3', ' 80', '80.5'])(
    'with the port %j is refused, naming the variable',
    (PORT) => {
      const { problems } = load({ PORT });
      expect(problems).toMatchObject([
        { file: 'environment PORT', path: 'listen.port', message: expect.stringMatching(/0 to 65535/) },
      ]);
      expect(problems[0]).not.toHaveProperty('line');
    },
  );
});

describe('the issuer follows PORT', () => {
  test.each<readonly [string, string, string, string]>([
    ['on localhost', 'issuer: http://localhost:3000', '8080', 'http://localhost:8080'],
    ['on a loopback address', 'issuer: http://127.0.0.1:3000', '8080', 'http://127.0.0.1:8080'],
    ['on the IPv6 loopback address', 'issuer: http://[::1]:3000', '8080', 'http://[::1]:8080'],
    [
      'from the port of the file',
      'issuer: http://localhost:4000\nlisten: { port: 4000 }',
      '8080',
      'http://localhost:8080',
    ],
    [
      'from port 80, which is not written',
      'issuer: http://localhost\nlisten: { port: 80 }',
      '8080',
      'http://localhost:8080',
    ],
    ['to port 80, which is not written', 'issuer: http://localhost:3000', '80', 'http://localhost'],
  ])('%s', (_behaviour, yaml, PORT, issuer) => {
    expect(load({ PORT }, server(yaml)).config?.issuer).toBe(issuer);
  });

  test.each<readonly [string, string, Record<string, string>, string]>([
    ['when it had another port', 'issuer: http://localhost:4000', { PORT: '8080' }, 'http://localhost:4000'],
    [
      'when it is https',
      'issuer: https://login.test\nproxy: { trusted: [10.0.0.1] }',
      { PORT: '8080' },
      'https://login.test',
    ],
    ['when the system picks the port', 'issuer: http://localhost:3000', { PORT: '0' }, 'http://localhost:3000'],
    [
      'when ISSUER says otherwise',
      'issuer: http://localhost:3000',
      { PORT: '8080', ISSUER: 'http://localhost:9000' },
      'http://localhost:9000',
    ],
  ])('but not %s', (_behaviour, yaml, variables, issuer) => {
    expect(load(variables, server(yaml)).config?.issuer).toBe(issuer);
  });
});

test('the configuration folder is VESTIBULE_CONFIG, or config', () => {
  expect(configDirectory({ VESTIBULE_CONFIG: '/etc/vestibule' })).toBe('/etc/vestibule');
  expect(configDirectory({ VESTIBULE_CONFIG: '' })).toBe('config');
  expect(configDirectory({})).toBe('config');
});
