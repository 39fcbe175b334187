import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { check, ENVIRONMENT, markedLine, server } from './folder.ts';

const mongodb = (settings: string) => server(`storage:\n  durable:\n    engine: mongodb\n${settings}`);
const HTTPS = 'issuer: https://login.test\nproxy: { trusted: [127.0.0.1] }\n';

describe('MongoDB for the durable half', () => {
  test('an address is enough; the rest is as the documentation says', () => {
    const environment = { ...ENVIRONMENT, MONGODB: 'mongodb+srv://u:p@mongodb.test/' };
    const { config, problems, warnings } = check(mongodb('    url: ${env:MONGODB}'), environment);
    expect([problems, warnings]).toEqual([[], []]);
    expect(config?.storage.ephemeral).toMatchObject({ engine: 'sqlite' });
    expect(config?.storage.durable).toEqual({
      engine: 'mongodb',
      url: environment.MONGODB,
      database: 'vestibule',
      connections: 50,
      timeout: 1,
    });
  });

  test('certificates are relative to the configuration folder', () => {
    const tls = '    tls: { ca: ca.pem, cert: /c.pem, key: k.pem }';
    const { config, directory } = check(mongodb(`    url: mongodb://a\n${tls}`));
    expect(config?.storage.durable).toMatchObject({
      tls: { ca: join(directory, 'ca.pem'), cert: '/c.pem', key: join(directory, 'k.pem') },
    });
  });

  test.each<[behaviour: string, settings: string, path: string, message: RegExp]>([
    ['an address of another kind', '    url: redis://a # !', 'url', /begins with mongodb:/],
    ['a name MongoDB forbids', '    url: mongodb://a\n    database: a.b # !', 'database', /lower-case letters/],
    ['a database of MongoDB’s own', '    url: mongodb://a\n    database: admin # !', 'database', /another name/],
    ['a key without its certificate', '    url: mongodb://a\n    tls: { key: k.pem } # !', 'tls', /cert and key/],
    ['patience without end', '    url: mongodb://a\n    timeout: 1m # !', 'timeout', /at most 10s/],
    ['a setting of the other engine', '    url: mongodb://a\n    path: x # !', 'path', /unknown key `path`/],
  ])('%s: refused', (_behaviour, settings, path, message) => {
    const files = mongodb(settings);
    const line = markedLine(files, 'vestibule.yaml');
    const { problems } = check(files);
    expect(problems).toMatchObject([
      { line, path: `storage.durable.${path}`, message: expect.stringMatching(message) },
    ]);
  });

  test('a password in clear is warned of, on an address that people use', () => {
    const warningsOf = (url: string) =>
      check(server(`${HTTPS}storage:\n  durable: { engine: mongodb, url: '${url}' }`)).warnings.filter(
        ({ path }) => path === 'storage.durable.url',
      );
    expect(warningsOf('mongodb://u:s3cret@a/')).toMatchObject([{ message: expect.stringMatching(/in clear/) }]);
    expect(JSON.stringify(warningsOf('mongodb://u:s3cret@a/'))).not.toContain('s3cret');
    expect(warningsOf('mongodb://a/')).toEqual([]);
  });
});
