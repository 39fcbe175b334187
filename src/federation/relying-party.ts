import { createHash } from 'node:crypto';
import * as client from 'openid-client';
import { type Clock, epochSeconds } from '../kernel/clock.ts';
import type { Logger } from '../kernel/logger.ts';
import { type Random, systemRandom } from '../kernel/random.ts';
import { requestParameters, type Wanted } from './authorization-request.ts';
import { checkCallback } from './callback.ts';
import { createClientAuthentication } from './client-authentication.ts';
import { within } from './deadline.ts';
import { discover, FETCH_TIMEOUT, type UpstreamMetadata } from './discovery.ts';
import { type DpopKey, dpopHandle, dpopThumbprint, makeDpopKey } from './dpop.ts';
import { UpstreamError, upstreamError } from './errors.ts';
import { fetchUserinfo, openingIdToken, type Reply } from './exchange.ts';
import type { UpstreamFetch } from './guarded-fetch.ts';
import { checkIdToken } from './id-token.ts';
import { type Identity, identityOf } from './identity.ts';
import { createKeySet } from './key-set.ts';
import type { UpstreamKeys } from './keys.ts';
import { readLogoutToken, type UpstreamLogout } from './logout-token.ts';
import { remember } from './remembered.ts';
import { createTokenOpener } from './token-opener.ts';
import type { Upstream } from './upstream.ts';

/** Milliseconds for all requests of one leg together. */
const LEG_TIMEOUT = 10_000;
/** Seconds a signed request is good for: a telephone on a slow network needs some of them. */
const REQUEST_LIFETIME = 300;

/** What is remembered of a request until its answer comes; secret, so kept sealed. Plain JSON. */
export interface RequestSecrets {
  readonly state: string;
  readonly nonce: string;
  readonly codeVerifier: string;
  readonly dpopKey?: DpopKey;
  readonly wanted: Wanted;
  /** Seconds since the epoch. */
  readonly askedAt: number;
}

export interface RelyingPartyDeps {
  readonly keys: UpstreamKeys;
  /** Absolute address of `/external/<id>/callback`, without query. */
  readonly callback: string;
  /** `createGuardedFetch`: one for all upstreams, or one each where their trusted origins differ. */
  readonly fetch: UpstreamFetch;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly random?: Random;
  /** Milliseconds: for one request, and for all of a leg. */
  readonly timeouts?: { readonly request: number; readonly leg: number };
}

/** This server as a relying party of one upstream. Every verb throws `UpstreamError`. */
export interface RelyingParty {
  readonly upstream: Upstream;
  /** Where the browser is sent, and what the transaction keeps. @throws UpstreamError `level` when it can't be reached */
  authorizationRequest(wanted: Wanted): Promise<{ readonly url: string; readonly secrets: RequestSecrets }>;
  /**
   * Exchanges the code and learns who came back. A transaction is redeemed first: this does not know whether it was
   * called before.
   * @param parameters what came to the callback, by query or form
   */
  identity(parameters: URLSearchParams, secrets: RequestSecrets): Promise<Identity>;
  /** Where the browser is sent to sign out there. @returns undefined where it isn't to be, or can't be */
  endSession(idTokenHint: string, postLogoutRedirectUri: string, state: string): Promise<string | undefined>;
  /** @throws UpstreamError `logout_token` */
  logoutToken(jwt: string): Promise<UpstreamLogout>;
}

export function createRelyingParty(upstream: Upstream, deps: RelyingPartyDeps): RelyingParty {
  const { keys, callback, clock, logger, random = systemRandom } = deps;
  const { request: requestTimeout, leg: legTimeout } = deps.timeouts ?? { request: FETCH_TIMEOUT, leg: LEG_TIMEOUT };
  const log = logger.child({ provider: upstream.id });
  const remembered = remember(
    async () => (await discover(upstream, deps.fetch, requestTimeout)).metadata,
    clock,
    (error) => log.warn({ event: 'federation.metadata_kept', problem: String(error) }),
  );
  const keySet = createKeySet({
    address: async () => (await remembered.get()).jwks_uri,
    fetch: deps.fetch,
    clock,
    logger: log,
    timeout: requestTimeout,
  });
  const open = createTokenOpener({ upstream, keys, keySet, clock });
  const authenticate = createClientAuthentication({ upstream, keys, clock });

  /** What the library is told, for one leg: its signal and what is done to answers are this leg's alone. */
  const configure = async (metadata: UpstreamMetadata, signal: AbortSignal, reply?: Reply) => {
    const server: client.ServerMetadata = {
      ...metadata,
      id_token_signing_alg_values_supported: [...upstream.idToken.signedWith],
    };
    const times = {
      [client.clockSkew]: Math.round((clock.now() - Date.now()) / 1000),
      [client.clockTolerance]: upstream.clockTolerance,
    };
    const configuration = new client.Configuration(server, upstream.clientId, times, await authenticate(metadata));
    configuration[client.customFetch] = async (address, { method, headers, body, signal: one }) => {
      const response = await deps.fetch(address, {
        method,
        headers: headers as Record<string, string>,
        body: body === null || body === undefined ? undefined : String(body),
        signal: one ? AbortSignal.any([signal, one]) : signal,
      });
      return reply ? reply(address, response) : response;
    };
    configuration.timeout = requestTimeout / 1000;
    // The metadata has no such address unless the issuer itself is on this machine.
    if (upstream.issuer.startsWith('http:')) client.allowInsecureRequests(configuration);
    return configuration;
  };

  const addressOf = async (
    configuration: client.Configuration,
    parameters: Record<string, string>,
    dpopKey: DpopKey | undefined,
  ): Promise<URL> => {
    switch (upstream.request) {
      case 'plain':
        return client.buildAuthorizationUrl(configuration, parameters);
      case 'pushed': {
        const dpop = dpopKey ? { DPoP: await dpopHandle(configuration, dpopKey) } : {};
        return client.buildAuthorizationUrlWithPAR(configuration, parameters, dpop);
      }
      case 'signed': {
        const { authentication } = upstream;
        const alg = authentication.method === 'private_key_jwt' ? authentication.alg : 'RS256';
        const address = await client.buildAuthorizationUrlWithJAR(
          configuration,
          parameters,
          await keys.signingKey(alg),
          {
            [client.modifyAssertion]: (header, payload) => {
              header.alg = alg;
              payload.exp = Number(payload.iat) + REQUEST_LIFETIME;
            },
          },
        );
        // OpenID Connect Core §6.1: beside the request object as well, for those that don't know RFC 9101.
        address.searchParams.set('response_type', 'code');
        address.searchParams.set('scope', upstream.scope);
        return address;
      }
    }
  };

  return {
    upstream,

    authorizationRequest: (wanted) =>
      within(legTimeout, async (signal) => {
        const [state, nonce] = [random.bytes(32).toString('hex'), random.bytes(32).toString('hex')];
        const codeVerifier = random.bytes(32).toString('base64url');
        const dpopKey = upstream.dpop ? await makeDpopKey() : undefined;
        const parameters = requestParameters(upstream, wanted, {
          callback,
          state,
          nonce,
          codeChallenge: createHash('sha256').update(codeVerifier).digest('base64url'),
          dpopThumbprint: dpopKey && (await dpopThumbprint(dpopKey)),
        });
        const askedAt = epochSeconds(clock);
        const secrets = { state, nonce, codeVerifier, ...(dpopKey ? { dpopKey } : {}), wanted, askedAt };
        const configuration = await configure(await remembered.get(), signal);
        const url = await addressOf(configuration, parameters, dpopKey);
        return { url: url.href, secrets };
      }).catch((error) => {
        throw upstreamError(upstream.request === 'pushed' ? 'pushed_request' : 'internal', error);
      }),

    identity: (parameters, secrets) =>
      within(legTimeout, async (signal) => {
        const metadata = await remembered.get();
        checkCallback(parameters, secrets.state, metadata);
        const { nonce, askedAt, wanted, codeVerifier, dpopKey } = secrets;
        let subject = '';
        const { reply, idToken } = openingIdToken(metadata, upstream, open, (opened, accessToken) => {
          subject = checkIdToken(opened, { nonce, accessToken, askedAt, wanted }, upstream, clock);
        });
        const configuration = await configure(metadata, signal, reply);
        const dpop = dpopKey && (await dpopHandle(configuration, dpopKey));
        const address = new URL(callback);
        address.search = parameters.toString();
        const checks = { expectedState: secrets.state, expectedNonce: nonce, pkceCodeVerifier: codeVerifier };
        const tokens = await client.authorizationCodeGrant(
          configuration,
          address,
          { ...checks, idTokenExpected: true },
          undefined,
          dpop ? { DPoP: dpop } : undefined,
        );
        const opened = idToken();
        if (!opened) throw new UpstreamError('token_endpoint', 'the upstream sent no ID token');
        if (dpop && tokens.token_type !== 'dpop') {
          throw new UpstreamError('token_endpoint', 'the access token is not bound to our key');
        }
        const userinfo = await fetchUserinfo(configuration, {
          upstream,
          metadata,
          open,
          accessToken: tokens.access_token,
          subject,
          dpop,
        });
        const { issuer } = metadata;
        const sources = { issuer, sub: subject, idToken: opened.jws, idTokenClaims: opened.claims, userinfo };
        return identityOf(upstream, sources, wanted.acr);
      }).catch((error) => {
        throw upstreamError('token_endpoint', error);
      }),

    async endSession(idTokenHint, postLogoutRedirectUri, state) {
      if (!upstream.logout.rpInitiated) return undefined;
      const metadata = await remembered.get();
      if (!metadata.end_session_endpoint) return undefined;
      const url = new URL(metadata.end_session_endpoint);
      url.searchParams.set('id_token_hint', idTokenHint);
      url.searchParams.set('client_id', upstream.clientId);
      url.searchParams.set('post_logout_redirect_uri', postLogoutRedirectUri);
      url.searchParams.set('state', state);
      return url.href;
    },

    logoutToken: (jwt) => within(legTimeout, () => readLogoutToken(jwt, upstream, open)),
  };
}
