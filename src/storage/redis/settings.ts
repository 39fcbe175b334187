/** Where a server listens. */
export interface Address {
  readonly host: string;
  readonly port: number;
}

/** One of `url`, `sentinels` and `cluster` says where Redis is. Absent members may be undefined. */
export interface RedisSettings {
  readonly engine: 'redis';
  /** `redis://` or `rediss://` (TLS), with user, password and number of the database where there are any. */
  readonly url?: string | undefined;
  readonly sentinels?: readonly Address[] | undefined;
  /** What the Sentinels call the server they watch over. */
  readonly sentinel_name?: string | undefined;
  readonly sentinel_username?: string | undefined;
  readonly sentinel_password?: string | undefined;
  /** Some nodes of a cluster; the others are learnt from them. */
  readonly cluster?: readonly Address[] | undefined;
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  readonly database?: number | undefined;
  /** Present: TLS, also where `url` says `redis://`. Paths of PEM files, absolute. */
  readonly tls?:
    | {
        readonly ca?: string | undefined;
        readonly cert?: string | undefined;
        readonly key?: string | undefined;
        readonly server_name?: string | undefined;
      }
    | undefined;
  readonly key_prefix: string;
  /** Seconds an answer is waited for. */
  readonly timeout: number;
}
