import type { Context } from 'koa';
import type { Accounts } from '../accounts/index.ts';
import type { Config } from '../config/config.ts';
import type { UpstreamSessions, UpstreamSignOuts } from '../federation/index.ts';
import type { Ladder } from '../journey/index.ts';
import type { Clock } from '../kernel/clock.ts';
import type { Logger } from '../kernel/logger.ts';
import type { SecretBox } from '../kernel/secret-box.ts';
import type { DurableStorage, EphemeralStorage } from '../storage/ports.ts';
import type { ProtocolMeters } from './events.ts';
import type { SigningKey } from './keys.ts';
import type { ProviderPages } from './pages.ts';
import type { Releases } from './releases.ts';

/** Levels of assurance, and what accounts demand of their own. */
export interface Assurance {
  readonly ladder: Ladder;
  /** Levels that can be reached here, lowest first. */
  readonly attainable: readonly string[];
  /** Whether the browser of a request stands in for the account's second factor. */
  isTrustedDevice(ctx: Context, accountId: string): Promise<boolean>;
  /** What the account itself demands: by the operator's word (`minimumAcr`), or as it has a second factor. */
  requiredBy(accountId: string, minimumAcr: string | undefined): Promise<string | undefined>;
}

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
  readonly assurance: Assurance;
  readonly releases: Releases;
  /** Signing out, together with external providers. */
  readonly upstream: {
    readonly sessions: UpstreamSessions;
    readonly signOuts: UpstreamSignOuts;
    /** Some external provider signs out together with us; else a sign-in reads and writes nothing of it. */
    readonly signsOut: boolean;
  };
}
