import { describe, expect, test } from '@jest/globals';
import { DEVELOPMENT_MASTER_KEYS } from '../../../src/config/index.ts';
import { AttestationAuthority } from '../../support/authenticator/index.ts';
import { check, client, type Files, inFile, markedLine, server } from './folder.ts';

const HTTPS = 'issuer: https://login.test\n';
const PROXY = 'proxy: { trusted: [127.0.0.1] }\n';
const CERTIFICATE = new AttestationAuthority().pem;
const PNG = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0, 0]);

/** What is wrong in `vestibule.yaml`, on the line marked `# !`. */
type Row = readonly [behaviour: string, yaml: string, path: string, message: RegExp, others?: Files];

const REFUSED: readonly Row[] = [
  // addresses
  ['an http issuer on a host that others can reach', 'issuer: http://login.test # !', 'issuer', /https:\/\//],
  ['an http issuer on a name that only looks like loopback', 'issuer: http://localhost.test # !', 'issuer', /loopback/],
  ['an issuer with a user part', 'issuer: https://a@login.test # !', 'issuer', /user part/],
  ['an issuer with a path', 'issuer: http://localhost:3000/auth # !', 'issuer', /origin/],
  ['an issuer with a slash at its end', 'issuer: http://localhost:3000/ # !', 'issuer', /origin/],
  ['an issuer with a query', 'issuer: http://localhost:3000?x=1 # !', 'issuer', /origin/],
  ['an issuer with its default port', `${PROXY}issuer: https://login.test:443 # !`, 'issuer', /default port/],
  ['an issuer in capitals', `${PROXY}issuer: https://Login.test # !`, 'issuer', /lower case/],
  ['an issuer that is no address', 'issuer: login # !', 'issuer', /begins with https/],
  ['https without anybody to terminate TLS', `${HTTPS}proxy: # !\n  hops: 1`, 'proxy.trusted', /who terminates TLS/],
  [
    'a proxy that is no address',
    'proxy:\n  trusted:\n    - 10.0.0.1\n    - proxy.test # !',
    'proxy.trusted[1]',
    /IP address/,
  ],
  ['a network with too long a prefix', 'proxy:\n  trusted:\n    - 10.0.0.0/33 # !', 'proxy.trusted[0]', /network/],
  ['a network with a prefix in words', 'proxy:\n  trusted:\n    - 10.0.0.0/x # !', 'proxy.trusted[0]', /network/],
  ['a network with two prefixes', 'proxy:\n  trusted:\n    - 10.0.0.0/8/8 # !', 'proxy.trusted[0]', /network/],
  ['metrics on the public port', 'operations:\n  port: 3000 # !', 'operations.port', /differ from listen\.port/],
  [
    'POST to the authorization endpoint over http',
    'features:\n  authorization_post: true # !',
    'features.authorization_post',
    /https/,
  ],
  [
    'client certificates without a proxy',
    'features:\n  mtls:\n    enabled: true # !',
    'features.mtls.enabled',
    /proxy\.trusted/,
  ],
  // development
  ['development on an https issuer', `${HTTPS}${PROXY}development: {} # !`, 'development', /Remove the section/],
  [
    'back-channel logout to a host that is not this one',
    'development:\n  logout_origins:\n    - http://localhost:3001\n    - http://10.0.0.1 # !',
    'development.logout_origins[1]',
    /loopback origin/,
  ],
  [
    'a logout origin with a path',
    'development:\n  logout_origins:\n    - http://localhost/x # !',
    'development.logout_origins[0]',
    /origin/,
  ],
  // passkeys
  [
    'passkeys for a top-level domain',
    `${HTTPS}${PROXY}passkeys:\n  rp_id: test # !`,
    'passkeys.rp_id',
    /whole host name/,
  ],
  [
    'passkeys for another’s host',
    `${HTTPS}${PROXY}passkeys:\n  rp_id: other.test # !`,
    'passkeys.rp_id',
    /passkeys\.origins/,
  ],
  [
    'passkeys for a host that only ends like the issuer’s',
    `${HTTPS}${PROXY}passkeys:\n  rp_id: in.test # !`,
    'passkeys.rp_id',
    /parent domain/,
  ],
  [
    'a related origin over http',
    `${HTTPS}${PROXY}passkeys:\n  origins:\n    - http://other.test # !`,
    'passkeys.origins[0]',
    /https/,
  ],
  [
    'attestation without models',
    `passkeys:\n  attestation: direct\n  trust_anchors: [ca.pem]\n  allowed_aaguids: [] # !`,
    'passkeys.allowed_aaguids',
    /needs it/,
    { 'ca.pem': CERTIFICATE },
  ],
  [
    'attestation without certificates',
    `passkeys:\n  attestation: direct\n  allowed_aaguids: [cb69481e-8ff7-4039-93ec-0a2729a154a8]\n  trust_anchors: [] # !`,
    'passkeys.trust_anchors',
    /needs it/,
  ],
  [
    'a trust anchor that is no certificate',
    `passkeys:\n  attestation: direct\n  allowed_aaguids: [cb69481e-8ff7-4039-93ec-0a2729a154a8]\n  trust_anchors:\n    - ca.pem # !`,
    'passkeys.trust_anchors[0]',
    /no PEM certificate/,
    { 'ca.pem': 'nothing of the kind' },
  ],
  [
    'models without attestation',
    'passkeys:\n  allowed_aaguids: [cb69481e-8ff7-4039-93ec-0a2729a154a8] # !',
    'passkeys.allowed_aaguids',
    /no effect/,
  ],
  // mail
  [
    'mail in clear to another machine',
    'mail:\n  host: smtp.test\n  from: a@b.test\n  tls: none # !',
    'mail.tls',
    /starttls/,
  ],
  [
    'an SMTP account without its password',
    'mail:\n  host: smtp.test\n  from: a@b.test\n  username: a # !',
    'mail.username',
    /go together/,
  ],
  ['a sender that is no address', 'mail:\n  host: smtp.test\n  from: nobody # !', 'mail.from', /e-mail address/],
  // secrets
  ['the demo’s master key', `master_key: ${DEVELOPMENT_MASTER_KEYS[0]} # !`, 'master_key', /development secret/],
  [
    'a master key of equal bytes',
    `master_key: ${Buffer.alloc(32, 7).toString('base64')} # !`,
    'master_key',
    /development secret/,
  ],
  [
    'a master key that spells out that it must be changed',
    `master_key: ${Buffer.from('change-me-change-me-change-me-32').toString('base64')} # !`,
    'master_key',
    /development secret/,
  ],
  [
    'a master key that is too short',
    `master_key: ${Buffer.alloc(16, 'k').toString('base64')} # !`,
    'master_key',
    /32 random bytes/,
  ],
  ['a master key that is not base64', `master_key: ${'?'.repeat(44)} # !`, 'master_key', /32 random bytes/],
  [
    'a published initial access token',
    'features:\n  registration:\n    initial_access_token: changeme-changeme-changeme-changeme # !',
    'features.registration.initial_access_token',
    /development secret/,
  ],
  [
    'an initial access token of the demo',
    'features:\n  registration:\n    initial_access_token: registration-of-clients-demo-secret # !',
    'features.registration.initial_access_token',
    /development secret/,
  ],
  // files
  [
    'one database for durable and ephemeral data',
    'storage:\n  durable: { engine: sqlite, path: ../data/one.db }\n  ephemeral:\n    engine: sqlite\n    path: ../data/x/../one.db # !',
    'storage.ephemeral.path',
    /another file/,
  ],
  [
    'a logo that does not exist',
    'branding:\n  theme:\n    logo: none.svg # !',
    'branding.theme.logo',
    /does not exist/,
  ],
  [
    'a logo of another kind',
    'branding:\n  theme:\n    logo: a.gif # !',
    'branding.theme.logo',
    /\.svg or \.png/,
    { 'a.gif': 'GIF' },
  ],
  [
    'a logo that is too large',
    'branding:\n  theme:\n    logo: a.png # !',
    'branding.theme.logo',
    /at most 64 KiB/,
    { 'a.png': Buffer.concat([PNG, Buffer.alloc(65_536)]) },
  ],
  [
    'a PNG that is none',
    'branding:\n  theme:\n    logo: a.png # !',
    'branding.theme.logo',
    /no PNG/,
    { 'a.png': '<svg/>' },
  ],
  [
    'an SVG that is none',
    'branding:\n  theme:\n    logo: a.svg # !',
    'branding.theme.logo',
    /no SVG/,
    { 'a.svg': 'text' },
  ],
  [
    'a folder as logo',
    'branding:\n  theme:\n    logo: a.svg # !',
    'branding.theme.logo',
    /not a file/,
    { 'a.svg/x': '' },
  ],
  ['an overlay that does not exist', 'branding:\n  overlay: none # !', 'branding.overlay', /does not exist/],
  ['a file as overlay', 'branding:\n  overlay: a.txt # !', 'branding.overlay', /folder/, { 'a.txt': '' }],
  // references
  [
    'a default language that is not offered',
    'languages:\n  offered: [fr, de]\n  default: it # !',
    'languages.default',
    /offered/,
  ],
  [
    'an API for a client nobody knows',
    'resource_servers:\n  https://api.test:\n    clients:\n      - portal\n      - portel # !',
    'resource_servers["https://api.test"].clients[1]',
    /did you mean portal\?/,
    client(''),
  ],
];

describe('vestibule.yaml refuses', () => {
  test.each(REFUSED)('%s', (_behaviour, yaml, path, message, others = {}) => {
    const files = server(yaml);
    const { problems, config, directory } = check({ ...files, ...others });
    expect(inFile(problems, directory, 'vestibule.yaml')).toEqual(problems);
    expect(problems).toMatchObject([
      { line: markedLine(files, 'vestibule.yaml'), path, message: expect.stringMatching(message) },
    ]);
    expect(config).toBeUndefined();
  });
});

describe('vestibule.yaml accepts', () => {
  test.each<readonly [string, string, Files?]>([
    ['http on localhost', 'issuer: http://localhost'],
    ['http on 127.0.0.0/8', 'issuer: http://127.3.2.1:3000'],
    ['http on the IPv6 loopback address', 'issuer: http://[::1]:3000'],
    ['https behind a proxy', `${HTTPS}${PROXY}`],
    [
      'addresses and networks of both families',
      `${HTTPS}proxy: { trusted: [10.0.0.0/8, 192.0.2.1, "::1", "2001:db8::/32"] }`,
    ],
    ['client certificates behind a proxy', `${PROXY}features: { mtls: { enabled: true } }`],
    [
      'development on loopback, with its secrets',
      `master_key: ${DEVELOPMENT_MASTER_KEYS[0]}\ndevelopment: { logout_origins: ["http://localhost:3001"] }`,
    ],
    ['ports the system picks', 'listen: { port: 0 }\noperations: { port: 0 }'],
    [
      'logos of both kinds and an overlay',
      'branding: { overlay: mine, theme: { logo: mine/a.png } }',
      { 'mine/a.png': PNG },
    ],
    [
      'an SVG with a prologue',
      'branding: { theme: { logo: a.svg } }',
      { 'a.svg': '<?xml version="1.0"?>\n<svg xmlns="x"/>' },
    ],
    [
      'an API for a client whose own file has problems',
      'resource_servers: { "https://api.test": { clients: [portal] } }',
      client(''),
    ],
  ])('%s', (_behaviour, yaml, others = {}) => {
    expect(check({ ...server(yaml), ...others }).problems).toEqual([]);
  });

  test('a name for a client whose file can’t be parsed: that is a problem of the client file alone', () => {
    const { problems } = check({
      ...server('resource_servers: { "https://api.test": { clients: [portal] } }'),
      'clients/portal.yaml': 'client_id: "portal',
    });
    expect(problems).toHaveLength(1);
    expect(problems[0]?.file).toMatch(/portal\.yaml$/);
  });
});

describe('vestibule.yaml warns about', () => {
  test.each([
    [
      'a proxy list that trusts everybody',
      'proxy:\n  trusted: # !\n    - 0.0.0.0/0',
      'proxy.trusted[0]',
      /every address/,
    ],
    [
      'a literal master key',
      `master_key: ${Buffer.from('0123456789abcdefghijklmnopqrstuv').toString('base64')} # !`,
      'master_key',
      /in clear/,
    ],
    [
      'a literal initial access token',
      'features:\n  registration:\n    initial_access_token: 4f1d0c6b8e7a49d3b2c1a0f9e8d7c6b5 # !',
      'features.registration.initial_access_token',
      /in clear/,
    ],
  ])('%s', (_behaviour, yaml, path, message) => {
    const files = server(yaml);
    const { problems, warnings, config } = check(files);
    expect(problems).toEqual([]);
    expect(config).toBeDefined();
    expect(warnings).toMatchObject([{ path, message: expect.stringMatching(message) }]);
    if (path !== 'proxy.trusted[0]') expect(warnings[0]?.line).toBe(markedLine(files, 'vestibule.yaml'));
  });
});
