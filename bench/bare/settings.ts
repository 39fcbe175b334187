import type { JWK } from 'oidc-provider';

/** What the bare server is started with, as one JSON argument. */
export interface BareSettings {
  readonly port: number;
  readonly issuer: string;
  /** The library's own in-memory adapter, or a plain adapter on this SQLite file. */
  readonly store: 'memory' | { readonly path: string; readonly synchronous: 'NORMAL' | 'FULL' };
  readonly cookieKey: string;
  readonly signingKey: JWK;
  readonly clients: readonly { readonly client_id: string; readonly [name: string]: unknown }[];
  readonly people: readonly BarePerson[];
}

export interface BarePerson {
  readonly username: string;
  /** base64 */
  readonly salt: string;
  readonly hash: string;
  readonly parameters: { readonly memory: number; readonly passes: number; readonly parallelism: number };
}
