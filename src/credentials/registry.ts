import type { Factor } from './factor.ts';
import { createPasskeyFactor, type PasskeyFactor } from './passkey/index.ts';
import { createPasswordFactor, type PasswordFactor } from './password/index.ts';
import type { CredentialServices } from './services.ts';

export interface Credentials {
  readonly password: PasswordFactor;
  readonly passkey: PasskeyFactor;
  /** All of them. */
  readonly factors: readonly Factor[];
  /** Ids of those that sign somebody in by themselves. */
  readonly waysIn: readonly string[];
  /** What the account could prove with everything it has enrolled (RFC 8176). */
  potential(accountId: string): Promise<string[]>;
  close(): Promise<void>;
}

/** Every factor there is: one line each. */
export function createCredentials(services: CredentialServices): Credentials {
  const password = createPasswordFactor(services);
  const passkey = createPasskeyFactor(services);
  const factors: readonly Factor[] = [password, passkey];
  return {
    password,
    passkey,
    factors,
    waysIn: [password.id, passkey.id],
    async potential(accountId) {
      const each = await Promise.all(factors.map((factor) => factor.potential(accountId)));
      return [...new Set(each.flat())];
    },
    close: () => password.close(),
  };
}
