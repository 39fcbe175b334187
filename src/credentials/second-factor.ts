/** What came of checking a code. */
export type SecondOutcome =
  | { readonly proven: true }
  /** @param blockedFor seconds until another try is looked at */
  | { readonly proven: false; readonly problem: string; readonly blockedFor?: number };

/** A factor that is a code on top of the first one: what its page sends is a short text. */
export interface SecondFactor {
  /** Authentication method references (RFC 8176) that a right code adds. */
  readonly amr: readonly string[];
  /** @throws VestibuleError when it could not be checked at all; nothing is granted then */
  verify(accountId: string, code: string): Promise<SecondOutcome>;
}
