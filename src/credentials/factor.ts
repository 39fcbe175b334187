import type { Credential, OutboxEntry } from '../storage/ports.ts';

/** Called before something is done: what can't be recorded is not done. @returns mails that are owed once it is */
export type Trail = () => Promise<readonly OutboxEntry[]>;

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
  /** Takes it away altogether. @param mails owed once it is gone */
  remove(accountId: string, mails?: readonly OutboxEntry[]): Promise<void>;
}

/** What an account could prove. */
export interface Enrolled {
  /** The factor's id. */
  readonly factor: string;
  readonly amr: readonly string[];
}
