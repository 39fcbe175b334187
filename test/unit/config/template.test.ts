import { globSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { checkConfig, jsonSchemaFiles } from '../../../src/config/index.ts';
import { serverSchema } from '../../../src/config/schema/server.ts';
import { check, ENVIRONMENT, MASTER_KEY } from './folder.ts';

const CONFIG = resolve(import.meta.dirname, '../../../config');
const read = (name: string): string => readFileSync(join(CONFIG, name), 'utf8');

/** Takes the # off every setting; a # followed by one space begins a sentence. */
const withDefaults = (text: string): string => text.replace(/^#(?! \S|$)/gm, '');

describe('the template in config/', () => {
  test('names its schema for editors, in the first line', () => {
    expect(read('vestibule.yaml').split('\n')[0]).toBe('# yaml-language-server: $schema=schemas/vestibule.schema.json');
    expect(read('clients/example.yaml.disabled').split('\n')[0]).toBe(
      '# yaml-language-server: $schema=../schemas/client.schema.json',
    );
  });

  test('does not start without a master key, and that is all it lacks', () => {
    const { problems, warnings } = checkConfig(CONFIG, {});
    expect(problems).toMatchObject([{ path: 'master_key', message: expect.stringContaining('npx vestibule init') }]);
    expect(warnings).toEqual([]);
  });

  test('loads with one', () => {
    const { config, problems } = checkConfig(CONFIG, { VESTIBULE_MASTER_KEY: MASTER_KEY });
    expect(problems).toEqual([]);
    expect(config?.issuer).toBe('http://localhost:3000');
  });

  test('shows the true defaults in its comments', () => {
    const commented = withDefaults(read('vestibule.yaml')).replace(/^master_key: .*$/m, 'master_key: ${env:KEY}');
    const shown = check({ 'vestibule.yaml': commented }).config;
    const plain = check({}).config;
    expect(shown).toBeDefined();
    const where = { directory: '', storage: {}, masterKeys: [] };
    expect({ ...shown, ...where }).toEqual({ ...plain, ...where });
  });

  test('shows every section there is', () => {
    const text = withDefaults(read('vestibule.yaml'));
    // `development` is for the demo and refused in production; `mail` and `sms` have no default to show.
    const sections = Object.keys(serverSchema.shape).filter((name) => !['development', 'mail', 'sms'].includes(name));
    expect(sections.filter((name) => !new RegExp(`^${name}:`, 'm').test(text))).toEqual([]);
    expect(text).toMatch(/^# mail: \{/m);
    expect(text).toMatch(/^# sms: \{/m);
  });

  test('holds no client of its own, but an example that works as it stands', () => {
    expect(globSync('clients/*.yaml', { cwd: CONFIG })).toEqual([]);
    const example = read('clients/example.yaml.disabled');
    for (const text of [example, withDefaults(example)]) {
      const { problems, warnings } = check(
        { 'clients/portal.yaml': text },
        { ...ENVIRONMENT, PORTAL_CLIENT_SECRET: 'a'.repeat(32) },
      );
      expect(problems).toEqual([]);
      expect(warnings).toEqual([]);
    }
  });
});

describe('the JSON Schemas in config/schemas/', () => {
  test('are those generated from the code (npx vestibule config schema)', () => {
    for (const [name, text] of jsonSchemaFiles()) expect(read(`schemas/${name}`)).toBe(text);
    expect(globSync('schemas/*', { cwd: CONFIG }).toSorted()).toEqual(
      [...jsonSchemaFiles().keys()].map((name) => join('schemas', name)).toSorted(),
    );
  });

  test('keep descriptions and defaults, and refuse unknown settings', () => {
    const schema = JSON.parse(read('schemas/vestibule.schema.json')) as Record<string, never>;
    expect(schema).toMatchObject({
      additionalProperties: false,
      required: ['issuer'],
      properties: {
        listen: { properties: { port: { default: 3000, maximum: 65_535, description: expect.any(String) } } },
        lifetimes: { properties: { session: { default: '8h', description: 'Single sign-on session' } } },
      },
    });
  });

  test('accept a reference where the value itself has a shape, and mark what is secret', () => {
    const schema = JSON.parse(read('schemas/client.schema.json')) as { properties: Record<string, object> };
    expect(schema.properties.client_secret).toMatchObject({
      writeOnly: true,
      anyOf: [{ pattern: expect.stringContaining('env|file') }, { minLength: 16 }],
    });
  });

  test('every setting with a name of its own has a description', () => {
    const missing: string[] = [];
    const visit = (node: { properties?: Record<string, never>; description?: string }, path: string) => {
      for (const [name, child] of Object.entries(node.properties ?? {})) {
        if (!(child as { description?: string }).description) missing.push(`${path}${name}`);
        visit(child, `${path}${name}.`);
      }
    };
    for (const text of jsonSchemaFiles().values()) visit(JSON.parse(text), '');
    expect(missing).toEqual([]);
  });
});
