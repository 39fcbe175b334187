import { describe, test } from '@jest/globals';
import { type ClientRow, expectOneClientProblem } from './folder.ts';

const REFUSED: readonly ClientRow[] = [
  [
    'plain http',
    'redirect_uris:\n  - https://portal.test/cb\n  - http://portal.test/cb # !',
    'redirect_uris[1]',
    /https:\/\//,
  ],
  [
    'plain http after signing out',
    'post_logout_redirect_uris:\n  - http://portal.test/ # !',
    'post_logout_redirect_uris[0]',
    /https:\/\//,
  ],
  [
    'a scheme of its own for a web application',
    'redirect_uris:\n  - com.portal.app:/cb # !',
    'redirect_uris[0]',
    /native/,
  ],
  [
    'a scheme without a domain',
    'application_type: native\nredirect_uris:\n  - portal:/cb # !',
    'redirect_uris[0]',
    /with a dot/,
  ],
  [
    'a scheme that runs what it holds',
    'application_type: native\nredirect_uris:\n  - "javascript:alert(1)" # !',
    'redirect_uris[0]',
    /private-use/,
  ],
  [
    'https on loopback for a native application',
    'application_type: native\nredirect_uris:\n  - https://localhost/cb # !',
    'redirect_uris[0]',
    /native applications use http/,
  ],
  ['a user part', 'redirect_uris:\n  - https://a@portal.test/cb # !', 'redirect_uris[0]', /user part/],
  [
    'a user part behind a backslash',
    'redirect_uris:\n  - https:\\\\a@portal.test/cb # !',
    'redirect_uris[0]',
    /backslash/,
  ],
  ['an empty user part', 'redirect_uris:\n  - https://@portal.test/cb # !', 'redirect_uris[0]', /user part/],
  ['a fragment', 'redirect_uris:\n  - "https://portal.test/cb#x" # !', 'redirect_uris[0]', /fragment/],
  ['a wildcard', 'redirect_uris:\n  - https://*.portal.test/cb # !', 'redirect_uris[0]', /wildcards/],
  ['no address at all', 'redirect_uris:\n  - callback # !', 'redirect_uris[0]', /absolute address/],
  ['keys fetched over plain http', 'jwks_uri: http://portal.test/jwks # !', 'jwks_uri', /https:\/\//],
  [
    'logout tokens over plain http',
    'backchannel_logout_uri: http://portal.test/out # !',
    'backchannel_logout_uri',
    /https:\/\//,
  ],
  [
    'a sector over plain http',
    'sector_identifier_uri: http://localhost/sector # !',
    'sector_identifier_uri',
    /https:\/\//,
  ],
  [
    'a sign-in started over plain http',
    'initiate_login_uri: http://localhost/start # !',
    'initiate_login_uri',
    /https:\/\//,
  ],
  [
    'pairwise subjects on several hosts without a sector',
    'subject_type: pairwise\nredirect_uris: [https://a.test/, https://b.test/]',
    'sector_identifier_uri',
    /is missing/,
  ],
];

describe('a client file refuses', () => {
  test.each(REFUSED)('%s', (_behaviour, yaml, path, message, serverYaml = '') => {
    expectOneClientProblem(yaml, path, message, serverYaml);
  });
});
