import { describe, expect, test } from '@jest/globals';
import { check, client, type Files, markedLine, server } from './folder.ts';

/** One bad value, what is said about it, and what is shown of it. */
const REFUSED: readonly (readonly [behaviour: string, files: Files, path: string, message: RegExp, found?: string])[] =
  [
    [
      'an unknown section, suggesting the known one',
      server('lissten: {} # !'),
      'lissten',
      /unknown key `lissten`; did you mean `listen`\?/,
    ],
    ['an unknown setting', server('listen:\n  prt: 1 # !'), 'listen.prt', /did you mean `port`\?/],
    ['an unknown setting of a client', client('redirect_uri: x # !'), 'redirect_uri', /did you mean `redirect_uris`\?/],
    [
      'a setting in the wrong place',
      client('first_party: true # !'),
      'first_party',
      /did you mean `vestibule\.first_party`\?/,
    ],
    [
      'an unknown setting like no other',
      server('log:\n  zzzzzz: 1 # !'),
      'log.zzzzzz',
      /unknown key `zzzzzz`; known here: level/,
    ],
    [
      'an unknown language',
      server('branding:\n  support_contact:\n    es: ayuda # !'),
      'branding.support_contact.es',
      /unknown key `es`/,
    ],
    [
      'a hyphen for an underscore',
      client('client-uri: https://portal.test # !'),
      'client-uri',
      /did you mean `client_uri`\?/,
    ],
    ['text for a number', server('listen:\n  port: many # !'), 'listen.port', /whole number from 0 to 65535/, '"many"'],
    ['a number out of range', server('listen:\n  port: 65536 # !'), 'listen.port', /from 0 to 65535/, '65536'],
    ['a fraction', server('listen:\n  port: 1.5 # !'), 'listen.port', /whole number/, '1.5'],
    [
      'yes for true',
      client('vestibule:\n  first_party: yes # !'),
      'vestibule.first_party',
      /must be true or false/,
      '"yes"',
    ],
    [
      'a value that is none of the choices',
      server('log:\n  level: loud # !'),
      'log.level',
      /one of "trace", "debug"/,
      '"loud"',
    ],
    [
      'an engine nobody knows',
      server('storage:\n  durable:\n    engine: mongo # !\n    path: x'),
      'storage.durable.engine',
      /"sqlite"/,
      '"mongo"',
    ],
    [
      'an engine without its file',
      server('storage:\n  durable: # !\n    engine: sqlite'),
      'storage.durable.path',
      /is missing and must be set: Database file/,
    ],
    [
      'a length of time without a unit it knows',
      server('lifetimes:\n  session: 9y # !'),
      'lifetimes.session',
      /90s, 10m, 8h or 14d/,
      '"9y"',
    ],
    ['a negative length of time', server('lifetimes:\n  session: -1 # !'), 'lifetimes.session', /length of time/, '-1'],
    [
      'a colour by name',
      server('branding:\n  theme:\n    accent: blue # !'),
      'branding.theme.accent',
      /"#0b5fff"/,
      '"blue"',
    ],
    [
      'text for a list',
      client('redirect_uris: https://portal.test/cb # !'),
      'redirect_uris',
      /must be a list/,
      '"https://portal.test/cb"',
    ],
    ['a list for a section', server('listen: [] # !'), 'listen', /mapping of settings/, 'a list'],
    ['a section without content', server('passwords: # !'), 'passwords', /has no value.*remove the line/],
    [
      'an empty list of languages',
      server('languages:\n  offered: [] # !'),
      'languages.offered',
      /list of at least 1/,
      'a list',
    ],
    ['a client without a name', client('client_name: "" # !'), 'client_name', /at least 1 character long/, '""'],
    ['a secret that is too short', client('client_secret: short # !'), 'client_secret', /at least 16 characters/],
    ['a client_id with a slash', client('client_id: a/b # !'), 'client_id', /letters, digits/, '"a/b"'],
    [
      'a contact that is no e-mail address',
      client('contacts:\n  - nobody # !'),
      'contacts[0]',
      /e-mail address/,
      '"nobody"',
    ],
    [
      'an API that is no address',
      server('resource_servers:\n  bookings: {} # !'),
      'resource_servers.bookings',
      /named by an address/,
    ],
    [
      'a scope with a space',
      server('resource_servers:\n  https://api.test:\n    scopes:\n      - a b # !'),
      'resource_servers["https://api.test"].scopes[0]',
      /scope without spaces/,
      '"a b"',
    ],
    [
      'a grant type nobody knows',
      client('grant_types:\n  - authorization_code\n  - password # !'),
      'grant_types[1]',
      /one of "authorization_code"/,
      '"password"',
    ],
    [
      'a very long value, shortened',
      server(`log:\n  level: ${'x'.repeat(500)} # !`),
      'log.level',
      /one of/,
      `"${'x'.repeat(80)}…"`,
    ],
  ];

describe('refused with line, setting and what is allowed', () => {
  test.each(REFUSED)('%s', (_behaviour, files, path, message, ...[found]) => {
    const name = 'vestibule.yaml' in files ? 'vestibule.yaml' : 'clients/portal.yaml';
    const { problems, directory } = check(files);
    const problem = problems.find((candidate) => candidate.path === path);
    expect(problem).toMatchObject({
      file: `${directory}/${name}`,
      line: markedLine(files, name),
      column: expect.any(Number),
      message: expect.stringMatching(message),
    });
    expect(problem?.found).toBe(found);
  });

  test('the column is that of the value, or of the name when it is unknown', () => {
    expect(check(server('listen: { port: many }')).problems[0]).toMatchObject({ line: 3, column: 17 });
    expect(check(server('listen: { prt: 1 }')).problems[0]).toMatchObject({ line: 3, column: 11 });
  });

  test('a missing issuer says what it is for', () => {
    expect(check({ 'vestibule.yaml': 'master_key: ${env:KEY}' }).problems).toMatchObject([
      { line: 1, path: 'issuer', message: expect.stringMatching(/is missing and must be set: Public address/) },
    ]);
  });
});

test('durations are read as seconds, in every form', () => {
  const { config } = check(
    server('lifetimes: { session: 90, access_token: 90s, id_token: 10m, interaction: 8h, refresh_token: 14d }'),
  );
  expect(config?.lifetimes).toMatchObject({
    session: 90,
    access_token: 90,
    id_token: 600,
    interaction: 28_800,
    refresh_token: 1_209_600,
    device_code: 600,
  });
  expect(config?.limits.address.window).toBe(300);
});
