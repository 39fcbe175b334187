import { describe, expect, test } from '@jest/globals';
import { readIdentifier } from '../../../src/accounts/index.ts';

describe('readIdentifier', () => {
  test.each([
    ['case', 'Alice', 'alice'],
    ['white space around', '  alice\t', 'alice'],
    ['full-width letters', 'ａｌｉｃｅ', 'alice'],
    ['composed and decomposed accents', 'zoe\u0301', 'zoé'],
    ['sharp s', 'STRAßE', 'strasse'],
    ['long s', 'ſam', 'sam'],
    ['invisible characters', 'al\u200bice\u00ad', 'alice'],
    ['e-mail addresses', 'Alice@Example.ORG', 'alice@example.org'],
  ])('folds %s', (_what, typed, identifier) => {
    expect(readIdentifier(typed)).toEqual({ identifier });
  });

  test('is idempotent: what it returns reads as itself', () => {
    for (const typed of ['STRAßE', 'ſam', 'ΑΣ', 'İstanbul', 'ǅ', 'ﬁn', 'alice']) {
      const once = readIdentifier(typed);
      expect('identifier' in once && readIdentifier(once.identifier)).toEqual(once);
    }
  });

  test.each([
    ['', 'username_required'],
    [' \u200b ', 'username_required'],
    ['a'.repeat(255), 'username_too_long'],
    ['a'.repeat(10_000), 'username_too_long'],
    ['al\u0000ice', 'username_invalid'],
    ['al\nice', 'username_invalid'],
    ['al\ud800ice', 'username_invalid'],
  ])('refuses %j', (typed, problem) => {
    expect(readIdentifier(typed)).toEqual({ problem });
  });
});
