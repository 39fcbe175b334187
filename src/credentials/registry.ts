import type { Config } from '../config/config.ts';
import type { Clock } from '../kernel/clock.ts';
import type { Logger } from '../kernel/logger.ts';
import type { Random } from '../kernel/random.ts';
import type { CredentialStore } from '../storage/ports.ts';
import { createPasswordFactor, type PasswordFactor } from './password/index.ts';

export interface Credentials {
  readonly password: PasswordFactor;
  close(): Promise<void>;
}

export interface CredentialServices {
  readonly store: CredentialStore;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly settings: Config['passwords'];
}

/** Every factor there is: one line each. */
export function createCredentials(services: CredentialServices): Credentials {
  const password = createPasswordFactor(services);
  return { password, close: () => password.close() };
}
