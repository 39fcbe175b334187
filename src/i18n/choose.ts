import type { Language } from '../config/schema/values.ts';

/** Where a wish for a language may come from, in the order in which they count. */
export interface LanguageSources {
  /** Picked by the person in this journey (`?lang=`). */
  chosen?: string | undefined;
  /** `ui_locales`, OpenID Connect Core §3.1.2.1: tags separated by spaces, best first. */
  uiLocales?: string | undefined;
  cookie?: string | undefined;
  acceptLanguage?: string | undefined;
  clientDefault?: Language | undefined;
}

export interface ChosenLocale {
  readonly language: Language;
  /** The language with the person's region where one is known (`de-CH`); for `lang` and `Intl`. */
  readonly locale: string;
}

// All of it comes from outside: whatever its length, only so much is looked at.
const MOST_TAGS = 20;
const MOST_CHARACTERS = 1000;

const TAG = /^([a-z]{2,3})(?:[-_][a-z]{4})?(?:[-_]([a-z]{2}))?(?:[-_]|$)/i;
const QUALITY = /^q=(0(?:\.\d{0,3})?|1(?:\.0{0,3})?)$/i;

/** @returns the language of the pages for a person; always one of `offered`, or `fallback` */
export function chooseLanguage(input: LanguageSources, offered: readonly Language[], fallback: Language): Language {
  return chooseLocale(input, offered, fallback).language;
}

/**
 * Like `chooseLanguage`, with the region: somebody who picked German and whose browser says
 * `de-CH` is written to in Swiss spelling.
 */
export function chooseLocale(input: LanguageSources, offered: readonly Language[], fallback: Language): ChosenLocale {
  const wishes = [
    ...parseTags(input.chosen, ' '),
    ...parseTags(input.uiLocales, ' '),
    ...parseTags(input.cookie, ' '),
    ...parseAcceptLanguage(input.acceptLanguage),
    ...parseTags(input.clientDefault, ' '),
  ];
  const language = wishes.find((wish) => isOffered(wish.language, offered))?.language ?? fallback;
  const region = wishes.find((wish) => wish.language === language && wish.region)?.region;
  return { language: language as Language, locale: region ? `${language}-${region}` : language };
}

interface Wish {
  readonly language: string;
  readonly region: string | undefined;
}

const isOffered = (language: string, offered: readonly Language[]): boolean =>
  (offered as readonly string[]).includes(language);

const pieces = (text: string | undefined, separator: string): string[] =>
  (text ?? '').slice(0, MOST_CHARACTERS).split(separator, MOST_TAGS);

/** BCP 47 (RFC 5646 §2.1): language, then perhaps a script, then perhaps a region. */
function parseTag(tag: string): Wish[] {
  const match = TAG.exec(tag.trim());
  return match?.[1] ? [{ language: match[1].toLowerCase(), region: match[2]?.toUpperCase() }] : [];
}

const parseTags = (text: string | undefined, separator: string): Wish[] => pieces(text, separator).flatMap(parseTag);

/** RFC 9110 §12.5.4; entries of equal weight keep their order, weight 0 means "not this one". */
function parseAcceptLanguage(header: string | undefined): Wish[] {
  return pieces(header, ',')
    .flatMap((entry) => {
      const [tag = '', parameter] = entry.split(';', 2);
      const weight = parameter === undefined ? 1 : Number(QUALITY.exec(parameter.trim())?.[1] ?? 0);
      return parseTag(tag).map((wish) => ({ wish, weight }));
    })
    .filter(({ weight }) => weight > 0)
    .sort((a, b) => b.weight - a.weight)
    .map(({ wish }) => wish);
}
