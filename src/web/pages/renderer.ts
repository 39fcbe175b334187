import type { Config } from '../../config/config.ts';
import { LANGUAGE_NAMES, type Texts, type Translate } from '../../i18n/index.ts';
import { type Clock, epochSeconds, systemClock } from '../../kernel/clock.ts';
import type { Assets } from './assets.ts';
import { pickText } from './assets.ts';
import { consentItems, describeError, describePasskeys, type ErrorKind, formatProblem } from './content.ts';
import { describeElsewhere, describeExternal, describeIdentities, describeUnlinking } from './external.ts';
import { MODEL_FIELDS } from './fields.ts';
import { safeLink } from './links.ts';
import type { PageContext, PageModel, PageModels, PageName, Problem } from './models.ts';
import { describeChange, describeLock } from './passwords.ts';
import { describeRecoveryCodes, describeSetup, describeTwoFactor } from './second-factor.ts';
import { sectionOf } from './sections.ts';
import { compileTemplates } from './templates.ts';

export interface Pages {
  /** @returns a whole HTML document */
  render<P extends PageName>(page: P, model: PageModels[P], context: PageContext): string;
  /** The sentence that a page would show for a problem, for a script that shows it itself. */
  sentence(problem: Problem, context: PageContext): string;
  /** The sentence of an error page. */
  explain(failure: ErrorKind, context: PageContext): string;
}

/** Pages where somebody is about to sign in: "Sign in to …" on top, the anti-phishing notice below. */
const SIGN_IN_PAGES: ReadonlySet<PageName> = new Set([
  'identify',
  'passkey',
  'password',
  'locked',
  'totp',
  'sms',
  'recovery-code',
  'external',
]);

const FORM_SCRIPTS = ['submit-once.js'];
/** In this order: passkeys.js uses the library, and takes clicks before submit-once.js sees a form sent. */
const PASSKEY_SCRIPTS = ['simplewebauthn.js', 'passkeys.js'];

const SCRIPTS: Readonly<Partial<Record<PageName, readonly string[]>>> = {
  identify: [...PASSKEY_SCRIPTS, ...FORM_SCRIPTS],
  // Here it only finds out what the browser can do.
  password: [...PASSKEY_SCRIPTS, 'show-password.js', ...FORM_SCRIPTS],
  passkey: [...PASSKEY_SCRIPTS, ...FORM_SCRIPTS],
  'offer-passkey': [...PASSKEY_SCRIPTS, ...FORM_SCRIPTS],
  'recovery-codes': ['recovery-codes.js', ...FORM_SCRIPTS],
  'change-password': ['show-password.js', 'password-strength.js', ...FORM_SCRIPTS],
  recovery: [],
  'recovery-sent': [],
  'recovery-done': [],
  'account-passkeys': PASSKEY_SCRIPTS,
  'account-passkey-add': [...PASSKEY_SCRIPTS, ...FORM_SCRIPTS],
  'account-refused': PASSKEY_SCRIPTS,
  error: [],
  'signed-out': [],
  'still-signed-in': [],
  'device-done': [],
};

/**
 * Compiles all templates, once.
 * @throws OperatorError when the overlay is missing or one of its templates does not compile
 */
export function createPages(options: {
  overlay?: string | undefined;
  texts: Texts;
  branding: Config['branding'];
  assets: Assets;
  clock?: Clock;
  /** There are external providers, so that the account area has a part for them; default: true. */
  identities?: boolean;
}): Pages {
  const { texts, branding, assets, clock = systemClock, identities = true } = options;
  const templates = compileTemplates(options.overlay);

  const localeOf = ({ language, locale }: PageContext) => locale ?? language;
  const translatorOf = (context: PageContext) => texts.translator(context.language, localeOf(context));
  return {
    sentence: (problem, context) => formatProblem(problem, texts, translatorOf(context), localeOf(context)),
    explain: (failure, context) => describeError(failure, texts, translatorOf(context), localeOf(context)).text,

    render(page, model, context) {
      const { language, client } = context;
      const locale = localeOf(context);
      const t = translatorOf(context);
      const name = client?.name ?? branding.name;
      const problem = 'problem' in model && model.problem ? formatProblem(model.problem, texts, t, locale) : undefined;
      const content = describe({ page, model, name, texts, t, locale, now: epochSeconds(clock) });
      const plainTitle = t('layout.title', { heading: content.heading, name });
      const section = sectionOf(page, model);
      const signingIn = SIGN_IN_PAGES.has(page) && !section;
      const errorTitle = t('layout.error_title', { title: plainTitle });

      const locals = {
        t,
        link: safeLink,
        heading: content.heading,
        problem,
        model: visibleModel(page, model, content.extra),
        page: {
          step: page,
          locale,
          title: problem || page === 'error' ? errorTitle : plainTitle,
          // For a problem that turns up in the browser.
          errorTitle,
          requestId: context.requestId,
          section,
          identities,
          stylesheet: assets.url('style.css'),
          theme: client?.stylesheetUrl ?? assets.brandingStylesheetUrl,
          favicon: assets.url('favicon.svg'),
          scripts: (SCRIPTS[page] ?? FORM_SCRIPTS).map((script) => assets.url(script)),
          languages: context.languages.map((offered) => ({
            ...offered,
            name: LANGUAGE_NAMES[offered.language],
            current: offered.language === language,
          })),
        },
        brand: {
          name,
          logo: client ? client.logoUrl : assets.brandingLogoUrl,
          uri: client?.uri,
          signingIn,
          notice: signingIn ? client?.notice : undefined,
        },
        footer: {
          help: client ? client.helpUrl : branding.help_url,
          support: client ? client.supportContact : pickText(branding.support_contact, language, texts.defaultLanguage),
          policy: client?.policyUri,
          terms: client?.tosUri,
        },
      };
      const body = templates.render(`pages/${page}`, locals);
      return templates.render('layouts/page', { ...locals, detail: { body } });
    },
  };
}

interface Content {
  readonly heading: string;
  /** What a template needs beyond its model, made from it. */
  readonly extra?: Readonly<Record<string, unknown>>;
}

/** The one heading of each page where it is always the same. */
const HEADINGS = {
  identify: 'identify.heading',
  password: 'password.heading',
  passkey: 'passkey.heading',
  totp: 'totp.heading',
  sms: 'sms.heading',
  'recovery-code': 'recovery_code.heading',
  'offer-passkey': 'offer_passkey.heading',
  'signed-out': 'sign_out.done_heading',
  'still-signed-in': 'sign_out.stayed_heading',
  'device-code': 'device.code_heading',
  'account-passkey-add': 'passkey_add.heading',
  'account-two-factor-off': 'two_factor_off.heading',
  recovery: 'recovery.heading',
  'recovery-password': 'recovery_password.heading',
  'recovery-username': 'recovery_username.heading',
  'recovery-sent': 'recovery_sent.heading',
  'recovery-done': 'recovery_done.heading',
  'not-me': 'not_me.heading',
} as const satisfies Partial<Record<PageName, string>>;

const REFUSALS = {
  last_way_in: 'account_refused.last_way_in_heading',
  last_identity: 'account_refused.last_way_in_heading',
  needs_stronger: 'account_refused.needs_stronger_heading',
  demanded: 'account_refused.demanded_heading',
} as const;

/** The heading of a page, and the parts of its content that need more than a template. */
function describe(input: {
  page: PageName;
  model: PageModel;
  name: string;
  texts: Texts;
  t: Translate;
  locale: string;
  /** Seconds since the epoch. */
  now: number;
}): Content {
  const { page, name, texts, t, locale, now } = input;
  // The caller's generic `render` has bound model and page together already.
  const model = <P extends PageName>(_: P): PageModels[P] => input.model as PageModels[P];
  switch (page) {
    case 'consent':
      return {
        heading: t('consent.heading', { name }),
        extra: { items: consentItems(model('consent'), texts, t, locale) },
      };
    case 'error': {
      const { title, ...extra } = describeError(model('error'), texts, t, locale);
      return { heading: title, extra };
    }
    case 'identify':
    case 'password':
    case 'passkey':
      return { heading: t(HEADINGS[page]), extra: describeElsewhere(model(page), t) };
    case 'locked':
      return describeLock(model('locked'), t, locale, now);
    case 'external':
      return describeExternal(model('external'), name, t);
    case 'change-password':
      return describeChange(model('change-password'), t);
    case 'sign-out':
      return { heading: t('sign_out.heading'), extra: { name: model('sign-out').clientName || name } };
    case 'device-confirm':
      return { heading: t('device.confirm_heading'), extra: { name: model('device-confirm').clientName || name } };
    case 'device-done':
      return { heading: t('device.done_heading'), extra: { name: model('device-done').clientName } };
    case 'enrol-totp':
      return describeSetup(model('enrol-totp'), t);
    case 'recovery-codes':
      return describeRecoveryCodes(model('recovery-codes'), name, t);
    case 'account-two-factor':
      return describeTwoFactor(model('account-two-factor'), t, locale);
    case 'account-identities':
      return describeIdentities(model('account-identities'), t, locale);
    case 'account-identity-unlink':
      return describeUnlinking(model('account-identity-unlink'), t);
    case 'account-passkeys':
      return { heading: t('account_passkeys.heading'), extra: describePasskeys(model('account-passkeys'), t, locale) };
    case 'account-passkey-name':
      return { heading: t(model('account-passkey-name').isNew ? 'passkey_name.heading_new' : 'passkey_name.heading') };
    case 'account-passkey-delete':
      return { heading: t('passkey_delete.heading', { name: model('account-passkey-delete').name }) };
    case 'account-refused':
      return { heading: t(REFUSALS[model('account-refused').reason]) };
    default:
      return { heading: t(HEADINGS[page]) };
  }
}

/** The known properties only, on an object that inherits nothing. */
function visibleModel(page: PageName, model: PageModel, extra: Content['extra']): object {
  const visible: Record<string, unknown> = Object.create(null);
  for (const field of MODEL_FIELDS[page]) {
    if (Object.hasOwn(model, field)) visible[field] = (model as Readonly<Record<string, unknown>>)[field];
  }
  return Object.assign(visible, extra);
}
