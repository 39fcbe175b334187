import { describe, expect, test } from '@jest/globals';
import { check, ENVIRONMENT, markedLine, server } from './folder.ts';

const MONGODB = '{ engine: mongodb, url: "${env:MONGODB}" }';
const REDIS = '{ engine: redis, url: "${env:REDIS}" }';
const SQLITE = '{ engine: sqlite, path: x.db }';
const environment = { ...ENVIRONMENT, MONGODB: 'mongodb://m.test/?replicaSet=rs0', REDIS: 'redis://r.test' };
const configured = (durable: string, ephemeral: string, cluster = 'cluster: true # !') =>
  server(`${cluster}\nstorage:\n  durable: ${durable}\n  ephemeral: ${ephemeral}`);

describe('cluster: true', () => {
  test('several nodes share MongoDB and Redis', () => {
    const { config, problems, warnings } = check(configured(MONGODB, REDIS), environment);
    expect([problems, warnings]).toEqual([[], []]);
    expect(config?.cluster).toBe(true);
  });

  test.each<[behaviour: string, durable: string, ephemeral: string, path: string, message: RegExp]>([
    ['people in a file', `${SQLITE} # !`, REDIS, 'durable', /must be mongodb .* changes their password/],
    ['sign-ins in a file', MONGODB, `${SQLITE} # !`, 'ephemeral', /must be redis .* unknown at the next/],
  ])('%s: refused, with the reason', (_behaviour, durable, ephemeral, half, message) => {
    const files = configured(durable, ephemeral, 'cluster: true');
    const line = markedLine(files, 'vestibule.yaml');
    expect(check(files, environment).problems).toMatchObject([
      { line, path: `storage.${half}.engine`, message: expect.stringMatching(message) },
    ]);
  });

  test('nothing said of storage: refused for both halves', () => {
    const { problems } = check(server('cluster: true'), environment);
    expect(problems.map(({ path }) => path).toSorted()).toEqual(['storage.durable.engine', 'storage.ephemeral.engine']);
  });

  test.each(['cluster: false', ''])('a single node may have any mix (%p)', (cluster) => {
    for (const [durable, ephemeral] of [
      [SQLITE, REDIS],
      [MONGODB, SQLITE],
      [SQLITE, '{ engine: sqlite, path: y.db }'],
    ] as const)
      expect(check(configured(durable, ephemeral, cluster), environment).problems).toEqual([]);
  });
});
