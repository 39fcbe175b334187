import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { check, ENVIRONMENT, markedLine, server } from './folder.ts';

const redis = (settings: string) => server(`storage:\n  ephemeral:\n    engine: redis\n${settings}`);
const HTTPS = 'issuer: https://login.test\nproxy: { trusted: [127.0.0.1] }\n';

describe('Redis for the ephemeral half', () => {
  test('an address is enough; the rest is as the documentation says', () => {
    const environment = { ...ENVIRONMENT, REDIS: 'rediss://u:p@redis.test:6380/1' };
    const { config, problems, warnings } = check(redis('    url: ${env:REDIS}'), environment);
    expect([problems, warnings]).toEqual([[], []]);
    expect(config?.storage.durable).toMatchObject({ engine: 'sqlite' });
    expect(config?.storage.ephemeral).toEqual({
      engine: 'redis',
      url: environment.REDIS,
      key_prefix: 'vestibule:',
      timeout: 1,
    });
  });

  test('Sentinels and nodes have the usual ports, certificates are relative to the configuration folder', () => {
    const sentinels = '    sentinels: [{ host: a }, { host: b, port: 7 }]\n    sentinel_name: main';
    const watched = check(redis(`${sentinels}\n    tls: { ca: ca.pem, cert: /c.pem, key: k.pem, server_name: s }`));
    expect(watched.problems).toEqual([]);
    expect(watched.config?.storage.ephemeral).toMatchObject({
      sentinels: [
        { host: 'a', port: 26_379 },
        { host: 'b', port: 7 },
      ],
      tls: {
        ca: join(watched.directory, 'ca.pem'),
        cert: '/c.pem',
        key: join(watched.directory, 'k.pem'),
        server_name: 's',
      },
    });
    const cluster = check(redis('    cluster: [{ host: a }]'));
    expect(cluster.config?.storage.ephemeral).toMatchObject({ cluster: [{ host: 'a', port: 6379 }] });
  });

  test.each<[behaviour: string, settings: string, path: string, message: RegExp]>([
    ['an address of another kind', '    url: http://a # !', 'url', /begins with redis:/],
    ['two places', '    url: redis://a\n    cluster: [{ host: a }] # !', 'cluster', /only one of them/],
    ['Sentinels without the name of the master', '    sentinels: [{ host: a }] # !', 'sentinels', /sentinel_name/],
    ['a cluster with a database', '    cluster: [{ host: a }]\n    database: 3 # !', 'database', /one database/],
    ['no nodes', '    cluster: [] # !', 'cluster', /at least 1/],
    ['a key without its certificate', '    url: redis://a\n    tls: { key: k.pem } # !', 'tls', /cert and key/],
    ['braces in the prefix', '    url: redis://a\n    key_prefix: "{x}" # !', 'key_prefix', /without spaces or braces/],
    ['patience without end', '    url: redis://a\n    timeout: 1m # !', 'timeout', /at most 10s/],
    ['a setting of the other engine', '    url: redis://a\n    path: x # !', 'path', /unknown key `path`/],
  ])('%s: refused', (_behaviour, settings, path, message) => {
    const files = redis(settings);
    const line = markedLine(files, 'vestibule.yaml');
    const { problems } = check(files);
    expect(problems).toMatchObject([
      { line, path: `storage.ephemeral.${path}`, message: expect.stringMatching(message) },
    ]);
  });

  test('no place at all: refused', () => {
    expect(check(redis('    timeout: 2s')).problems).toMatchObject([
      { message: expect.stringMatching(/where Redis is/) },
    ]);
  });

  test('it is no home for people', () => {
    const { problems } = check(server('storage:\n  durable: { engine: redis, url: redis://a }'));
    expect(problems.map(({ path }) => path)).toContain('storage.durable.engine');
  });

  test('passwords written into the file are warned of, and shown in no message', () => {
    const settings = `    url: redis://:hush@a\n    password: hush\n`;
    const { problems, warnings } = check({
      'vestibule.yaml': `${HTTPS}master_key: \${env:KEY}\nstorage:\n  ephemeral:\n    engine: redis\n${settings}`,
    });
    expect(problems).toEqual([]);
    const aboutStorage = warnings.map(({ path }) => path).filter((path) => path.startsWith('storage'));
    expect(aboutStorage).toEqual(['storage.ephemeral.url', 'storage.ephemeral.password']);
    expect(JSON.stringify(warnings)).not.toContain('hush');
    const plain = check(server(`${HTTPS}storage:\n  ephemeral: { engine: redis, url: redis://a }`));
    expect(plain.warnings.filter(({ path }) => path.startsWith('storage'))).toEqual([]);
  });
});
