import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInstance } from 'i18next';
import { LANGUAGES, type Language } from '../config/schema/values.ts';
import { OperatorError } from '../kernel/errors.ts';

export type TextValues = Record<string, string | number>;

/** @returns the text, or the key itself where there is none */
export type Translate = (key: string, values?: TextValues) => string;

export interface Texts {
  readonly defaultLanguage: Language;
  /** @param locale the same language with a region, where known: `de-CH` gets Swiss spelling */
  translator(language: Language, locale?: string): Translate;
  /** Whether there is a text of this name; for families of names such as `errors.<code>.title`. */
  has(key: string): boolean;
}

/** Each language in its own words, for the language switch. */
export const LANGUAGE_NAMES: Readonly<Record<Language, string>> = {
  en: 'English',
  fr: 'Français',
  nl: 'Nederlands',
  de: 'Deutsch',
  it: 'Italiano',
};

const SWISS_GERMAN = 'de-CH';

/**
 * Reads all texts, once.
 * @param options.overlay folder whose `texts/<language>.json` wins text by text
 * @throws OperatorError when a file of the overlay is not JSON made of texts
 */
export function createTexts(options: { overlay?: string | undefined; defaultLanguage: Language }): Texts {
  const resources = new Map<string, FlatTexts>(
    LANGUAGES.map((language) => [language, { ...readBuiltIn(language), ...readOverlay(options.overlay, language) }]),
  );
  resources.set(SWISS_GERMAN, swissSpelling(resources.get('de') ?? {}));

  const i18next = createInstance();
  i18next.init({
    // Everything is in memory already, so `t` works when `init` returns.
    initAsync: false,
    resources: Object.fromEntries([...resources].map(([name, texts]) => [name, { translation: texts }])),
    lng: options.defaultLanguage,
    load: 'currentOnly',
    // A text that only an operator's overlay has may be missing in some languages.
    fallbackLng: [options.defaultLanguage, 'en'],
    // Names are flat: a code with a dot in it (`storage.unavailable`) is looked up as it stands.
    keySeparator: false,
    nsSeparator: false,
    // Off, because EJS escapes everything it writes: escaping here as well would show `&amp;`.
    interpolation: { escapeValue: false },
  });

  const keys = new Set([...resources.values()].flatMap(Object.keys));
  const translators = new Map<string, Translate>();
  return {
    defaultLanguage: options.defaultLanguage,
    has: (key) => keys.has(key),
    translator(language, locale) {
      const name = locale === SWISS_GERMAN && language === 'de' ? SWISS_GERMAN : language;
      let translate = translators.get(name);
      if (!translate) {
        const t = i18next.getFixedT(name);
        // Most texts take no values: those are worked out once.
        const plain = new Map([...keys].map((key) => [key, t(key, { nest: false })]));
        // `replace` keeps values apart from i18next's own options, so that no value can be taken
        // for one; `nest: false`, so that `$t(…)` in a value stays what it is.
        translate = (key, values) => {
          if (!values) return plain.get(key) ?? key;
          const { count } = values;
          return t(key, { replace: values, nest: false, ...(typeof count === 'number' && { count }) });
        };
        translators.set(name, translate);
      }
      return translate;
    },
  };
}

type FlatTexts = Record<string, string>;

const readBuiltIn = (language: Language): FlatTexts => {
  const file = new URL(`./${language}.json`, import.meta.url);
  return flatten(JSON.parse(readFileSync(file, 'utf8')), `${language}.json`);
};

function readOverlay(overlay: string | undefined, language: Language): FlatTexts {
  if (!overlay) return {};
  const file = join(overlay, 'texts', `${language}.json`);
  if (!existsSync(file)) return {};
  let content: unknown;
  try {
    content = JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    throw new OperatorError(`${file}: not readable as JSON (${error instanceof Error ? error.message : error})`);
  }
  return flatten(content, file);
}

/** `{ a: { b: 'text' } }` → `{ 'a.b': 'text' }` */
function flatten(value: unknown, file: string, path: readonly string[] = []): FlatTexts {
  if (typeof value === 'string' && path.length > 0) return { [path.join('.')]: value };
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new OperatorError(
      `${file}: ${path.join('.') || 'the file'} must be ${path.length > 0 ? 'a text' : 'an object'}`,
    );
  }
  return Object.assign({}, ...Object.entries(value).map(([key, inner]) => flatten(inner, file, [...path, key])));
}

/** Switzerland writes no ß and quotes with guillemets. Values put in later (names) stay as they are. */
const swissSpelling = (german: FlatTexts): FlatTexts =>
  Object.fromEntries(
    Object.entries(german).map(([key, text]) => [
      key,
      text.replaceAll('ß', 'ss').replaceAll('„', '«').replaceAll('“', '»'),
    ]),
  );
