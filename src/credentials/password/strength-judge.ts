import { ZxcvbnFactory, type ZxcvbnResult } from '@zxcvbn-ts/core';
import type { StrengthQuestion, StrengthVerdict } from './strength.ts';
import { dictionary, graphs } from './strength-dictionaries.ts';
import { ownWords, withoutOwnWords } from './strength-own-words.ts';

/** With the locks after wrong passwords nobody gets that far at the sign-in page. */
const ENOUGH_GUESSES = 1e6;
/** The time zxcvbn takes grows with the square of the length, so it sees a long password piece by piece. */
const PIECE = 64;
/** Ways to read `4` as `a`, `1` as `l` and so on that are tried. Each costs a search of all dictionaries. */
const SUBSTITUTIONS = 20;
/** Share of a password that a word must be for the password to be that word, with a little something. */
const NEARLY_ALL = 0.75;
const CHIEFLY = 0.5;

const zxcvbn = new ZxcvbnFactory({ dictionary, graphs, maxLength: PIECE, l33tMaxSubstitutions: SUBSTITUTIONS });

/** A password is at least as hard to guess as the hardest of its pieces. */
function hardestPiece(password: string, own: readonly string[]): ZxcvbnResult {
  let hardest = zxcvbn.check(password.slice(0, PIECE), [...own]);
  for (let start = PIECE; start < password.length && isWeak(hardest); start += PIECE) {
    const piece = zxcvbn.check(password.slice(start, start + PIECE), [...own]);
    if (piece.guesses > hardest.guesses) hardest = piece;
  }
  return hardest;
}

// Written so that a number that is none counts as weak.
const isWeak = ({ guesses }: ZxcvbnResult): boolean => !(guesses >= ENOUGH_GUESSES);

const isNearlyOneWord = ({ password, sequence }: ZxcvbnResult): boolean =>
  sequence.some(({ pattern, token }) => pattern === 'dictionary' && token.length >= password.length * NEARLY_ALL);

/** Whether a password is hard enough to guess, also for somebody who knows the person. */
export function judge({ password, words }: StrengthQuestion): StrengthVerdict {
  const own = ownWords(words);
  const whole = hardestPiece(password, own);
  const { rest, share } = withoutOwnWords(password, own);
  // Own words cost a guesser nothing, so the rest must do alone.
  const restsOnOwnWords = share > 0 && isWeak(hardestPiece(rest, []));
  if (restsOnOwnWords && share >= CHIEFLY) return 'personal';
  if (isWeak(whole)) return isNearlyOneWord(whole) ? 'common' : 'guessable';
  return restsOnOwnWords ? 'personal' : 'fine';
}
