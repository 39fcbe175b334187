import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import * as client from 'openid-client';
import type { ClientFileContents } from './config-folder.ts';

/** A confidential first-party client that may refresh; `over` replaces what a test is about. */
export function clientFile(clientId: string, over: Readonly<Record<string, unknown>> = {}): ClientFileContents {
  return {
    client_id: clientId,
    client_name: `Portal ${clientId}`,
    client_secret: `${clientId}-secret-for-tests`,
    redirect_uris: [`http://localhost:9/${clientId}/callback`],
    post_logout_redirect_uris: [`http://localhost:9/${clientId}`],
    grant_types: ['authorization_code', 'refresh_token'],
    vestibule: { first_party: true },
    ...over,
  };
}

/** The server as a portal sees it; a `Vestibule` is one. */
export interface PortalOptions {
  readonly issuer: string;
  /** Port of 127.0.0.1 where it listens, for an issuer that is the address of a proxy. */
  readonly port?: number;
  /** Its clock, by which tokens are judged. */
  now?(): number;
}

interface Pending {
  readonly nonce: string;
  readonly codeVerifier: string;
  readonly redirectUri: string;
}

/**
 * A relying party made with openid-client, which checks everything that a relying party must.
 * `await Portal.discover(vestibule, clientFile('mutuelle'))`; the same object makes the client file.
 */
export class Portal {
  readonly redirectUri: string;
  readonly metadata: client.ServerMetadata;
  readonly #server: PortalOptions;
  readonly #file: ClientFileContents;
  readonly #authentication: client.ClientAuth;
  readonly #pending = new Map<string, Pending>();

  private constructor(
    server: PortalOptions,
    metadata: client.ServerMetadata,
    file: ClientFileContents,
    authentication?: client.ClientAuth,
  ) {
    this.#server = server;
    this.metadata = metadata;
    this.#file = file;
    this.redirectUri = (file.redirect_uris as readonly string[] | undefined)?.[0] ?? '';
    this.#authentication = authentication ?? authenticationOf(file);
  }

  /** @param authentication of the token endpoint where a secret does not do (`PrivateKeyJwt`) */
  static async discover(
    server: PortalOptions,
    file: ClientFileContents,
    authentication?: client.ClientAuth,
  ): Promise<Portal> {
    const found = await client.discovery(new URL(server.issuer), file.client_id, undefined, undefined, {
      execute: [client.allowInsecureRequests],
      [client.customFetch]: throughProxy(server),
    });
    return new Portal(server, found.serverMetadata(), file, authentication);
  }

  /** For calls of openid-client that are not wrapped here (`client.initiateDeviceAuthorization(…)`). */
  get configuration(): client.Configuration {
    const { redirect_uris: _uris, vestibule: _own, ...metadata } = this.#file;
    const skew = Math.round(((this.#server.now?.() ?? Date.now()) - Date.now()) / 1000);
    const configuration = new client.Configuration(
      this.metadata,
      this.#file.client_id,
      { ...(metadata as Partial<client.ClientMetadata>), [client.clockSkew]: skew },
      this.#authentication,
    );
    client.allowInsecureRequests(configuration);
    configuration[client.customFetch] = throughProxy(this.#server);
    return configuration;
  }

  /** Where the portal sends a person to sign in, with PKCE, state and nonce of its own. */
  async authorizationUrl(parameters: Readonly<Record<string, string>> = {}): Promise<URL> {
    return client.buildAuthorizationUrl(this.configuration, await this.#parameters(parameters));
  }

  /** The same by a pushed authorization request (RFC 9126). */
  async pushedAuthorizationUrl(parameters: Readonly<Record<string, string>> = {}): Promise<URL> {
    return client.buildAuthorizationUrlWithPAR(this.configuration, await this.#parameters(parameters));
  }

  /** Exchanges the code in the callback's address for tokens; every check is on. */
  async exchange(callback: URL, checks: client.AuthorizationCodeGrantChecks = {}) {
    const state = callback.searchParams.get('state') ?? '';
    const pending = this.#pending.get(state);
    if (!pending) throw new Error(`the portal knows no state "${state}": ${callback.href}`);
    return client.authorizationCodeGrant(this.configuration, callback, {
      expectedState: state,
      expectedNonce: pending.nonce,
      pkceCodeVerifier: pending.codeVerifier,
      idTokenExpected: true,
      ...checks,
    });
  }

  /** What the exchange of a code takes besides the code, for tests that send it themselves. */
  pending(callback: URL): Pending | undefined {
    return this.#pending.get(callback.searchParams.get('state') ?? '');
  }

  async refresh(refreshToken: string, parameters: Record<string, string> = {}) {
    return client.refreshTokenGrant(this.configuration, refreshToken, parameters);
  }

  async userinfo(accessToken: string, subject?: string) {
    return client.fetchUserInfo(this.configuration, accessToken, subject ?? client.skipSubjectCheck);
  }

  endSessionUrl(parameters: Record<string, string> = {}): URL {
    return client.buildEndSessionUrl(this.configuration, parameters);
  }

  async #parameters(over: Readonly<Record<string, string>>): Promise<Record<string, string>> {
    const codeVerifier = client.randomPKCECodeVerifier();
    const parameters = {
      redirect_uri: this.redirectUri,
      scope: 'openid',
      state: client.randomState(),
      nonce: client.randomNonce(),
      code_challenge: await client.calculatePKCECodeChallenge(codeVerifier),
      code_challenge_method: 'S256',
      ...over,
    };
    const { state, nonce, redirect_uri: redirectUri } = parameters;
    this.#pending.set(state, { nonce, codeVerifier, redirectUri });
    return parameters;
  }
}

/** An issuer with https is reached as through the proxy that ends TLS. */
function throughProxy({ issuer, port }: PortalOptions): client.CustomFetch {
  return (address, options) => {
    const url = new URL(address);
    if (url.protocol !== 'https:' || url.origin !== issuer || port === undefined)
      return fetch(url, options as RequestInit);
    const headers = { ...options.headers, 'x-forwarded-proto': 'https', 'x-forwarded-host': url.host };
    return fetch(new URL(url.pathname + url.search, `http://127.0.0.1:${port}`), {
      ...options,
      headers,
    } as RequestInit);
  };
}

function authenticationOf(file: ClientFileContents): client.ClientAuth {
  const secret = String(file.client_secret ?? '');
  if (file.token_endpoint_auth_method === 'none') return client.None();
  if (file.token_endpoint_auth_method === 'client_secret_post') return client.ClientSecretPost(secret);
  return client.ClientSecretBasic(secret);
}

/**
 * A callback that really answers, for tests in a browser (a visitor needs none: it stops at the
 * redirect). `next()` resolves with the address at which somebody arrives.
 */
export async function listenForCallback(port: number): Promise<{
  readonly redirectUri: string;
  next(): Promise<URL>;
  close(): Promise<void>;
}> {
  const arrived: URL[] = [];
  const waiting: ((url: URL) => void)[] = [];
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', `http://localhost:${port}`);
    response.setHeader('content-type', 'text/html; charset=utf-8');
    response.end('<!doctype html><html lang="en"><title>Portal</title><h1 id="arrived">Portal</h1></html>');
    // A browser asks for its icon, too.
    if (url.pathname !== '/callback') return;
    const next = waiting.shift();
    if (next) next(url);
    else arrived.push(url);
  });
  await new Promise<void>((resolve) => server.listen(port, 'localhost', resolve));
  const listening = (server.address() as AddressInfo).port;
  return {
    redirectUri: `http://localhost:${listening}/callback`,
    next: async () => arrived.shift() ?? new Promise<URL>((resolve) => waiting.push(resolve)),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
