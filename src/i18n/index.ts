/**
 * What people read, in five languages: one JSON file a language, an operator's `texts/<language>.json`
 * laid over it; which language a person gets; and lengths of time and lists as that language writes them.
 */
export { type ChosenLocale, chooseLanguage, chooseLocale, type LanguageSources } from './choose.ts';
export { formatList, formatWait } from './format.ts';
export { createTexts, LANGUAGE_NAMES, type Texts, type TextValues, type Translate } from './texts.ts';
