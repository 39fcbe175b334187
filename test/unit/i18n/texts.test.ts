import { globSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { LANGUAGES, type Language } from '../../../src/config/schema/values.ts';
import { createTexts, formatList, formatWait } from '../../../src/i18n/index.ts';

const repository = resolve(import.meta.dirname, '../../..');
const read = (file: string): string => readFileSync(join(repository, file), 'utf8');

function flat(value: unknown, path: string): [string, string][] {
  if (typeof value === 'string') return [[path, value]];
  return Object.entries(value as object).flatMap(([key, inner]) => flat(inner, path ? `${path}.${key}` : key));
}

const texts = Object.fromEntries(
  LANGUAGES.map((language) => [language, new Map(flat(JSON.parse(read(`src/i18n/${language}.json`)), ''))]),
) as Record<Language, Map<string, string>>;
const english = texts.en;
const others = LANGUAGES.filter((language) => language !== 'en');
const placeholders = (text: string | undefined): string[] => (text?.match(/\{\{\w+\}\}/g) ?? []).toSorted();

describe('texts', () => {
  test.each(others)('%s has the same texts with the same placeholders as English', (language) => {
    expect([...texts[language].keys()]).toEqual([...english.keys()]);
    for (const [key, text] of texts[language]) {
      expect([key, placeholders(text)]).toEqual([key, placeholders(english.get(key))]);
    }
  });

  test.each(others)('%s is translated', (language) => {
    const same = [...texts[language]].filter(([key, text]) => text === english.get(key)).map(([key]) => key);
    // The same word in both languages, or nothing to translate.
    const alike = /^layout\.title$|^password\.password$|^account\.passkeys$|^consent\.claim\.(?:website|nickname)$/;
    expect(same.filter((key) => !alike.test(key))).toEqual([]);
  });

  test.each(LANGUAGES)('%s keeps to the house’s words', (language) => {
    for (const [key, text] of texts[language]) {
      expect([key, text]).toEqual([
        key,
        // "Two-factor authentication" is what people look for in their account.
        expect.not.stringMatching(/!|credential|(?<!two[-\u2011])factor|interaction|webauthn|\botp\b/i),
      ]);
      expect([key, text.trim()]).toEqual([key, text]);
      // Typographic apostrophes and quotation marks.
      expect([key, text]).toEqual([key, expect.not.stringMatching(/['"]/)]);
    }
  });

  test('French keeps a no-break space before its tall signs', () => {
    for (const [key, text] of texts.fr)
      expect([key, text]).toEqual([key, expect.not.stringMatching(/(?<!\u00a0)[:;?»]|«(?!\u00a0)/)]);
  });

  test.each([
    ['fr', 'tu|toi|ton|ta|tes'],
    ['nl', 'je|jij|jouw|jou'],
    ['de', 'du|dich|dir|dein|deine|deinen|deinem|deiner'],
    ['it', 'tu|ti|tuo|tua|tuoi|tue'],
  ] as const)('%s addresses people politely', (language, words) => {
    const familiar = new RegExp(`(?<!\\p{L})(?:${words})(?!\\p{L})`, 'iu');
    for (const [key, text] of texts[language]) expect([key, text]).toEqual([key, expect.not.stringMatching(familiar)]);
  });
});

describe('names of texts', () => {
  const sources = globSync('{views/**/*.ejs,src/{web,notifications,cli}/**/*.ts}', { cwd: repository }).map(read);
  const all = sources.join('\n');
  // `t('…')`, and names that a template hands to `t` from a list.
  const used = new Set([...all.matchAll(/'([a-z_]+(?:\.[a-z_]+)+)'/g)].map(([, key]) => key ?? ''));
  const called = new Set([...all.matchAll(/\bt\('([^']+)'/g)].map(([, key]) => key ?? ''));

  /** `name_one` and `name_other` are forms of the text `name`, which takes a `count`. */
  const nameOf = (key: string): string =>
    english.has(key.replace(/_[a-z]+$/, '_other')) ? key.replace(/_(?:zero|one|other)$/, '') : key;
  const names = new Set([...english.keys()].map(nameOf));

  /** Families whose members are named by data: where their codes come from. */
  const FAMILIES = [/^errors\./, /^problems\./, /^consent\.scopes\./, /^consent\.claim\./, /^mail\.notices\./];

  test('every text that is asked for is there', () => {
    expect(called.size).toBeGreaterThan(30);
    expect([...called].filter((key) => !names.has(key))).toEqual([]);
  });

  test('no text is there for nothing', () => {
    const unused = [...names].filter((key) => !used.has(key) && !FAMILIES.some((family) => family.test(key)));
    expect(unused).toEqual([]);
  });

  test('every error and problem that the code can show has its texts', () => {
    const code = globSync('src/{web,journey,credentials,oidc,recovery,cli}/**/*.ts', { cwd: repository })
      .map(read)
      .join('\n');
    const problems = [...code.matchAll(/problem: \{ code: '([a-z_]+)'/g)].map(([, name]) => `problems.${name}`);
    problems.push(
      ...[...code.matchAll(/problem: [^,;}]*?'([a-z_]+)'(?: : '([a-z_]+)')?/g)].flatMap(([, one, other]) =>
        [one, other].filter((name) => name !== undefined).map((name) => `problems.${name}`),
      ),
    );
    const refusals = read('src/credentials/passkey/failure.ts');
    problems.push(...[...refusals.matchAll(/: '(passkey_[a-z_]+)'/g)].map(([, name]) => `problems.${name}`));
    const notices = [...code.matchAll(/\.about\([^{]*\{ event: '([a-z_]+)'/g)].map(
      ([, name]) => `mail.notices.${name}`,
    );
    expect(notices.length).toBeGreaterThan(2);
    const mails = notices.flatMap((name) => [`${name}.subject`, `${name}.sentence`]);
    const errors = [...code.matchAll(/new VestibuleError\(\s*'([a-z_.]+)', (?:4|5)|unavailable\(\s*'([a-z_.]+)'/g)]
      .map(([, one, other]) => one ?? other ?? '')
      .filter((name) => !ANSWERED_OTHERWISE.has(name))
      .map((name) => `errors.${name}.title`);
    expect(problems.length).toBeGreaterThan(0);
    expect(errors.length).toBeGreaterThan(5);
    const shown = [...problems, ...mails, ...errors].filter((key) => !LEAD_ELSEWHERE.has(key));
    expect(shown.filter((key) => !english.has(key))).toEqual([]);
  });

  /** Outcomes that lead to another page instead of a sentence. */
  const LEAD_ELSEWHERE = new Set(['problems.changed_meanwhile']);

  /** Thrown inside, shown as a problem of a form or on the command line, never as a page of its own. */
  const ANSWERED_OTHERWISE = new Set(['password_too_short', 'password_too_long']);

  test.each(
    'passkey_refused passkey_unknown passkey_expired passkey_not_verified passkey_exists passkey_not_allowed passkey_limit passkey_no_script name_required name_too_long totp_required totp_malformed totp_wrong totp_used totp_wrong_app enrolment_expired factor_blocked factor_blocked_ways recovery_code_required recovery_code_malformed recovery_code_wrong recovery_codes_not_kept sms_wrong sms_expired current_password_required wrong_current_password new_password_required passwords_differ password_too_short password_common password_breached password_personal password_guessable password_unchanged password_locked email_invalid email_required breach_lookup_failed external_cancelled external_not_linked external_level external_other_person external_taken external_not_available external_exists external_refused'.split(
      ' ',
    ),
  )('problems.%s has a sentence', (code) => {
    expect(english.has(`problems.${code}`)).toBe(true);
  });

  test.each(
    'session_expired unexpected passkey_gone not_found method_not_allowed too_large bad_request forbidden_origin too_many_requests busy storage.unavailable unsupported_media invalid_client invalid_redirect_uri invalid_request sms_limit sms_failed link_invalid link_used link_expired link_superseded external_failed external_expired identity_gone'.split(
      ' ',
    ),
  )('errors.%s has a title and a text', (code) => {
    expect(english.has(`errors.${code}.title`)).toBe(true);
    expect(english.has(`errors.${code}.text`)).toBe(true);
  });
});

describe('translating', () => {
  const { translator, has } = createTexts({ defaultLanguage: 'en' });

  test('values stand where the text wants them, as they are', () => {
    expect(translator('en')('layout.back', { name: 'A & <B>' })).toBe('Back to A & <B>');
    expect(translator('nl')('layout.back', { name: '{{name}} $t(layout.help)' })).toBe(
      'Terug naar {{name}} $t(layout.help)',
    );
  });

  test('counted things agree with their number', () => {
    const left = (language: Language, count: number) => translator(language)('recovery_codes.left', { count });
    expect([0, 1, 2].map((count) => left('en', count))).toEqual([
      'You have no recovery codes left.',
      'You have one recovery code left.',
      'You have 2 recovery codes left.',
    ]);
    expect(left('fr', 0)).toBe('Il ne vous reste aucun code de secours.');
    expect(left('de', 8)).toBe('Sie haben noch 8 Notfallcodes.');
    // A number that never is one needs no forms.
    expect(translator('en')('problems.password_too_short', { count: 15 })).toContain('at least 15 characters');
  });

  test('values are never options of the library', () => {
    const values = {
      name: 'X',
      lng: 'fr',
      defaultValue: 'taken over',
      context: 'male',
      ns: 'other',
      interpolation: 'x',
    };
    expect(translator('en')('layout.back', values)).toBe('Back to X');
    expect(translator('en')('no.such.key', values)).toBe('no.such.key');
  });

  test('Swiss spelling is for de-CH, and for our words only', () => {
    expect(translator('de')('device.done_text_named', { name: 'Weiß' })).toContain(
      'mit Weiß weiter. Sie können diese Seite schließen',
    );
    expect(translator('de', 'de-CH')('device.done_text_named', { name: 'Weiß' })).toContain(
      'mit Weiß weiter. Sie können diese Seite schliessen',
    );
    expect(translator('fr', 'fr-CH')('layout.continue')).toBe('Continuer');
  });

  test('codes with a dot are names like any other, and nothing is inherited', () => {
    expect(has('errors.storage.unavailable.title')).toBe(true);
    expect(has('errors.constructor')).toBe(false);
    expect(has('__proto__')).toBe(false);
  });

  test.each([
    [5, 'en', '5 seconds'],
    [1, 'de', '1 Sekunde'],
    [0, 'nl', '1 seconde'],
    [61.2, 'it', '62 secondi'],
    [300, 'fr', '5 minutes'],
    [301, 'nl', '6 minuten'],
    [7200, 'de-CH', '2 Stunden'],
  ])('%d seconds in %s: %s', (seconds, locale, words) => {
    expect(formatWait(seconds, locale).replaceAll('\u00a0', ' ')).toBe(words);
  });

  test('lists end as the language ends them', () => {
    expect(formatList(['a', 'b', 'c'], 'de')).toBe('a, b und c');
    expect(formatList(['a'], 'it')).toBe('a');
  });
});
