import type { Config } from '../config/config.ts';
import type { Clock } from '../kernel/clock.ts';
import type { Logger } from '../kernel/logger.ts';
import type { Random } from '../kernel/random.ts';
import type { CredentialStore } from '../storage/ports.ts';

/** What every factor may need. */
export interface CredentialServices {
  readonly store: CredentialStore;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly settings: Config['passwords'];
}
