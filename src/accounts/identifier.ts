/** Longest username or e-mail address: RFC 5321 §4.5.3.1 allows 254 octets for an address. */
export const IDENTIFIER_MAX_LENGTH = 254;

export type IdentifierProblem = 'username_required' | 'username_too_long' | 'username_invalid';

/**
 * The one place where what somebody typed becomes the key under which an account is found and
 * tries are counted: Unicode NFKC, case folded, trimmed, invisible characters dropped. Counting
 * and looking up by anything else would let `Alice`, `alice ` and `ａｌｉｃｅ` have tries of their own.
 *
 * Upper- then lower-casing folds what lower-casing alone leaves apart (ß and ss, ſ and s);
 * a second NFKC is needed as case mapping may leave the form.
 */
export function readIdentifier(typed: string): { identifier: string } | { problem: IdentifierProblem } {
  if (typed.length > IDENTIFIER_MAX_LENGTH * 4) return { problem: 'username_too_long' };
  const identifier = typed
    .normalize('NFKC')
    .replace(/\p{Default_Ignorable_Code_Point}/gu, '')
    .trim()
    .toUpperCase()
    .toLowerCase()
    .normalize('NFKC');
  if (identifier === '') return { problem: 'username_required' };
  if (identifier.length > IDENTIFIER_MAX_LENGTH) return { problem: 'username_too_long' };
  // Control characters and lone surrogates have no place in a name; NUL cuts strings short elsewhere.
  if (/[\p{Cc}\p{Cs}]/u.test(identifier)) return { problem: 'username_invalid' };
  return { identifier };
}
