/**
 * What a realm of Keycloak holds for these tests, in Keycloak's own words (RealmRepresentation): people, this server as a
 * client in several ways, two levels of assurance.
 */

type Json = Readonly<Record<string, unknown>>;

export const REALM = 'citizens';

/** Keycloak's names for the two steps, and what it takes to climb them. */
export const LEVELS = { low: 'low', substantial: 'substantial' } as const;

export interface Citizen {
  readonly username: string;
  readonly password: string;
  /** Base32, of an authenticator app: what the higher level takes. */
  readonly totp: string;
}

/** This server as a client. */
export interface Registration {
  /** Name of the provider's file, part of the callback's address. */
  readonly provider: string;
  readonly attributes?: Readonly<Record<string, string>>;
  readonly over?: Json;
}

export const clientIdOf = (provider: string): string => `vestibule-${provider}`;

/** @param vestibule address of this server, from which Keycloak fetches the keys */
export const realm = (
  vestibule: string,
  citizens: readonly Citizen[],
  registrations: readonly Registration[],
): { readonly realm: string } & Json => ({
  realm: REALM,
  enabled: true,
  sslRequired: 'none',
  // Here, not at the client, so that the metadata lists them, too.
  attributes: { 'acr.loa.map': JSON.stringify({ [LEVELS.low]: 1, [LEVELS.substantial]: 2 }) },
  ...stepUp(),
  users: citizens.map(user),
  clients: registrations.map((registration) => client(vestibule, registration)),
});

function user({ username, password, totp }: Citizen): Json {
  return {
    username,
    enabled: true,
    email: `${username}@citizens.example`,
    emailVerified: true,
    // Without them Keycloak asks for them.
    firstName: 'Ada',
    lastName: username,
    credentials: [
      { type: 'password', value: password },
      {
        type: 'otp',
        secretData: JSON.stringify({ value: totp }),
        credentialData: JSON.stringify({
          subType: 'totp',
          digits: 6,
          counter: 0,
          period: 30,
          algorithm: 'HmacSHA1',
          secretEncoding: 'BASE32',
        }),
      },
    ],
  };
}

function client(vestibule: string, { provider, attributes, over }: Registration): Json {
  const addresses = `${vestibule}/external/${provider}`;
  return {
    clientId: clientIdOf(provider),
    name: 'Vestibule',
    protocol: 'openid-connect',
    clientAuthenticatorType: 'client-jwt',
    standardFlowEnabled: true,
    directAccessGrantsEnabled: false,
    // The page that asks for consent is the one with a way to say no.
    consentRequired: true,
    redirectUris: [`${addresses}/callback`],
    ...over,
    attributes: {
      'use.jwks.url': 'true',
      'jwks.url': `${vestibule}/external/jwks`,
      'pkce.code.challenge.method': 'S256',
      'backchannel.logout.url': `${addresses}/logout`,
      'backchannel.logout.session.required': 'true',
      'post.logout.redirect.uris': `${addresses}/logged-out`,
      ...attributes,
    },
  };
}

/** A flow in which the password is the first level and the app the second. */
function stepUp(): Json {
  const flow = (alias: string, executions: readonly Json[], topLevel = false): Json => ({
    alias,
    providerId: 'basic-flow',
    topLevel,
    builtIn: false,
    authenticationExecutions: executions.map((execution, priority) => ({ priority, ...execution })),
  });
  const inner = (flowAlias: string, requirement: string): Json => ({
    flowAlias,
    requirement,
    authenticatorFlow: true,
  });
  const level = (alias: string, authenticator: string): Json =>
    flow(alias, [
      { authenticator: 'conditional-level-of-authentication', authenticatorConfig: alias, requirement: 'REQUIRED' },
      { authenticator, requirement: 'REQUIRED' },
    ]);
  const config = (alias: string, rank: number): Json => ({
    alias,
    config: { 'loa-condition-level': String(rank), 'loa-max-age': '3600' },
  });
  return {
    browserFlow: 'step-up',
    authenticationFlows: [
      flow(
        'step-up',
        [{ authenticator: 'auth-cookie', requirement: 'ALTERNATIVE' }, inner('step-up forms', 'ALTERNATIVE')],
        true,
      ),
      flow('step-up forms', [inner('level low', 'CONDITIONAL'), inner('level substantial', 'CONDITIONAL')]),
      level('level low', 'auth-username-password-form'),
      level('level substantial', 'auth-otp-form'),
    ],
    authenticatorConfig: [config('level low', 1), config('level substantial', 2)],
  };
}
