import type { Config } from '../config/config.ts';
import { VestibuleError } from '../kernel/errors.ts';
import type { SecretBox } from '../kernel/secret-box.ts';
import type { Account, CounterStore } from '../storage/ports.ts';
import type { Enrolled } from './factor.ts';
import type { PasswordRules, RuleProblem } from './password/index.ts';

/** Whether a password may become the new one of an account. */
export interface NewPassword {
  /** @returns why not; undefined when it may @throws VestibuleError `too_many_requests` (429), `busy` (503) */
  problem(account: Account, password: string): Promise<RuleProblem | undefined>;
  /** Characters needed. */
  minimum(accountId: string): Promise<number>;
  /** What it must not be made of, for a hint while it is typed. */
  words(account: Account): readonly string[];
}

/** Judging one is work: whoever holds one link, or one session, must not keep everybody else from it. Seconds. */
const WINDOW = 900;
const MOST = 50;

/** With one of them, somebody who finds the password out is not in yet, or its owner seldom types it. */
const MORE = ['passkey', 'totp', 'sms'];

export function createNewPassword(deps: {
  rules: PasswordRules;
  brand: Config['branding']['name'];
  potential(accountId: string): Promise<readonly Enrolled[]>;
  counters: CounterStore;
  secretBox: SecretBox;
}): NewPassword {
  const { rules, brand, potential, counters, secretBox } = deps;
  const hasMore = async (accountId: string): Promise<boolean> =>
    (await potential(accountId)).some(({ factor }) => MORE.includes(factor));
  const words = ({ username, email, profile }: Account): string[] =>
    [username, email, profile.name, profile.given_name, profile.family_name, profile.nickname, brand].filter(
      (word) => word !== undefined,
    );
  return {
    words,
    minimum: async (accountId) => rules.minimum(await hasMore(accountId)),
    async problem(account, password) {
      const key = `new-password:${secretBox.keyedHash('counter', account.id)}`;
      const [reading] = await counters.increment([{ key, windowSeconds: WINDOW }]);
      if (reading === undefined || reading.count > MOST)
        throw new VestibuleError('too_many_requests', 429, { retryAfter: WINDOW });
      return rules.check(password, { words: words(account) }, await hasMore(account.id));
    },
  };
}
