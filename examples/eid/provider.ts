import { generateKeyPair, hash, randomBytes } from 'node:crypto';
import { promisify } from 'node:util';
import { type Configuration, interactionPolicy, type KoaContextWithOIDC, Provider } from 'oidc-provider';
import { CLAIMS_BY_SCOPE, citizenOf, claimsOf } from './citizens.ts';
import { vestibuleAsClient } from './client.ts';
import { acrOf, LEVELS } from './levels.ts';
import { inMemory } from './memory.ts';
import { errorPage, signedOutPage, signOutPage } from './pages.ts';
import { chooseLanguage, type Language } from './texts.ts';

type SigningKey = Awaited<ReturnType<typeof makeSigningKey>>;

export interface ProviderOptions {
  /** Its own address: what its tokens name as `iss`. */
  readonly issuer: string;
  /** Vestibule's address, without a slash at the end. */
  readonly vestibule: string;
  readonly key: SigningKey;
  readonly log: (line: string) => void;
}

/** What the eID says about the protocol. */
export function createProvider({ issuer, vestibule, key, log }: ProviderOptions): Provider {
  const provider = new Provider(issuer, configuration(vestibule, key));
  // The detail is for this log: nobody outside learns why a client's assertion was refused.
  const report = (error: Error & { error_detail?: string | undefined }): void =>
    log([error.message, error.error_detail, causeOf(error)].filter(Boolean).join(': '));
  provider.on('server_error', (_ctx, error) => report(error));
  provider.on('grant.error', (_ctx, error) => report(error));
  provider.on('userinfo.error', (_ctx, error) => report(error));
  provider.on('backchannel.error', (_ctx, error) => report(error));
  return provider;
}

function configuration(vestibule: string, key: SigningKey): Configuration {
  const cookie = { httpOnly: true, signed: true, overwrite: true, sameSite: 'lax' } as const;
  const ownPages = { httpOnly: true, signed: true, sameSite: 'lax' } as const;
  return {
    adapter: inMemory(),
    acrValues: LEVELS.map(acrOf),
    claims: CLAIMS_BY_SCOPE,
    clientAuthMethods: ['private_key_jwt'],
    clients: [vestibuleAsClient(vestibule)],
    cookies: {
      keys: [randomBytes(32).toString('base64url')],
      // Cookies know no port: Vestibule, on the same host in the demo, has others of its own.
      names: { session: 'demo_eid_session', interaction: 'demo_eid_interaction', resume: 'demo_eid_resume' },
      long: { ...cookie, path: '/' },
      short: ownPages,
    },
    enabledJWA: {
      clientAuthSigningAlgValues: ['RS256'],
      idTokenSigningAlgValues: ['RS256'],
      idTokenEncryptionAlgValues: ['RSA-OAEP-256'],
      idTokenEncryptionEncValues: ['A128CBC-HS256'],
      requestObjectSigningAlgValues: ['RS256'],
      userinfoSigningAlgValues: ['RS256'],
      userinfoEncryptionAlgValues: ['RSA-OAEP-256'],
      userinfoEncryptionEncValues: ['A128CBC-HS256'],
    },
    features: {
      devInteractions: { enabled: false },
      backchannelLogout: { enabled: true },
      claimsParameter: { enabled: true },
      // Not demanded, but here for whoever asks so: with proofs, pushed requests and signed ones.
      dPoP: { enabled: true },
      encryption: { enabled: true },
      jwtUserinfo: { enabled: true },
      pushedAuthorizationRequests: { enabled: true },
      requestObjects: { enabled: true },
      rpInitiatedLogout: {
        enabled: true,
        logoutSource: (ctx, form) => {
          ctx.body = signOutPage(languageOf(ctx), form).text;
        },
        postLogoutSuccessSource: (ctx) => {
          ctx.type = 'html';
          ctx.body = signedOutPage(languageOf(ctx)).text;
        },
      },
    },
    fetch: (url, options) =>
      globalThis.fetch(url, new URL(String(url)).origin === new URL(vestibule).origin ? unguarded(options) : options),
    fetchResponseBodyLimits: { jwks_uri: 64 * 1024 },
    findAccount: async (_ctx, id) => {
      const citizen = citizenOf(id);
      return citizen && { accountId: id, claims: async () => ({ ...claimsOf(citizen), sub: id }) };
    },
    interactions: { policy: confirmedEachTime(), url: (_ctx, { uid }) => `/interaction/${uid}` },
    jwks: { keys: [key] },
    loadExistingGrant: grantWhatIsAsked,
    pairwiseIdentifier: async (_ctx, accountId, { sectorIdentifier }) => pairwiseSubject(sectorIdentifier, accountId),
    pkce: { required: () => true },
    renderError: (ctx, { error }) => {
      ctx.type = 'html';
      ctx.body = errorPage(languageOf(ctx), error).text;
    },
    responseTypes: ['code'],
    scopes: Object.keys(CLAIMS_BY_SCOPE),
    subjectTypes: ['pairwise'],
    // Short, as such providers have them: who is sent back has to come at once. Seconds.
    ttl: {
      AccessToken: 60,
      AuthorizationCode: 30,
      Grant: 8 * 3600,
      IdToken: 60,
      Interaction: 600,
      Session: 8 * 3600,
    },
  };
}

/**
 * An eID asks at every use, signed in or not: its session is there to be signed out of. It grants what was
 * confirmed, and compares levels by rank (in `routes.ts`) where the library compares names.
 */
function confirmedEachTime(): interactionPolicy.DefaultPolicy {
  const { base, Check } = interactionPolicy;
  const policy = base();
  const login = policy.get('login');
  if (!login) throw new Error('the protocol library lost its base policy');
  login.checks.remove('essential_acrs');
  login.checks.remove('essential_acr');
  login.checks.add(
    new Check(
      'each_time',
      'every use is confirmed by the person',
      'login_required',
      ({ oidc }) => oidc.result?.login === undefined,
    ),
  );
  policy.remove('consent');
  return policy;
}

/** The page before said what will be told. */
const grantWhatIsAsked: NonNullable<Configuration['loadExistingGrant']> = async ({ oidc }) => {
  const { client, account, provider } = oidc;
  if (!client || !account) return undefined;
  const grant = new provider.Grant({ clientId: client.clientId, accountId: account.accountId });
  grant.addOIDCScope([...oidc.requestParamOIDCScopes].join(' '));
  grant.addOIDCClaims([...oidc.requestParamClaims]);
  await grant.save();
  return grant;
};

/** Another for every relying party, and the same after a restart: links made to it last as long as the demo's data. */
const pairwiseSubject = (sector: unknown, accountId: string): string =>
  hash('sha256', `demo eID ${sector} ${accountId}`, 'base64url');

/** New at every start, so Vestibule has to notice that a key it knew is gone. */
export async function makeSigningKey() {
  const { privateKey } = await promisify(generateKeyPair)('rsa', { modulusLength: 2048 });
  return { ...privateKey.export({ format: 'jwk' }), kty: 'RSA', use: 'sig', alg: 'RS256' } as const;
}

/** The library calls no loopback address (server-side request forgery); the demo's Vestibule stands on one. */
function unguarded(options: RequestInit | undefined): RequestInit {
  const { dispatcher: _guard, ...rest } = (options ?? {}) as RequestInit & { dispatcher?: unknown };
  return rest;
}

const causeOf = ({ cause }: Error): string | undefined => (cause instanceof Error ? cause.message : undefined);

export const languageOf = (ctx: KoaContextWithOIDC): Language => {
  const wished = ctx.oidc?.params?.ui_locales;
  return chooseLanguage(typeof wished === 'string' ? wished : undefined, ctx.get('accept-language'));
};
