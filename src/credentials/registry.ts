import { createPasswordFactor, type PasswordFactor } from './password/index.ts';
import type { CredentialServices } from './services.ts';

export interface Credentials {
  readonly password: PasswordFactor;
  close(): Promise<void>;
}

/** Every factor there is: one line each. */
export function createCredentials(services: CredentialServices): Credentials {
  const password = createPasswordFactor(services);
  return { password, close: () => password.close() };
}
