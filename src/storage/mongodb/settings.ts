export interface MongodbSettings {
  readonly engine: 'mongodb';
  /** `mongodb://` or `mongodb+srv://`, with user name and password; of a replica set or a sharded cluster. */
  readonly url: string;
  /** Nobody else's. */
  readonly database: string;
  /** PEM files, absolute. */
  readonly tls?:
    | { readonly ca?: string | undefined; readonly cert?: string | undefined; readonly key?: string | undefined }
    | undefined;
  /** Seconds until an answer is given up. */
  readonly timeout: number;
  /** Most connections to each server. */
  readonly connections: number;
}
