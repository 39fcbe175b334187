import type { JWK } from 'oidc-provider';

/** `vestibule` is on SQLite; `redis` and `mongodb` are Vestibule on these. */
export type SubjectId = 'vestibule' | 'redis' | 'mongodb' | BareId;
export type BareId = 'memory' | 'sqlite' | 'sqlite-full';

/** A server: what to start, and where it will be. */
export interface Program {
  readonly label: string;
  readonly port: number;
  /** Program and arguments for node. */
  readonly program: readonly string[];
  readonly nodeOptions?: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

/** One of the servers compared. */
export interface Subject extends Program {
  readonly id: SubjectId;
}

export interface Person {
  readonly username: string;
  readonly password: string;
}

export interface Argon2id {
  readonly memory: number;
  readonly passes: number;
  readonly parallelism: number;
}

/** What all servers know alike. */
export interface World {
  readonly people: readonly Person[];
  readonly clients: readonly ({ readonly client_id: string } & Readonly<Record<string, unknown>>)[];
  readonly signingKey: JWK;
  readonly argon2id: Argon2id;
}

export const REDIRECT_URI = 'http://localhost:3001/callback';
export const SECRET = 'bench-client-secret-0123456789abcdef';
/** Relying parties: web sign-in, sign-in with refresh tokens, a machine. */
export const CLIENT = { web: 'bench-web', refresh: 'bench-refresh', machine: 'bench-machine' } as const;

const client = (id: string, grants: readonly string[]) => {
  const web = grants.includes('authorization_code');
  return {
    client_id: id,
    client_name: id,
    client_secret: SECRET,
    token_endpoint_auth_method: 'client_secret_basic',
    grant_types: grants,
    response_types: web ? ['code'] : [],
    redirect_uris: web ? [REDIRECT_URI] : [],
    id_token_signed_response_alg: 'RS256',
  };
};

export const CLIENTS: World['clients'] = [
  client(CLIENT.web, ['authorization_code']),
  client(CLIENT.refresh, ['authorization_code', 'refresh_token']),
  client(CLIENT.machine, ['client_credentials']),
];
