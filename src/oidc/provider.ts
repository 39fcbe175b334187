import type { Context, Middleware } from 'koa';
import { type ClientMetadata, type Configuration, errors, type KoaContextWithOIDC, Provider } from 'oidc-provider';
import type { Config } from '../config/config.ts';
import { epochSeconds } from '../kernel/clock.ts';
import { OperatorError, VestibuleError } from '../kernel/errors.ts';
import type { SecretBox } from '../kernel/secret-box.ts';
import { CLOCK_TOLERANCE, createAdapter } from './adapter.ts';
import { afterAnswer } from './after-answer.ts';
import { claimsByScope, findAccount, scopesOf } from './claims.ts';
import { type ClientRegistry, createClientRegistry, responseTypes, toMetadata } from './clients.ts';
import type { ProviderDependencies } from './dependencies.ts';
import { deviceCodeInAddress } from './device.ts';
import { observe } from './events.ts';
import { features } from './features.ts';
import { loadExistingGrant } from './grants.ts';
import { createInteractions, type Interactions } from './interactions.ts';
import { logoutWithoutAsking } from './logout.ts';
import { createPolicy } from './policy.ts';
import { type SignedIn, signedIn } from './sessions.ts';
import { endVoidSignIns } from './sign-out.ts';
import { createUpstreamLogout, type EndUpstreamSessions } from './upstream-logout.ts';
import { keepUpstreamSessions } from './upstream-sessions.ts';
import { createUpstreamSignOut, type UpstreamSignOut } from './upstream-sign-out.ts';

export interface OidcProvider {
  /** The Koa application itself: routes and middleware are added to it. */
  readonly app: Provider;
  /** What is made of the library's answers; to be added to the application where errors become answers. */
  readonly afterAnswers: readonly Middleware[];
  readonly clients: ClientRegistry;
  readonly interactions: Interactions;
  /** @returns who is signed in in the browser that sent the request, if anybody */
  signedIn(ctx: Context): Promise<SignedIn | undefined>;
  /** Somebody signed out here is back from a provider where they were to be signed out, too. */
  readonly signedOutUpstream: UpstreamSignOut['returned'];
  readonly endUpstreamSessions: EndUpstreamSessions;
}

/**
 * Builds the provider. Everything it needs was loaded before: construction touches no storage.
 * @throws OperatorError when the library refuses a client's file
 */
export function createProvider(deps: ProviderDependencies): OidcProvider {
  const { config, durable, clock } = deps;
  const clients = createClientRegistry(config.clients);
  const provider = new Provider(config.issuer, configuration(deps, clients));
  // Whoever calls from outside the configured proxies had its forwarded headers removed before.
  provider.proxy = true;
  provider.maxIpsCount = config.proxy.hops;
  provider.use(
    logoutWithoutAsking(provider, ({ client }, accountId) =>
      client?.subjectType === 'pairwise'
        ? pairwiseSubject(deps.secretBox, client.sectorIdentifier, accountId)
        : accountId,
    ),
  );
  const { sessions, signOuts } = deps.upstream;
  const https = config.issuer.startsWith('https://');
  const upstreamSignOut = createUpstreamSignOut({
    sessions,
    signOuts,
    pages: deps.pages,
    https,
    signedOut: '/session/end/success',
  });
  refuseUnusable(config.clients, scopesOf(deps.releases), provider);
  observe(provider, deps.logger, deps.meters);
  return {
    app: provider,
    afterAnswers: [
      ...(deps.upstream.signsOut ? [upstreamSignOut.leave, keepUpstreamSessions(sessions)] : []),
      endVoidSignIns(deps.accounts),
      deviceCodeInAddress(deps.pages),
    ].map(afterAnswer),
    clients,
    interactions: createInteractions({ provider, consents: durable.consents, releases: deps.releases, clock }),
    signedIn: (ctx) => signedIn(provider, ctx),
    signedOutUpstream: upstreamSignOut.returned,
    endUpstreamSessions: createUpstreamLogout({
      provider,
      sessions,
      ephemeral: deps.ephemeral.artifacts,
      clock,
      logger: deps.logger,
    }),
  };
}

/** The library looks at a client when it is first used: what it refuses would wait for the first visitor. */
function refuseUnusable(files: Config['clients'], scopes: readonly string[], provider: Provider): void {
  const Client = provider.Client as unknown as new (metadata: ClientMetadata) => unknown;
  const refused = files.flatMap((file) => {
    try {
      new Client(toMetadata(file, scopes));
      return [];
    } catch (error) {
      if (!(error instanceof errors.InvalidClientMetadata)) throw error;
      return [`clients/${file.client_id}.yaml: ${error.error_description}`];
    }
  });
  if (refused.length > 0) throw new OperatorError(refused.join('\n'));
}

function configuration(deps: ProviderDependencies, clients: ClientRegistry): Configuration {
  const { config, accounts, durable, ephemeral, secretBox, signingKeys, clock, pages, assurance, releases } = deps;
  const scopes = scopesOf(releases);
  const https = config.issuer.startsWith('https://');
  const { lifetimes } = config;
  // Its cookies must be `SameSite=None`, which browsers take with https only.
  const authorizationPost = https && config.features.authorization_post !== false;
  const cookie = { httpOnly: true, signed: true, overwrite: true, secure: https } as const;
  const algorithms = ['RS256', 'ES256', 'EdDSA'] as const;
  // Newer libraries name the same signature Ed25519 (RFC 9864).
  const fromClients = [...algorithms, 'Ed25519', 'PS256'] as const;

  return {
    adapter: createAdapter({ durable: durable.artifacts, ephemeral: ephemeral.artifacts, secretBox, clock }),
    acrValues: [...assurance.attainable],
    claims: structuredClone(claimsByScope(releases)) as NonNullable<Configuration['claims']>,
    clientAuthMethods: [
      'client_secret_basic',
      'client_secret_post',
      'client_secret_jwt',
      'private_key_jwt',
      'none',
      ...(config.features.mtls.enabled ? (['tls_client_auth', 'self_signed_tls_client_auth'] as const) : []),
    ],
    clientBasedCORS: (_ctx, origin, client) =>
      // `null` is the origin of an app's own scheme, and of every sandboxed page.
      origin !== 'null' && (client.redirectUris ?? []).some((uri) => URL.parse(uri)?.origin === origin),
    // FAPI 2.0 §5.3.2.1 and §5.4: our name as the audience and nothing else, and no RS256.
    assertJwtClientAuthClaimsAndHeader: async ({ oidc }, claims, header) => {
      const weak = claims.aud !== config.issuer || header.alg === 'RS256';
      if (weak && oidc.isFapi('2.0')) throw new errors.InvalidClientAuth('not what FAPI 2.0 asks of an assertion');
    },
    clients: config.clients.map((file) => toMetadata(file, scopes)),
    clockTolerance: CLOCK_TOLERANCE,
    // Decided per client in `claims.ts`.
    conformIdTokenClaims: false,
    cookies: {
      // One key: each is another HMAC at every cookie read.
      keys: [secretBox.deriveKey('cookies').toString('base64url')],
      // `__Host-` and `__Secure-` (RFC 6265bis §4.1.3): no other host can plant these cookies.
      names: https
        ? {
            session: '__Host-vestibule_session',
            interaction: '__Secure-vestibule_interaction',
            resume: '__Secure-vestibule_resume',
          }
        : { session: 'vestibule_session', interaction: 'vestibule_interaction', resume: 'vestibule_resume' },
      long: { ...cookie, sameSite: https && authorizationPost ? 'none' : 'lax', path: '/' },
      // Signed, as their value also stands in the address: who sees that can't make the cookie.
      short: { ...cookie, sameSite: 'lax' },
    },
    enabledJWA: {
      idTokenSigningAlgValues: [...algorithms],
      userinfoSigningAlgValues: [...algorithms],
      introspectionSigningAlgValues: [...algorithms],
      authorizationSigningAlgValues: [...algorithms],
      requestObjectSigningAlgValues: [...fromClients],
      clientAuthSigningAlgValues: [...fromClients, 'HS256'],
      dPoPSigningAlgValues: [...fromClients],
    },
    discovery: { ui_locales_supported: config.languages.offered },
    enableHttpPostMethods: authorizationPost,
    extraTokenClaims: shownAtSignIn,
    extraClientMetadata: { properties: ['response_types'], validator: refuseImplicit(config.features.implicit) },
    features: features(deps, clients),
    fetch: (url, options) =>
      globalThis.fetch(url, reachableInDevelopment(String(url), config) ? withoutGuard(options) : options),
    fetchResponseBodyLimits: { jwks_uri: 256 * 1024, sector_identifier_uri: 64 * 1024 },
    findAccount: findAccount(accounts, clients, releases),
    interactions: {
      policy: createPolicy(clients, assurance, releases),
      url: (_ctx, interaction) => `/interaction/${interaction.uid}`,
    },
    issueRefreshToken: async (_ctx, client, code) =>
      client.grantTypeAllowed('refresh_token') &&
      (code.scopes.has('offline_access') || clients.settings(client.clientId).refresh_token_without_offline_access),
    jwks: { keys: signingKeys.map((key) => ({ ...key })) as never },
    loadExistingGrant: loadExistingGrant(clients, durable.consents, releases),
    pairwiseIdentifier: async (_ctx, accountId, client) =>
      pairwiseSubject(secretBox, client.sectorIdentifier, accountId),
    pkce: {
      required: ({ oidc }, client) =>
        client.clientAuthMethod === 'none' || clients.settings(client.clientId).require_pkce || !!oidc.isFapi('2.0'),
    },
    renderError: (ctx, out, error) => {
      // No error of the portal or the person, such as a store that does not answer: told where all of those are.
      if (error instanceof VestibuleError) throw error;
      pages.error(ctx, {
        code: error instanceof errors.SessionNotFound ? 'session_expired' : out.error,
        status: ctx.status,
        values: { error: out.error, error_description: out.error_description ?? '' },
      });
    },
    responseTypes: responseTypes(config.clients, config.features.implicit) as never,
    rotateRefreshToken,
    scopes: [...scopes],
    subjectTypes: ['public', 'pairwise'],
    ttl: {
      AccessToken: (_ctx, token) => token.resourceServer?.accessTokenTTL ?? lifetimes.access_token,
      AuthorizationCode: lifetimes.authorization_code,
      ClientCredentials: (_ctx, token) => token.resourceServer?.accessTokenTTL ?? lifetimes.client_credentials,
      DeviceCode: lifetimes.device_code,
      // A refresh token may be issued as late as at the end of the session that began the grant.
      Grant: lifetimes.refresh_token + lifetimes.session,
      IdToken: lifetimes.id_token,
      Interaction: lifetimes.interaction,
      RefreshToken: refreshTokenTtl(lifetimes.refresh_token),
      // Counted from the sign-in, not from the last visit: a session ends for certain.
      Session: (_ctx, session) =>
        session.loginTs === undefined
          ? lifetimes.interaction
          : Math.max(1, session.loginTs + lifetimes.session - epochSeconds(clock)),
    },
  };
}

/** RFC 9470 §4: an API sees with how much assurance, and when, the person behind a token signed in. */
function shownAtSignIn({ oidc }: KoaContextWithOIDC): Record<string, unknown> | undefined {
  const { AuthorizationCode: code, RefreshToken: refresh, DeviceCode: device } = oidc.entities;
  const source = code ?? refresh ?? device;
  if (!source) return undefined;
  const { acr, authTime } = source as { acr?: string; authTime?: number };
  return { ...(acr === undefined ? {} : { acr }), ...(authTime === undefined ? {} : { auth_time: authTime }) };
}

/** A client's file may ask for the implicit grant; who registers may only where a setting lets everybody. */
const refuseImplicit =
  (allowed: boolean) =>
  (registration: KoaContextWithOIDC | undefined, _name: string, types: unknown): void => {
    if (allowed || !registration || !Array.isArray(types)) return;
    if (types.some((type) => String(type).includes('token'))) {
      throw new errors.InvalidClientMetadata('response_types can only contain code');
    }
  };

/** Public browser clients keep the first token's end (RFC 9700 §4.14.2: rotation must not extend it). */
const refreshTokenTtl =
  (lifetime: number): NonNullable<NonNullable<Configuration['ttl']>['RefreshToken']> =>
  (ctx, token, client) => {
    const rotated = ctx.oidc.entities.RotatedRefreshToken;
    const keeps =
      rotated && client.applicationType === 'web' && client.clientAuthMethod === 'none' && !token.isSenderConstrained();
    return keeps ? rotated.remainingTTL : lifetime;
  };

const LONGEST_LIFE = 365.25 * 86_400;

/** The library's own rule (public clients always, others late in a token's life, none after a
 *  year), and the grant lives on as long as the token that replaces the old one. */
async function rotateRefreshToken(ctx: KoaContextWithOIDC): Promise<boolean> {
  const { RefreshToken: token, Client: client, Grant: grant } = ctx.oidc.entities;
  if (!token || !client || token.totalLifetime() >= LONGEST_LIFE) return false;
  const rotate =
    (client.clientAuthMethod === 'none' && !token.isSenderConstrained()) || token.ttlPercentagePassed() >= 70;
  if (rotate && grant) {
    delete (grant as { exp?: number }).exp;
    await grant.save();
  }
  return rotate;
}

/** Back-channel logout to a portal on this machine, for the demo and tests alone: the library
 *  refuses loopback and private addresses (server-side request forgery), and so do we elsewhere. */
const reachableInDevelopment = (url: string, config: Config): boolean =>
  config.development?.logout_origins.includes(new URL(url).origin) ?? false;

function withoutGuard(options: RequestInit | undefined): RequestInit {
  const { dispatcher: _guard, ...rest } = (options ?? {}) as RequestInit & { dispatcher?: unknown };
  return rest;
}

/** OpenID Connect Core §8.1: another subject for each sector, stable, and not to be traced back. */
const pairwiseSubject = (secretBox: SecretBox, sector: unknown, accountId: string): string =>
  secretBox.keyedHash('pairwise subject', `${sector} ${accountId}`);
