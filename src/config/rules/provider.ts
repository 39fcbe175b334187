import { isDevelopmentSecret } from '../development.ts';
import { isLoopbackAddress } from '../loopback.ts';
import { nearest } from '../nearest.ts';
import type { Path } from '../paths.ts';
import { EIDAS_LEVELS, OWN_CLAIMS, type ProviderFile } from '../schema/provider.ts';
import type { ServerSettings } from '../schema/server.ts';
import { checkLogo } from './files.ts';
import { type Finding, isDevelopment, type Rule } from './rule.ts';
import { DEVELOPMENT, literal, published } from './secrets.ts';

/** What a rule about a provider file sees. */
export interface ProviderSubject {
  readonly provider: ProviderFile;
  /** Sound only where the rule names what it needs in `readsServer`. */
  readonly server: ServerSettings;
  /** Every client somebody may name. */
  readonly clientIds: ReadonlySet<string>;
  isLiteral(path: Path): boolean;
}

/** What every request sets by itself, or what would weaken it: state, nonce and PKCE are drawn each time. */
const OWN_PARAMETERS = [
  'client_id',
  'client_secret',
  'client_assertion',
  'client_assertion_type',
  'redirect_uri',
  'response_type',
  'response_mode',
  'scope',
  'state',
  'nonce',
  'code_challenge',
  'code_challenge_method',
  'claims',
  'max_age',
  'id_token_hint',
  'request',
  'request_uri',
  'dpop_jkt',
];
const OWN_PARAMETER =
  'is set by the server itself; scope, claims and response_mode have a setting of their own in this file';

/** A claim that belongs to whoever holds the mailbox today: each link made by it is a takeover waiting. */
const CHANGING_HANDS = ['email', 'mail', 'upn', 'preferred_username', 'phone_number', 'unique_name'];

/** Seconds. */
const MOST_TOLERANCE = 300;

/** Where the upstream is believed from: whoever answers there is whoever they say. */
const address = (name: 'issuer' | 'discovery_url'): Rule<ProviderSubject> => ({
  reads: [name],
  *check({ provider }): Generator<Finding> {
    const value = provider[name];
    if (value === undefined) return;
    if (!value.startsWith('https:') && !isLoopbackAddress(value)) {
      yield { path: [name], message: 'must begin with https://; plain http is only for a loopback host' };
    }
    // OpenID Connect Discovery §3: an issuer has neither query nor fragment.
    if (name === 'issuer' && /[?#]/.test(value)) {
      yield { path: [name], message: 'must have no query (?…) and no fragment (#…)' };
    }
  },
});

function* unknownLevel(name: string | undefined, path: Path, { assurance }: ServerSettings): Generator<Finding> {
  const known = [...assurance.levels.map(({ acr }) => acr), ...EIDAS_LEVELS];
  if (name === undefined || known.includes(name)) return;
  const close = nearest(name, known);
  yield {
    path,
    message: `is none of assurance.levels in vestibule.yaml and none of http://eidas.europa.eu/LoA/{low,substantial,high}${close ? `; did you mean ${close}?` : ''}`,
  };
}

function* unknownClient(id: string, path: Path, clientIds: ReadonlySet<string>): Generator<Finding> {
  if (clientIds.has(id)) return;
  const close = nearest(id, clientIds);
  yield { path, message: `names no client in clients/${close ? `; did you mean ${close}?` : ''}` };
}

/** What one file says in itself and against the server; what its preset makes of it is judged elsewhere. */
export const providerRules: readonly Rule<ProviderSubject>[] = [
  address('issuer'),
  address('discovery_url'),
  {
    reads: ['scope'],
    *check({ provider: { scope } }) {
      if (scope !== undefined && !scope.split(' ').includes('openid')) {
        yield { path: ['scope'], message: 'must contain openid: without it there is no ID token' };
      }
    },
  },
  {
    reads: ['parameters'],
    *check({ provider: { parameters = {} } }): Generator<Finding> {
      for (const name of Object.keys(parameters)) {
        if (OWN_PARAMETERS.includes(name)) yield { path: ['parameters', name], message: OWN_PARAMETER };
      }
    },
  },
  {
    reads: ['asks_level_by'],
    *check({ provider: { asks_level_by: asks } }) {
      if (asks?.by === 'parameter' && OWN_PARAMETERS.includes(asks.name)) {
        yield { path: ['asks_level_by', 'name'], message: OWN_PARAMETER };
      }
    },
  },
  {
    reads: ['levels[]'],
    *check({ provider: { levels = [] } }): Generator<Finding> {
      const names = levels.map(({ upstream }) => upstream);
      for (const [index, name] of names.entries()) {
        if (names.indexOf(name) === index) continue;
        yield { path: ['levels', index, 'upstream'], message: 'is named twice: each level is worth one thing' };
      }
    },
  },
  {
    reads: ['levels[]'],
    readsServer: ['assurance'],
    *check({ provider: { levels = [] }, server }): Generator<Finding> {
      for (const [index, { acr }] of levels.entries()) yield* unknownLevel(acr, ['levels', index, 'acr'], server);
    },
  },
  {
    reads: ['default_acr'],
    readsServer: ['assurance'],
    check: ({ provider, server }) => unknownLevel(provider.default_acr, ['default_acr'], server),
  },
  {
    reads: ['subject[]'],
    *check({ provider: { subject = [] } }): Generator<Finding> {
      for (const [index, { path }] of subject.entries()) {
        if (!CHANGING_HANDS.includes(path.at(-1) ?? '')) continue;
        yield {
          path: ['subject', index, 'path'],
          message: 'must not be an e-mail address, a telephone number or a user name: those pass to other people',
        };
      }
    },
  },
  {
    reads: ['clients[]'],
    *check({ provider: { clients = [] }, clientIds }): Generator<Finding> {
      for (const [index, id] of clients.entries()) yield* unknownClient(id, ['clients', index], clientIds);
    },
  },
  {
    reads: ['release'],
    *check({ provider: { release }, clientIds }): Generator<Finding> {
      for (const [id, claims] of Object.entries(release)) {
        yield* unknownClient(id, ['release', id], clientIds);
        for (const [index, claim] of claims.entries()) {
          if (!OWN_CLAIMS.includes(claim)) continue;
          yield {
            path: ['release', id, index],
            message:
              'must not be released: this server says it itself. Take it off the list, or map theirs to a name of its own (mapping: {eid_email: email}) and release that',
          };
        }
      }
    },
  },
  {
    reads: ['clock_tolerance'],
    *check({ provider: { clock_tolerance: seconds = 0 } }) {
      // Every token is good for that much longer, and may have been made that much later.
      if (seconds > MOST_TOLERANCE) yield { path: ['clock_tolerance'], message: 'must be at most five minutes' };
    },
  },
  { reads: ['logo'], check: ({ provider }) => checkLogo(provider.logo, ['logo']) },
  {
    reads: ['private_key'],
    *check({ provider: { private_key: key } }) {
      if (key !== undefined && !/^-----BEGIN PRIVATE KEY-----[\s\S]+-----END PRIVATE KEY-----\s*$/.test(key.trim())) {
        yield { path: ['private_key'], message: 'must be a private key in PEM: -----BEGIN PRIVATE KEY----- …' };
      }
    },
  },
  {
    reads: ['client_secret', 'private_key'],
    readsServer: DEVELOPMENT,
    *check({ provider, server, isLiteral }): Generator<Finding> {
      if (isDevelopment(server)) return;
      for (const name of ['client_secret', 'private_key'] as const) {
        const value = provider[name];
        if (value !== undefined && isDevelopmentSecret(value)) yield published([name], 'one');
        if (isLiteral([name])) yield literal([name]);
      }
    },
  },
];
