import type { Credential } from '../storage/ports.ts';

/**
 * A way to prove who one is. One folder per factor, one line in `registry.ts`; what journey, account
 * area and console need of every factor alike is here. Beginning, checking and enrolling differ in
 * what they take, so each factor's own interface adds them (`begin`, `verify`, `enrol`).
 */
export interface Factor {
  readonly id: string;
  /** Authentication method references (RFC 8176) that a proof by it can add at best. */
  readonly attainable: readonly string[];
  /** Whether its devices are of models that a manufacturer attested. */
  readonly attested?: boolean;
  enrolled(accountId: string): Promise<boolean>;
  /**
   * The methods this account could prove with it now, at best; empty when not enrolled.
   * @param kept everything the account has, read once for all factors
   */
  potential(accountId: string, kept: readonly Credential[]): Promise<readonly string[]>;
  /** Takes it away altogether. */
  remove(accountId: string): Promise<void>;
}
