import type { SoftwareAuthenticator } from '../support/authenticator/index.ts';

/** What one account must be like, by what its owner was told. */
export interface Account {
  readonly username: string;
  /** Acknowledged last. */
  password: string;
  /** Asked for, and the answer never came: it may be the password. */
  proposed: string | undefined;
  /** Acknowledged once, and replaced since. */
  readonly former: string[];
  /** Acknowledged changes of the password: a notice is owed for each. */
  changes: number;
  /** `certain`: its activation was acknowledged. */
  app: { readonly secret: string; readonly certain: boolean; lastStep: number } | undefined;
  /** Acknowledged. */
  readonly passkeys: SoftwareAuthenticator[];
  /** Scopes by client, acknowledged. */
  readonly consents: Map<string, Set<string>>;
}

export const newAccount = (username: string, password: string): Account => ({
  username,
  password,
  proposed: undefined,
  former: [],
  changes: 0,
  app: undefined,
  passkeys: [],
  consents: new Map(),
});

export const addressOf = ({ username }: Pick<Account, 'username'>): string => `${username}@mail.example`;

/** Long, and on no list. */
export const newPassword = (): string => `${crypto.randomUUID()}-demo`;
