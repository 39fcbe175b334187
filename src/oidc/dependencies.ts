import type { Accounts } from '../accounts/index.ts';
import type { Config } from '../config/config.ts';
import type { Acr } from '../journey/index.ts';
import type { Clock } from '../kernel/clock.ts';
import type { Logger } from '../kernel/logger.ts';
import type { SecretBox } from '../kernel/secret-box.ts';
import type { DurableStorage, EphemeralStorage } from '../storage/ports.ts';
import type { ProtocolMeters } from './events.ts';
import type { SigningKey } from './keys.ts';
import type { ProviderPages } from './pages.ts';

/** Everything the provider is built from. */
export interface ProviderDependencies {
  readonly config: Config;
  readonly accounts: Accounts;
  readonly durable: DurableStorage;
  readonly ephemeral: EphemeralStorage;
  readonly secretBox: SecretBox;
  readonly signingKeys: readonly SigningKey[];
  readonly clock: Clock;
  readonly logger: Logger;
  readonly pages: ProviderPages;
  readonly meters: ProtocolMeters;
  /** Levels of assurance that can be reached here, lowest first. */
  readonly attainableAcr: readonly Acr[];
}
