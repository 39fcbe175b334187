import * as client from 'openid-client';
import type { Portal } from './portals.ts';

/** Asks for two factors (REFEDS MFA Profile). */
export const MULTI_FACTOR = 'https://refeds.org/profile/mfa';

const SUBSTANTIAL = 'http://eidas.europa.eu/LoA/substantial';
const HIGH = 'http://eidas.europa.eu/LoA/high';

/** What satisfies a wish besides the level itself: those that stand above it. */
const MORE_THAN: Readonly<Record<string, readonly unknown[]>> = {
  [MULTI_FACTOR]: ['phr', 'phrh', SUBSTANTIAL, HIGH],
  [SUBSTANTIAL]: [HIGH],
};

/** Whether a sign-in of level `acr` is enough for whoever asks for any one of `acrValues`. */
export const satisfies = (acr: unknown, acrValues: string): boolean =>
  acrValues.split(' ').some((wish) => wish === acr || MORE_THAN[wish]?.includes(acr) === true);

/** How sure a portal, or an API behind it, needs to be of the person. */
export interface Demand {
  /** Levels of assurance, separated by spaces; any one of them will do. */
  readonly acrValues?: string;
  /** Seconds the sign-in may be old. */
  readonly maxAge?: number;
}

/** Kept in the session while the person is away at the provider; each is used once. */
export interface Attempt {
  readonly state: string;
  readonly nonce: string;
  readonly codeVerifier: string;
  readonly demand: Demand;
  /** The page to come back to, below the portal's own. */
  readonly page: string;
}

export interface Person {
  /** Who it is, for good: `sub` is the key to store data under, never the e-mail address. */
  readonly sub: string;
  readonly name: string;
  readonly claims: client.IDToken;
  /** The signed ID token: the proof that goes along when signing out. */
  readonly idToken: string;
  /** Opens the portal's API. */
  readonly accessToken: string;
}

/** What an API answered: its JSON, or what has to be asked of the provider first. */
export type ApiAnswer = { readonly body: unknown } | { readonly demand: Demand };

/**
 * Everything a portal says to the provider: OpenID Connect's authorization code flow with
 * PKCE (RFC 7636), `state` and `nonce`, all three checked by `openid-client`.
 */
export class RelyingParty {
  readonly #portal: Portal;
  readonly #issuer: URL;
  readonly #home: string;
  #discovered: Promise<client.Configuration> | undefined;

  /** @param home the portal's own page; its callback stands below it */
  constructor(portal: Portal, issuer: string, home: string) {
    this.#portal = portal;
    this.#issuer = new URL(issuer);
    this.#home = home;
  }

  /** The provider's metadata, fetched at first need: a failure isn't remembered, the next call tries again. */
  provider(): Promise<client.Configuration> {
    this.#discovered ??= client
      .discovery(this.#issuer, this.#portal.clientId, undefined, client.ClientSecretBasic(this.#portal.clientSecret), {
        timeout: 5,
        execute: [
          // Checks the ID token's signature too, which TLS alone would otherwise vouch for.
          client.enableNonRepudiationChecks,
          // Plain http is for a provider on localhost; any other one is reached by https.
          ...(this.#issuer.protocol === 'http:' ? [client.allowInsecureRequests] : []),
        ],
      })
      .catch((error: unknown) => {
        this.#discovered = undefined;
        throw error;
      });
    return this.#discovered;
  }

  /** Begins: remember `attempt` in the visitor's session, then redirect to `url`. */
  async begin(wish: {
    demand: Demand;
    page: string;
    language: string | undefined;
  }): Promise<{ url: URL; attempt: Attempt }> {
    const { acrValues, maxAge } = wish.demand;
    const attempt: Attempt = {
      state: client.randomState(),
      nonce: client.randomNonce(),
      codeVerifier: client.randomPKCECodeVerifier(),
      demand: wish.demand,
      page: wish.page,
    };
    const url = client.buildAuthorizationUrl(await this.provider(), {
      redirect_uri: `${this.#home}/callback`,
      scope: 'openid profile email',
      state: attempt.state,
      nonce: attempt.nonce,
      code_challenge: await client.calculatePKCECodeChallenge(attempt.codeVerifier),
      code_challenge_method: 'S256',
      ...(this.#portal.claims ? { claims: inIdToken(this.#portal.claims) } : {}),
      ...(acrValues === undefined ? {} : { acr_values: acrValues }),
      ...(maxAge === undefined ? {} : { max_age: String(maxAge) }),
      ...(wish.language ? { ui_locales: wish.language } : {}),
    });
    return { url, attempt };
  }

  /**
   * Finishes: swaps the code for tokens.
   * @param url the callback's full address as it was requested
   * @returns the person, and whether the assurance asked for was reached: `acr_values` is a wish,
   *   so the portal looks at the answer
   * @throws client.AuthorizationResponseError when the provider says no, and others when a check fails
   */
  async finish(url: URL, attempt: Attempt): Promise<{ person: Person; reached: boolean }> {
    const provider = await this.provider();
    const { acrValues, maxAge } = attempt.demand;
    const tokens = await client.authorizationCodeGrant(provider, url, {
      pkceCodeVerifier: attempt.codeVerifier,
      expectedState: attempt.state,
      expectedNonce: attempt.nonce,
      idTokenExpected: true,
      ...(maxAge === undefined ? {} : { maxAge }),
    });
    const claims = tokens.claims();
    if (!claims || !tokens.id_token) throw new Error('no ID token');
    // The ID token says who and how; the profile comes from the userinfo endpoint, for the same `sub`.
    const profile = await client.fetchUserInfo(provider, tokens.access_token, claims.sub);
    return {
      person: {
        sub: claims.sub,
        name: profile.name ?? profile.preferred_username ?? claims.sub,
        claims,
        idToken: tokens.id_token,
        accessToken: tokens.access_token,
      },
      reached: acrValues === undefined || satisfies(claims.acr, acrValues),
    };
  }

  /**
   * Asks an API in the person's name. When it wants to be surer of the person (RFC 9470 §3) its
   * challenge is the demand to `begin` with; a token that has ended needs a new one and no more.
   * @throws Error when it doesn't answer, or refuses for another reason
   */
  async ask(address: URL, accessToken: string): Promise<ApiAnswer> {
    try {
      const answer = await client.fetchProtectedResource(await this.provider(), accessToken, address, 'GET');
      if (!answer.ok) throw new Error(`${address.pathname} answered ${answer.status}`);
      return { body: await answer.json() };
    } catch (error) {
      const challenge = error instanceof client.WWWAuthenticateChallengeError ? bearerIn(error) : undefined;
      if (challenge?.error === 'invalid_token') return { demand: {} };
      if (challenge?.error !== 'insufficient_user_authentication') throw error;
      return { demand: demandIn(challenge) };
    }
  }

  /** Where to send a person who signs out, so that they sign out at the provider too. */
  async signOutAddress(idToken: string): Promise<URL> {
    return client.buildEndSessionUrl(await this.provider(), {
      id_token_hint: idToken,
      post_logout_redirect_uri: this.#home,
    });
  }
}

/** OpenID Connect Core §5.5: each is welcome, none is demanded. */
const inIdToken = (names: readonly string[]): string =>
  JSON.stringify({ id_token: Object.fromEntries(names.map((name) => [name, null])) });

const bearerIn = ({
  cause,
}: client.WWWAuthenticateChallengeError): client.WWWAuthenticateChallengeParameters | undefined =>
  cause.find(({ scheme }) => scheme === 'bearer')?.parameters;

/** Only what such a challenge may say, each as RFC 9470 §3 writes it. */
function demandIn(challenge: client.WWWAuthenticateChallengeParameters): Demand {
  const { acr_values: acrValues, max_age: maxAge } = challenge as Readonly<Record<string, string | undefined>>;
  return {
    ...(acrValues ? { acrValues } : {}),
    ...(maxAge !== undefined && /^\d{1,9}$/.test(maxAge) ? { maxAge: Number(maxAge) } : {}),
  };
}
