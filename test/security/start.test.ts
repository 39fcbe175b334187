import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { DEVELOPMENT_MASTER_KEYS } from '../../src/config/index.ts';
import { newMasterKey, type Settings } from '../support/config-folder.ts';
import { startVestibule, type Vestibule } from '../support/vestibule.ts';
import { mutuelle } from './support/people.ts';
import { run, serve } from './support/serve.ts';
import { databasePath, tamper, versionOf } from './support/storage.ts';

const KEY = { VESTIBULE_MASTER_KEY: newMasterKey() };
const SECRET = 'a-secret-that-nobody-has-read-anywhere';

/** Good enough to start, but for one thing a test changes. */
const production: Settings = {
  issuer: 'https://login.example',
  proxy: { trusted: ['127.0.0.1'] },
  listen: { host: '127.0.0.1', port: 0 },
  operations: { host: '127.0.0.1', port: 0 },
};
const portal = {
  client_id: 'portal',
  client_name: 'Portal',
  client_secret: '${env:SECRET}',
  redirect_uris: ['https://portal.example/callback'],
};
const typed = (text: string): string => Buffer.from(text).toString('base64');

type Row = readonly [
  what: string,
  settings: Settings,
  says: RegExp,
  env?: Readonly<Record<string, string>>,
  client?: Settings,
];

const REFUSED: readonly Row[] = [
  ['no master key', {}, /no master key/, { VESTIBULE_MASTER_KEY: '' }],
  ['the published master key', {}, /development secret/, { VESTIBULE_MASTER_KEY: DEVELOPMENT_MASTER_KEYS[0] ?? '' }],
  ['a master key of one letter', {}, /development secret/, { VESTIBULE_MASTER_KEY: typed('a'.repeat(32)) }],
  [
    'a master key that is typed',
    {},
    /development secret/,
    { VESTIBULE_MASTER_KEY: typed('please change-me before the start'.slice(0, 32)) },
  ],
  ['a short master key', {}, /32 random bytes/, { VESTIBULE_MASTER_KEY: typed('short') }],
  ['a master key in a variable that is not set', { master_key: '${env:NOT_SET}' }, /NOT_SET/],
  ['a demo secret', {}, /development secret/, { SECRET: 'portal-demo-secret' }],
  ['a short secret', {}, /at least 16/, { SECRET: 'short' }],
  [
    'a published initial access token',
    { features: { registration: { enabled: true, initial_access_token: 'change-me-change-me-change-me-change-me' } } },
    /development secret/,
  ],
  ['development settings', { development: {} }, /development/],
  ['plain http for everybody', { issuer: 'http://login.example' }, /https/],
  ['nobody to end TLS', { proxy: {} }, /TLS/],
  ['storage in memory', { storage: { ephemeral: { engine: 'memory' } } }, /sqlite/],
  ['a setting nobody knows', { pasword: {} }, /did you mean `passwords`/],
  ['a redirect to plain http', {}, /https/, {}, { redirect_uris: ['http://portal.example/callback'] }],
  ['a redirect to anywhere', {}, /wildcards/, {}, { redirect_uris: ['https://*.portal.example/callback'] }],
  [
    'a public client without PKCE',
    {},
    /public client/,
    {},
    { client_secret: undefined, token_endpoint_auth_method: 'none', vestibule: { require_pkce: false } },
  ],
];

describe('57 development defaults', () => {
  test.each(REFUSED)('%s: no start', async (_what, settings, says, env = {}, client = {}) => {
    const environment = { ...KEY, SECRET, ...env };
    const contents = { settings: { ...production, ...settings }, clients: [{ ...portal, ...client }] };
    const { code, output } = await serve(contents, environment);
    expect([code, output]).toEqual([1, expect.stringMatching(says)]);
    // Said with file and line, without the secret itself and without the inside.
    expect(output).toMatch(/\.yaml:\d+|environment VESTIBULE_MASTER_KEY/);
    for (const secret of [environment.SECRET, environment.VESTIBULE_MASTER_KEY]) {
      if (secret.length > 5) expect(output).not.toContain(secret);
    }
    expect(output).not.toMatch(/\n {4}at |server\.started/);
  });

  test('everything wrong is listed at once', async () => {
    const settings = {
      ...production,
      issuer: 'http://login.example',
      development: {},
      pasword: {},
      limits: { lockout: { tries: 0 } },
    };
    const { code, output } = await serve(
      { settings, clients: [{ ...portal, redirect_uris: ['nowhere'], grant_types: ['magic'] }] },
      { VESTIBULE_MASTER_KEY: 'short', SECRET: 'portal-demo-secret' },
    );
    expect(code).toBe(1);
    for (const says of [
      /issuer/,
      /development/,
      /pasword/,
      /limits\.lockout\.tries/,
      /master_key/,
      /redirect_uris/,
      /grant_types/,
    ]) {
      expect(output).toMatch(says);
    }
    expect(output.match(/\.yaml:\d+/g)?.length).toBeGreaterThanOrEqual(7);
  });

  test('with all of that mended it starts, so the refusals above are for their own reasons', async () => {
    expect(await serve({ settings: production, clients: [portal] }, { ...KEY, SECRET })).toMatchObject({
      code: 'started',
    });
  });
});

describe('57 data that do not fit', () => {
  let vestibule: Vestibule;
  beforeAll(async () => {
    vestibule = await startVestibule({ clients: [mutuelle], env: KEY });
  });
  afterAll(() => vestibule?.stop());

  const refused = async (env: Readonly<Record<string, string>> = KEY): Promise<string> => {
    const { code, output } = await run(vestibule.directory, env);
    expect(code).toBe(1);
    expect(output).not.toMatch(/\n {4}at /);
    return output;
  };

  test('another master key than the keys were sealed with', async () => {
    expect(await refused({ VESTIBULE_MASTER_KEY: newMasterKey() })).toMatch(/can't be opened with this master key/);
  });

  test('a database of a newer version', async () => {
    const version = versionOf(vestibule, 'durable');
    tamper(vestibule, 'durable', 'PRAGMA user_version = 99');
    expect(await refused()).toMatch(/version 99/);
    tamper(vestibule, 'durable', `PRAGMA user_version = ${version}`);
  });

  test('one file for both halves', async () => {
    const path = databasePath(vestibule, 'durable');
    await vestibule.configure({ settings: { storage: { ephemeral: { path } } } });
    expect(await refused()).toMatch(/must be another file/);
    await vestibule.configure({ settings: { storage: { ephemeral: { path: databasePath(vestibule, 'ephemeral') } } } });
  });

  test('ports that somebody uses', async () => {
    expect(await refused()).toMatch(/in use/);
  });
});
