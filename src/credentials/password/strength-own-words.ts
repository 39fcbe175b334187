/** Shorter ones are found by chance. Characters. */
const SHORTEST = 3;
/** Enough for anybody's names; a bound for the time it takes. */
const MOST_WORDS = 64;
const LONGEST = 100;

/** Characters that stand for each other are folded into one: `A` and `4` into `a`, `l` and `!` into `i`. */
const STANDS_FOR: Readonly<Record<string, string>> = {
  '4': 'a',
  '@': 'a',
  '8': 'b',
  '3': 'e',
  '6': 'g',
  '9': 'g',
  '1': 'i',
  '!': 'i',
  '|': 'i',
  l: 'i',
  '0': 'o',
  $: 's',
  '5': 's',
  '7': 't',
  '+': 't',
  '2': 'z',
};

/** As many characters as there were, without case, accents and usual replacements. */
const folded = (characters: readonly string[]): string[] =>
  characters.map((character) => {
    const [plain = character] = character.normalize('NFKD').toLowerCase();
    return STANDS_FOR[plain] ?? plain;
  });

/** The address itself, what stands before the @, and the domain without its last label (`org` is nobody's own). */
const partsOfAddress = (word: string): readonly string[] => {
  const [, local, domain] = /^(.+)@([^@]+)$/.exec(word) ?? [];
  return local && domain ? [word, local, domain.replace(/\.[^.]*$/, '')] : [word];
};

/** Names, addresses and titles, and the words they are made of; longest first. */
export function ownWords(words: readonly string[]): readonly string[] {
  const own = words
    .slice(0, MOST_WORDS)
    .map((word) => word.normalize('NFC').trim().slice(0, LONGEST))
    .flatMap(partsOfAddress)
    .flatMap((word) => [word, ...word.split(/[^\p{L}\p{M}\p{N}]+/u)])
    .map((word) => word.toLowerCase())
    .filter((word) => [...word].length >= SHORTEST);
  return [...new Set(own)].toSorted((a, b) => b.length - a.length);
}

/**
 * A password without the own words in it, however disguised (case, accents, `4lice`, backwards).
 * @param own as of `ownWords`
 * @returns what is left, and the share that was taken away (0 … 1)
 */
export function withoutOwnWords(password: string, own: readonly string[]): { rest: string; share: number } {
  const characters = [...password.normalize('NFC')];
  const plain = folded(characters);
  const patterns = own.map((word) => folded([...word])).flatMap((word) => [word, word.toReversed()]);
  const startsAt = (pattern: readonly string[], at: number) =>
    pattern.every((character, index) => character === plain[at + index]);

  const kept: string[] = [];
  for (let at = 0; at < characters.length; ) {
    const found = patterns.find((pattern) => startsAt(pattern, at));
    if (!found) kept.push(characters[at] ?? '');
    at += found?.length ?? 1;
  }
  return { rest: kept.join(''), share: 1 - kept.length / Math.max(1, characters.length) };
}
