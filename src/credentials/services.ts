import type { Config } from '../config/config.ts';
import type { Clock } from '../kernel/clock.ts';
import type { Logger } from '../kernel/logger.ts';
import type { Random } from '../kernel/random.ts';
import type { SecretBox } from '../kernel/secret-box.ts';
import type { SendCode } from '../notifications/index.ts';
import type { AccountStore, ArtifactStore, CounterStore, CredentialStore } from '../storage/ports.ts';

/** What every factor may need. */
export interface CredentialServices {
  readonly store: CredentialStore;
  readonly accounts: Pick<AccountStore, 'count' | 'find'>;
  /** Where ceremonies under way are remembered. */
  readonly challenges: ArtifactStore;
  readonly counters: CounterStore;
  /** Hands a code to a telephone; absent where no gateway is configured. */
  readonly sendCode?: SendCode | undefined;
  /** To be told of every change to how an account signs in. */
  changed(accountId: string): Promise<void>;
  readonly clock: Clock;
  readonly random: Random;
  readonly secretBox: SecretBox;
  readonly logger: Logger;
  readonly config: Config;
}
