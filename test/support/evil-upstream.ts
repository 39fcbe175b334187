import { createHash } from 'node:crypto';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import {
  base64url,
  CompactEncrypt,
  CompactSign,
  type CryptoKey,
  exportJWK,
  generateKeyPair,
  importJWK,
  type JWK,
  type KeyObject,
} from 'jose';
import { SELF_SIGNED } from './evil-upstream-certificate.ts';

type Json = Readonly<Record<string, unknown>>;
type Path = 'metadata' | 'jwks' | 'token' | 'userinfo' | 'par';

/** How one token is made; what is left out is as it should be. */
export interface TokenScript {
  /** Laid over the right ones; undefined removes one. */
  readonly claims?: Json;
  readonly header?: Json;
  /** Signed with; `none` signs nothing. A key of the right type is taken unless one is given. */
  readonly alg?: string;
  readonly key?: CryptoKey | Uint8Array;
  /** Encrypted to this key of the relying party. */
  readonly encrypt?: {
    readonly alg: string;
    readonly enc: string;
    readonly key: JWK | Uint8Array;
    readonly header?: Json;
    /** Instead of the signed token. */
    readonly plaintext?: string;
  };
  /** Instead of any of it. */
  readonly raw?: string;
}

/** What it does wrong; everything left out it does right. */
export interface EvilScript {
  readonly metadata?: Json;
  readonly jwks?: readonly JWK[];
  readonly idToken?: TokenScript;
  /** Laid over the answer of the token endpoint. */
  readonly token?: Json;
  /** A JWT if this is `jwt`; else JSON. */
  readonly userinfo?: TokenScript & { readonly jwt?: boolean; readonly contentType?: string };
  /** Laid over the answer through the browser. */
  readonly answer?: Json;
  /** A DPoP nonce that must be used (RFC 9449 §8). */
  readonly dpopNonce?: string;
  /** Sends a byte now and then, and never ends. */
  readonly drips?: Path;
  /** Does not say how long its answers are. */
  readonly chunked?: boolean;
  readonly redirects?: Path;
  readonly fails?: Path;
}

export interface SeenRequest {
  readonly path: string;
  readonly method: string;
  readonly headers: IncomingHttpHeaders;
  readonly form: URLSearchParams;
}

interface Code {
  readonly nonce: string | null;
  readonly challenge: string | null;
  readonly redirectUri: string | null;
  used: boolean;
}

const ACCESS_TOKEN = 'access-token-of-the-evil-upstream';

/**
 * An OpenID provider on this machine that does as it is told, line by line (`script`), and right otherwise. It notes what
 * it was sent.
 */
export class EvilUpstream {
  readonly issuer: string;
  readonly clientId: string;
  readonly requests: SeenRequest[] = [];
  /** Of the scripts; a test expects none. */
  readonly faults: unknown[] = [];
  script: EvilScript = {};
  readonly #server: Server;
  readonly #now: () => number;
  readonly #keys: ReadonlyMap<string, { readonly key: CryptoKey; readonly jwk: JWK }>;
  readonly #codes = new Map<string, Code>();

  private constructor(
    server: Server,
    issuer: string,
    clientId: string,
    now: () => number,
    keys: EvilUpstream['signing'],
  ) {
    this.#server = server;
    this.issuer = issuer;
    this.clientId = clientId;
    this.#now = now;
    this.#keys = keys;
  }

  /** @param now milliseconds since the epoch */
  static async start(clientId: string, now: () => number, { tls = false } = {}): Promise<EvilUpstream> {
    const entries = await Promise.all(
      ['RS256', 'ES256', 'EdDSA'].map(async (alg) => {
        const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
        return [
          alg,
          { key: privateKey, jwk: { ...(await exportJWK(publicKey)), kid: `key-${alg}`, use: 'sig' } },
        ] as const;
      }),
    );
    let upstream: EvilUpstream | undefined;
    const handle = async (...[request, response]: Parameters<NonNullable<Parameters<typeof createServer>[1]>>) => {
      const parts: Buffer[] = [];
      for await (const part of request) parts.push(part as Buffer);
      try {
        await upstream?.answerTo(
          request.url ?? '',
          request.method ?? '',
          request.headers,
          Buffer.concat(parts),
          response,
        );
      } catch (error) {
        // A script that can't be played is a fault of the test.
        upstream?.faults.push(error);
        response.writeHead(599).end();
      }
    };
    const server = tls ? createTlsServer(SELF_SIGNED, handle) : createServer(handle);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    upstream = new EvilUpstream(
      server,
      `${tls ? 'https' : 'http'}://localhost:${port}`,
      clientId,
      now,
      new Map(entries),
    );
    return upstream;
  }

  async stop(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
      this.#server.closeAllConnections();
    });
  }

  /** Forgets what it was told and what it saw. */
  reset(): void {
    this.script = {};
    this.requests.length = 0;
    this.faults.length = 0;
    this.#codes.clear();
  }

  get signing(): ReadonlyMap<string, { readonly key: CryptoKey; readonly jwk: JWK }> {
    return this.#keys;
  }

  /** The last request to a path such as `/token`. */
  seen(path: string): SeenRequest {
    const found = this.requests.findLast((request) => request.path === path);
    if (!found) throw new Error(`the upstream saw no request to ${path}`);
    return found;
  }

  count(path: string): number {
    return this.requests.filter((request) => request.path === path).length;
  }

  /** A person signs in there at once. @returns what the browser brings to the callback */
  approve(address: string): URLSearchParams {
    const { searchParams } = new URL(address);
    const pushed = searchParams.get('request_uri') ? this.seen('/par').form : searchParams;
    const object = pushed.get('request');
    const asked = object ? new URLSearchParams(JSON.parse(text(object.split('.')[1]))) : pushed;
    const code = `code-${this.#codes.size + 1}`;
    this.#codes.set(code, {
      nonce: asked.get('nonce'),
      challenge: asked.get('code_challenge'),
      redirectUri: asked.get('redirect_uri'),
      used: false,
    });
    return new URLSearchParams(definedTexts({ code, state: asked.get('state'), ...this.script.answer }));
  }

  /** A token of this upstream; `claims` are the right ones. */
  async token(claims: Json, script: TokenScript = {}): Promise<string> {
    const { alg = 'RS256', encrypt, raw } = script;
    if (raw !== undefined) return raw;
    const payload = JSON.stringify({ ...claims, ...script.claims });
    const own = this.#keys.get(alg);
    const header = { alg, ...(own ? { kid: own.jwk.kid } : {}), ...script.header };
    const key = script.key ?? own?.key;
    const signed =
      alg === 'none'
        ? `${base64url.encode(JSON.stringify(header))}.${base64url.encode(payload)}.`
        : await new CompactSign(new TextEncoder().encode(payload))
            .setProtectedHeader(header)
            .sign(key as CryptoKey, { crit: { x: true } });
    if (!encrypt) return signed;
    const isRaw = encrypt.key instanceof Uint8Array;
    const to = isRaw ? (encrypt.key as Uint8Array) : ((await importJWK(encrypt.key as JWK, encrypt.alg)) as CryptoKey);
    const kid = isRaw ? {} : { kid: (encrypt.key as JWK).kid };
    return new CompactEncrypt(new TextEncoder().encode(encrypt.plaintext ?? signed))
      .setProtectedHeader({ alg: encrypt.alg, enc: encrypt.enc, cty: 'JWT', ...kid, ...encrypt.header } as never)
      .encrypt(to as CryptoKey | KeyObject);
  }

  /** Claims of a right ID token. */
  idTokenClaims(nonce: string | null): Json {
    const now = Math.floor(this.#now() / 1000);
    return {
      iss: this.issuer,
      sub: 'person-1',
      aud: this.clientId,
      exp: now + 60,
      iat: now,
      auth_time: now,
      nonce,
      acr: 'substantial',
      amr: ['face'],
      sid: 'session-1',
      at_hash: createHash('sha256').update(ACCESS_TOKEN).digest().subarray(0, 16).toString('base64url'),
    };
  }

  async answerTo(
    address: string,
    method: string,
    headers: IncomingHttpHeaders,
    body: Buffer,
    response: import('node:http').ServerResponse,
  ): Promise<void> {
    const { pathname: path } = new URL(address, this.issuer);
    this.requests.push({ path, method, headers, form: new URLSearchParams(body.toString()) });
    const name = PATHS[path];
    if (!name) return void response.writeHead(404).end();
    if (this.script.fails === name) return void response.writeHead(500).end();
    if (this.script.redirects === name)
      return void response.writeHead(302, { location: `${this.issuer}/elsewhere` }).end();
    if (this.script.drips === name) {
      response.writeHead(200, { 'content-type': 'application/json' });
      const timer = setInterval(() => response.write(' '), 20);
      response.on('close', () => clearInterval(timer));
      return;
    }
    const [status, type, content, more = {}] = await this.#reply(name);
    response.writeHead(status, { 'content-type': type, ...more });
    if (this.script.chunked) response.write(content.slice(0, 1));
    response.end(this.script.chunked ? content.slice(1) : content);
  }

  async #reply(name: Path): Promise<[number, string, string, Record<string, string>?]> {
    const json = (body: unknown, status = 200): [number, string, string] => [
      status,
      'application/json',
      JSON.stringify(body),
    ];
    switch (name) {
      case 'metadata':
        return json({
          issuer: this.issuer,
          authorization_endpoint: `${this.issuer}/authorize`,
          token_endpoint: `${this.issuer}/token`,
          userinfo_endpoint: `${this.issuer}/userinfo`,
          jwks_uri: `${this.issuer}/jwks`,
          pushed_authorization_request_endpoint: `${this.issuer}/par`,
          end_session_endpoint: `${this.issuer}/logout`,
          ...this.script.metadata,
        });
      case 'jwks':
        return json({ keys: this.script.jwks ?? [...this.#keys.values()].map(({ jwk }) => jwk) });
      case 'par':
        return (
          this.#demandsNonce('/par') ??
          json({ request_uri: 'urn:ietf:params:oauth:request_uri:1', expires_in: 60 }, 201)
        );
      case 'token':
        return this.#demandsNonce('/token') ?? this.#tokens(json);
      case 'userinfo': {
        const { jwt = false, contentType, ...script } = this.script.userinfo ?? {};
        const claims = { sub: 'person-1', given_name: 'Ada', email: 'ada@example.org', email_verified: 'true' };
        if (!jwt)
          return [
            200,
            contentType ?? 'application/json',
            script.raw ?? JSON.stringify({ ...claims, ...script.claims }),
          ];
        const signed = await this.token({ iss: this.issuer, aud: this.clientId, ...claims }, script);
        return [200, contentType ?? 'application/jwt', signed];
      }
    }
  }

  async #tokens(json: (body: unknown, status?: number) => [number, string, string]): Promise<[number, string, string]> {
    const { form } = this.seen('/token');
    const code = this.#codes.get(form.get('code') ?? '');
    const verifier = createHash('sha256')
      .update(form.get('code_verifier') ?? '')
      .digest('base64url');
    const isRight = code && !code.used && code.challenge === verifier && code.redirectUri === form.get('redirect_uri');
    if (!isRight) return json({ error: 'invalid_grant', error_description: 'a secret word: mellon' }, 400);
    code.used = true;
    return json({
      access_token: ACCESS_TOKEN,
      token_type: this.seen('/token').headers.dpop ? 'DPoP' : 'Bearer',
      id_token: await this.token(this.idTokenClaims(code.nonce), this.script.idToken),
      ...this.script.token,
    });
  }

  #demandsNonce(path: string): [number, string, string, Record<string, string>] | undefined {
    const { dpopNonce } = this.script;
    if (!dpopNonce) return undefined;
    const proof = String(this.seen(path).headers.dpop ?? '').split('.')[1];
    if (proof && JSON.parse(text(proof)).nonce === dpopNonce) return undefined;
    return [400, 'application/json', JSON.stringify({ error: 'use_dpop_nonce' }), { 'dpop-nonce': dpopNonce }];
  }
}

const PATHS: Readonly<Record<string, Path>> = {
  '/.well-known/openid-configuration': 'metadata',
  '/jwks': 'jwks',
  '/token': 'token',
  '/userinfo': 'userinfo',
  '/par': 'par',
};

const text = (encoded = ''): string => Buffer.from(encoded, 'base64url').toString();
const definedTexts = (values: Json): Record<string, string> =>
  Object.fromEntries(Object.entries(values).flatMap(([name, value]) => (value == null ? [] : [[name, String(value)]])));
