import type { Config } from '../config/config.ts';
import type { Clock } from '../kernel/clock.ts';
import type { Logger } from '../kernel/logger.ts';
import type { Random } from '../kernel/random.ts';
import type { SecretBox } from '../kernel/secret-box.ts';
import type { AccountStore, ArtifactStore, CredentialStore } from '../storage/ports.ts';

/** What every factor may need. */
export interface CredentialServices {
  readonly store: CredentialStore;
  readonly accounts: Pick<AccountStore, 'count'>;
  /** Where ceremonies under way are remembered. */
  readonly challenges: ArtifactStore;
  readonly clock: Clock;
  readonly random: Random;
  readonly secretBox: SecretBox;
  readonly logger: Logger;
  readonly config: Config;
}
