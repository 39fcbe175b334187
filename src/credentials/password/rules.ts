import type { Logger } from '../../kernel/logger.ts';
import { BCRYPT_MAX_BYTES } from './bcrypt.ts';
import { type BreachLookupSettings, createBreachLookup } from './breaches.ts';
import { Strength } from './strength.ts';

/** Characters (UTF-16). Long enough for any passphrase, short enough that nobody has a megabyte hashed. */
export const PASSWORD_MAX_LENGTH = 256;

/** Of a password that is to be set; with bcrypt, the bytes beyond its 72 would count for nothing. */
export const isTooLong = (password: string, hash: 'argon2id' | 'bcrypt'): boolean =>
  password.length > PASSWORD_MAX_LENGTH || (hash === 'bcrypt' && Buffer.byteLength(password) > BCRYPT_MAX_BYTES);

/** Whose password it is to be. */
export interface Person {
  /** What a password must not be made of: username, e-mail address, names, names of the portal and of the operator. */
  readonly words: readonly string[];
}

export interface RuleProblem {
  readonly code:
    | 'new_password_required'
    | 'password_too_long'
    | 'password_too_short'
    | 'password_common'
    | 'password_personal'
    | 'password_guessable'
    | 'password_breached'
    | 'breach_lookup_failed';
  /** For the text: `count` characters are needed. */
  readonly values?: Readonly<Record<string, number>>;
}

/**
 * What a new password must be: long enough, not guessed early, not stolen before. Nothing about
 * which characters it has to be made of.
 */
export interface PasswordRules {
  /**
   * @param protectedOtherwise the account has a second factor or passkey: the shorter minimum holds
   * @returns why the password is refused; undefined when it may be set
   * @throws VestibuleError `busy` (503) when it could not be judged now: nothing may be set then
   */
  check(password: string, person: Person, protectedOtherwise: boolean): Promise<RuleProblem | undefined>;
  /** Characters (code points) needed. */
  minimum(protectedOtherwise: boolean): number;
  close(): Promise<void>;
}

export interface PasswordRulesServices {
  readonly settings: {
    readonly min_length: number;
    readonly min_length_with_more: number;
    readonly hash: 'argon2id' | 'bcrypt';
    readonly breach_lookup?: BreachLookupSettings | undefined;
  };
  readonly logger: Logger;
}

export function createPasswordRules({ settings, logger }: PasswordRulesServices): PasswordRules {
  const strength = new Strength(logger);
  const lookUp = settings.breach_lookup && createBreachLookup(settings.breach_lookup, logger);

  const minimum = (protectedOtherwise: boolean): number =>
    protectedOtherwise ? settings.min_length_with_more : settings.min_length;

  return {
    minimum,

    async check(password, { words }, protectedOtherwise) {
      if (password === '') return { code: 'new_password_required' };
      // Before any other work: what is too long costs nothing.
      if (isTooLong(password, settings.hash)) return { code: 'password_too_long' };
      const count = minimum(protectedOtherwise);
      if ([...password].length < count) return { code: 'password_too_short', values: { count } };
      const verdict = await strength.judge({ password, words });
      if (verdict !== 'fine') return { code: `password_${verdict}` };
      // Last, so that nobody outside is asked about what is refused anyway.
      const found = await lookUp?.(password);
      return found && { code: found };
    },

    close: () => strength.close(),
  };
}
