import { adjacencyGraphs, dictionary as common } from '@zxcvbn-ts/language-common';
import { dictionary as german } from '@zxcvbn-ts/language-de';
import { dictionary as english } from '@zxcvbn-ts/language-en';
import { dictionary as french } from '@zxcvbn-ts/language-fr';
import { dictionary as italian } from '@zxcvbn-ts/language-it';
import { dictionary as dutch } from '@zxcvbn-ts/language-nl-be';

type Lists = Readonly<Record<string, readonly string[]>>;

/** Shorter words are found in anything; nobody's password is a longer one. Both only cost time. */
const WORD_LENGTH = { least: 3, most: 30 };

/** The words of several lists in one, the frequent ones of each first. */
function merged(lists: readonly (readonly string[])[]): string[] {
  const words = new Set<string>();
  const longest = Math.max(...lists.map(({ length }) => length));
  for (let rank = 0; rank < longest; rank += 1) {
    for (const list of lists) {
      const word = list[rank];
      if (word && word.length >= WORD_LENGTH.least && word.length <= WORD_LENGTH.most) words.add(word);
    }
  }
  return [...words];
}

const listsOf = (lists: Lists, name: RegExp): readonly (readonly string[])[] =>
  Object.entries(lists).flatMap(([key, list]) => (name.test(key) ? [list] : []));

const words = (lists: Lists): string[] => merged(listsOf(lists, /^(?:commonWords|wikipedia)/));
const names = (...languages: Lists[]): string[] =>
  merged(languages.flatMap((lists) => listsOf(lists, /(?:first|last)names/i)));

/**
 * What zxcvbn looks words up in. Few lists instead of the fifty of the packages: each is asked for
 * every piece of a password, and the packages of older make name their lists alike, so that one would
 * hide the other. Their lists of weekdays, colours and the like are left out: any handful of those
 * words would count as a sequence ("orange tiger summer earth": a hundred guesses).
 */
export const dictionary: Record<string, string[]> = {
  passwords: common['passwords-common'],
  // Under this name each word counts the same; under its own, by its place in the alphabet.
  diceware: common['diceware-common'],
  english: words(english),
  french: words(french),
  german: words(german),
  italian: words(italian),
  dutch: words(dutch),
  names: names(english, french, german, italian, dutch),
};

/** Rows of keyboards. */
export const graphs = adjacencyGraphs;
