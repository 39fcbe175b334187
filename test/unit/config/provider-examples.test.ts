import { globSync, readFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { checkConfig } from '../../../src/config/index.ts';
import { PRESETS } from '../../../src/config/schema/provider.ts';
import { checkProvider } from '../../../src/federation/presets/index.ts';
import { client, configFolder, ENVIRONMENT } from './folder.ts';

const FOLDER = resolve(import.meta.dirname, '../../../config/providers');
const SUFFIX = '.yaml.disabled';
const EXAMPLES = globSync(`*${SUFFIX}`, { cwd: FOLDER }).map((name) => basename(name, SUFFIX));
const read = (name: string): string => readFileSync(join(FOLDER, `${name}${SUFFIX}`), 'utf8');

/** Takes the # off every setting; a # followed by one space begins a sentence. */
const withDefaults = (text: string): string => text.replace(/^#(?! \S|$)/gm, '');

function check(name: string, text: string): ReturnType<typeof checkConfig> {
  const directory = configFolder({
    ...client(''),
    'config/.keep': '',
    'eid.svg': '<svg xmlns="http://www.w3.org/2000/svg"/>',
    [`providers/${name}.yaml`]: text.replace('../secrets/apple.p8', 'apple.p8'),
    'apple.p8': '-----BEGIN PRIVATE KEY-----\nMIGHAgEAMBMG\n-----END PRIVATE KEY-----\n',
  });
  const secrets = Object.fromEntries(
    [...text.matchAll(/\$\{env:(\w+)\}/g)].map(([, variable]) => [variable, 'a'.repeat(40)]),
  );
  return checkConfig(directory, { ...ENVIRONMENT, ...secrets }, checkProvider);
}

test('every preset has an example, and no example is in use', () => {
  expect(EXAMPLES.toSorted()).toEqual([...PRESETS].toSorted());
  expect(globSync('*.yaml', { cwd: FOLDER })).toEqual([]);
});

describe.each(EXAMPLES)('the example of %s', (name) => {
  test('names its schema for editors, and its preset', () => {
    expect(read(name).split('\n')[0]).toBe('# yaml-language-server: $schema=../schemas/provider.schema.json');
    expect(read(name)).toMatch(new RegExp(`^preset: ${name}$`, 'm'));
  });

  test('works as it stands', () => {
    const { problems, warnings, config } = check(name, read(name));
    expect([problems, warnings]).toEqual([[], []]);
    expect(config?.providers.map(({ id }) => id)).toEqual([name]);
  });
});

test('the one for any provider shows every setting, each as it may be written', () => {
  const text = withDefaults(read('generic'));
  const foreign = ['environment', 'service', 'tenant', 'team_id', 'key_id', 'private_key', 'national_number'];
  const schema = JSON.parse(readFileSync(join(FOLDER, '../schemas/provider.schema.json'), 'utf8')) as {
    properties: Record<string, unknown>;
  };
  const settings = Object.keys(schema.properties).filter((name) => !foreign.includes(name));
  expect(settings.filter((name) => !new RegExp(`^${name}:`, 'm').test(text) && name !== 'discovery_url')).toEqual([]);
  expect(text).toContain('discovery_url');
  // Three settings are for keys, and can't stand beside a secret.
  const usable = text.replace(/^(token_endpoint_auth_signing_alg|client_assertion_audience): .*$/gm, '');
  expect(check('generic', usable).problems).toEqual([]);
});
