import type { VerifyOutcome } from './outcome.ts';

/**
 * A way to prove who one is. One folder per factor, one line in `registry.ts`; the journey,
 * the account area and the console iterate the registry and know no factor by name.
 *
 * Later factors need a ceremony before the proof (`begin`) and an enrolment; both are added to
 * this port with the first factor that has them.
 */
export interface Factor<Response> {
  readonly id: string;
  /** Authentication method references (RFC 8176) that a successful proof adds. */
  readonly amr: readonly string[];
  enrolled(accountId: string): Promise<boolean>;
  /**
   * @param accountId `undefined` for a username nobody has: costs the same time and fails
   * @throws VestibuleError when the proof could not be checked at all; nothing is granted then
   */
  verify(accountId: string | undefined, response: Response): Promise<VerifyOutcome>;
  remove(accountId: string): Promise<void>;
}
