import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { type Checked, checkConfig, loadConfig } from '../../../src/config/index.ts';
import { checkProvider } from '../../../src/federation/presets/index.ts';
import { client, configFolder, ENVIRONMENT, type Files, inFile, markedLine, server } from './folder.ts';

const PEM = '-----BEGIN PRIVATE KEY-----\nMIGHAgEAMBMG\n-----END PRIVATE KEY-----\n';
const MINIMUM: Record<string, string> = {
  preset: 'generic',
  name: 'eID',
  issuer: 'https://eid.test',
  client_id: 'us',
  client_secret: '${env:SECRET}',
};

/** A provider file that is valid without `yaml`; a setting given there replaces the one of the minimum. */
function provider(yaml = '', name = 'eid'): Files {
  const rest = Object.entries(MINIMUM).filter(([key]) => !new RegExp(`^#?${key}:`, 'm').test(yaml));
  return { [`providers/${name}.yaml`]: `${rest.map(([key, value]) => `${key}: ${value}\n`).join('')}${yaml}\n` };
}

function check(files: Files): Checked & { readonly directory: string } {
  const directory = configFolder(files);
  return { ...checkConfig(directory, { ...ENVIRONMENT, PEM }, checkProvider), directory };
}

describe('the folder of the providers', () => {
  test('may be missing: there are none', () => {
    expect(check({}).config?.providers).toEqual([]);
  });

  test('gives every file with its defaults, in the order of the buttons', () => {
    const logo = 'logos/eid.svg';
    const { config, problems, warnings, directory } = check({
      ...provider('', 'b'),
      ...provider('order: 5\nenabled: false', 'c'),
      ...provider(`logo: ${logo}`, 'a'),
      [logo]: '<svg xmlns="http://www.w3.org/2000/svg"/>',
      'providers/other.yaml.disabled': 'nonsense',
    });
    expect([problems, warnings]).toEqual([[], []]);
    expect(config?.providers.map(({ id }) => id)).toEqual(['c', 'a', 'b']);
    expect(config?.providers[1]).toMatchObject({
      id: 'a',
      preset: 'generic',
      enabled: true,
      order: 100,
      client_secret: ENVIRONMENT.SECRET,
      logo: join(directory, logo),
      link: { create_accounts: false, automatic_by_email: false },
      release: {},
    });
    expect(Object.isFrozen(config?.providers[0]?.link)).toBe(true);
  });

  test('is judged in itself where nobody passes in what presets know', () => {
    const directory = configFolder(provider('preset: itsme\n#issuer: none\n#client_secret: none'));
    expect(loadConfig(directory, ENVIRONMENT).providers).toHaveLength(1);
    expect(() => loadConfig(directory, ENVIRONMENT, checkProvider)).toThrow(/service {2}is missing/);
  });

  test.each(['Itsme.yaml', 'it_sme.yaml', '-itsme.yaml', `${'x'.repeat(41)}.yaml`])('refuses the name %s', (name) => {
    const { problems, directory } = check(provider('', name.slice(0, -5)));
    expect(problems).toMatchObject([
      { file: join(directory, 'providers', name), line: 1, message: expect.stringMatching(/small letters/) },
    ]);
  });

  test('says that .yml is not read', () => {
    expect(check({ 'providers/eid.yml': 'preset: google' }).problems).toMatchObject([
      { message: expect.stringMatching(/eid\.yaml/) },
    ]);
  });
});

/** On the line marked `# !`; what is missing at the head of the file. */
const REFUSED: readonly (readonly [string, string, string, RegExp])[] = [
  ['a preset nobody knows', 'preset: itsmee # !', 'preset', /one of "itsme"/],
  ['a misspelt setting', 'clientid: x # !', 'clientid', /did you mean `client_id`/],
  [
    'a setting in the wrong section',
    'create_accounts: true # !',
    'create_accounts',
    /did you mean `link\.create_accounts`/,
  ],
  ['plain http', 'issuer: http://eid.test # !', 'issuer', /must begin with https/],
  ['an issuer with a query', 'issuer: https://eid.test/?a=b # !', 'issuer', /no query/],
  ['a place of metadata over http', 'discovery_url: http://eid.test/x # !', 'discovery_url', /must begin with https/],
  ['no openid', 'scope: profile # !', 'scope', /must contain openid/],
  ['a state of its own', 'parameters:\n  state: x # !', 'parameters.state', /is set by the server/],
  [
    'a request without PKCE',
    'parameters:\n  code_challenge_method: plain # !',
    'parameters.code_challenge_method',
    /is set by the server/,
  ],
  [
    'a level in the nonce',
    'asks_level_by:\n  by: parameter\n  name: nonce # !\n  value: "{{level}}"',
    'asks_level_by.name',
    /is set by the server/,
  ],
  [
    'a level nobody asks for',
    'asks_level_by:\n  by: parameter\n  name: loa\n  value: high # !',
    'asks_level_by.value',
    /\{\{level\}\}/,
  ],
  ['a token nobody signs', 'id_token:\n  signed_with: [none] # !', 'id_token.signed_with[0]', /one of "RS256"/],
  ['tokens without a signature', 'id_token: { signed_with: [] } # !', 'id_token.signed_with', /at least 1/],
  [
    'a weak encryption',
    'id_token: { signed_with: [RS256], encrypted_with: { alg: [RSA1_5], enc: [A256GCM] } } # !',
    'id_token.encrypted_with.alg[0]',
    /one of "RSA-OAEP-256"/,
  ],
  [
    'no authentication',
    'token_endpoint_auth_method: none # !',
    'token_endpoint_auth_method',
    /one of "private_key_jwt"/,
  ],
  ['a level nobody has', 'levels:\n  - { upstream: high, acr: phrr } # !', 'levels[0].acr', /did you mean phr\?/],
  [
    'a level named twice',
    'levels:\n  - { upstream: a, acr: phr }\n  - { upstream: a, acr: phrh } # !',
    'levels[1].upstream',
    /named twice/,
  ],
  [
    'a default nobody has',
    'default_acr: http://eidas.europa.eu/LoA/medium # !',
    'default_acr',
    /is none of assurance\.levels/,
  ],
  ['people known by their mail', 'subject:\n  - path: email # !', 'subject[0].path', /pass to other people/],
  ['a client that does not exist', 'clients: [portall] # !', 'clients[0]', /did you mean portal\?/],
  [
    'claims for a client that does not exist',
    'release:\n  portall: [name] # !',
    'release.portall',
    /did you mean portal\?/,
  ],
  ['claims nobody takes', 'release:\n  portal: [nam] # !', 'release.portal[0]', /did you mean name\?/],
  [
    'somebody else’s address for the account’s',
    'release:\n  portal: [name, email] # !',
    'release.portal[1]',
    /must not be released: this server says it itself\. Take it off the list, or map theirs to a name of its own/,
  ],
  [
    'a sign-in of its own',
    'release: { portal: [sub] } # !\nmapping: { sub: id }',
    'release.portal[0]',
    /must not be released/,
  ],
  ['a picture that is not there', 'logo: none.svg # !', 'logo', /does not exist/],
  ['a clock that is off by an hour', 'clock_tolerance: 1h # !', 'clock_tolerance', /at most five minutes/],
  ['a secret that is not there', 'client_secret: ${env:NONE} # !', 'client_secret', /NONE is not set/],
  ['a tenant that is no directory', 'preset: microsoft\ntenant: common # !', 'tenant', /GUID/],
  ['what the preset can not know', 'preset: microsoft\n#issuer: none', 'tenant', /is missing: the directory/],
];

describe('a provider file is refused, at its line, with nothing else said', () => {
  test.each(REFUSED)('for %s', (_behaviour, yaml, path, message) => {
    const files = { ...client(''), ...provider(yaml) };
    const { problems, config, directory } = check(files);
    const line = yaml.includes('# !') ? markedLine(files, 'providers/eid.yaml') : 1;
    const file = join(directory, 'providers/eid.yaml');
    expect(problems).toMatchObject([{ file, line, path, message: expect.stringMatching(message) }]);
    expect(config).toBeUndefined();
  });

  test('with the problems of the preset among its own, in the order of the file', () => {
    const yaml =
      'preset: agov\n#issuer: none\nlevels: 5\nsubject: [{ path: email }]\nlink: { automatic_by_email: perhaps }';
    const { problems, directory } = check(provider(yaml));
    expect(inFile(problems, directory, 'providers/eid.yaml').map(({ path }) => path)).toEqual([
      'issuer',
      'levels',
      'subject[0].path',
      'link.automatic_by_email',
    ]);
  });

  test('for each of several at once, after those of the clients', () => {
    const { problems } = check({ ...client('scope: 5'), ...provider('scope: a', 'a'), ...provider('scope: b', 'b') });
    expect(problems.map(({ file }) => file.split('/').at(-1))).toEqual(['portal.yaml', 'a.yaml', 'b.yaml']);
  });
});

describe('an eID may be worth', () => {
  test.each(['phr', 'http://eidas.europa.eu/LoA/low', 'http://eidas.europa.eu/LoA/high'])('%s', (acr) => {
    expect(check(provider(`levels: [{ upstream: a, acr: "${acr}" }]`)).problems).toEqual([]);
  });

  test('a level of the server’s own', () => {
    const levels = server('assurance: { levels: [{ acr: mine, requires: one_factor }] }');
    expect(check({ ...levels, ...provider('default_acr: mine') }).problems).toEqual([]);
    expect(check({ ...levels, ...provider('default_acr: phr') }).problems).toHaveLength(1);
  });
});

describe('secrets', () => {
  test('in clear are a warning, and never shown', () => {
    const { problems, warnings } = check(provider('client_secret: 5e884898da28047151d0'));
    expect(problems).toEqual([]);
    expect(warnings).toMatchObject([{ path: 'client_secret', message: expect.stringMatching(/in clear/) }]);
    expect(JSON.stringify(warnings)).not.toContain('5e884898');
  });

  test('of the documentation are refused outside a demo', () => {
    const secret = 'client_secret: eid-demo-secret';
    expect(check(provider(secret)).problems).toMatchObject([{ message: expect.stringMatching(/development secret/) }]);
    expect(check({ ...server('development: {}'), ...provider(secret) }).problems).toEqual([]);
  });

  test('a key of Apple’s is a PEM file', () => {
    const apple = (key: string) =>
      provider(
        `preset: apple\n#issuer: x\n#client_secret: x\nteam_id: ABCDE12345\nkey_id: ABCDE12345\nprivate_key: ${key}`,
      );
    expect(check(apple('${env:PEM}')).problems).toEqual([]);
    const { problems } = check(apple('${env:SECRET}'));
    expect(problems).toMatchObject([{ path: 'private_key', message: expect.stringMatching(/PEM/) }]);
    expect(JSON.stringify(problems)).not.toContain(ENVIRONMENT.SECRET);
  });
});

test('what is found out later is told with its line', () => {
  const { describeProvider, directory } = check(provider('# nothing\nscope: openid'));
  const file = join(directory, 'providers/eid.yaml');
  expect(describeProvider('eid', { path: ['scope'], message: 'is not supported' })).toEqual({
    file,
    line: 7,
    column: 8,
    path: 'scope',
    message: 'is not supported',
    found: '"openid"',
  });
  expect(describeProvider('eid', { path: ['client_secret'], message: 'is wrong' })).not.toHaveProperty('found');
  expect(describeProvider('eid', { path: ['dpop'], message: 'is not supported' })).toMatchObject({ file, line: 1 });
});
