import type { Config } from '../../config/config.ts';
import { LANGUAGE_NAMES, type Texts, type Translate } from '../../i18n/index.ts';
import type { Assets } from './assets.ts';
import { pickText } from './assets.ts';
import { consentItems, describeError, formatProblem } from './content.ts';
import { safeLink } from './links.ts';
import { MODEL_FIELDS, type PageContext, type PageModel, type PageModels, type PageName } from './models.ts';
import { compileTemplates } from './templates.ts';

export interface Pages {
  /** @returns a whole HTML document */
  render<P extends PageName>(page: P, model: PageModels[P], context: PageContext): string;
}

/** Pages where somebody is about to sign in: "Sign in to …" on top, the anti-phishing notice below. */
const SIGN_IN_PAGES: ReadonlySet<PageName> = new Set(['identify', 'password']);

const SCRIPTS: Readonly<Partial<Record<PageName, readonly string[]>>> = {
  password: ['show-password.js', 'submit-once.js'],
  error: [],
  'signed-out': [],
  'still-signed-in': [],
  'device-done': [],
};
const FORM_SCRIPTS = ['submit-once.js'];

/**
 * Compiles all templates, once.
 * @throws OperatorError when the overlay is missing or one of its templates does not compile
 */
export function createPages(options: {
  overlay?: string | undefined;
  texts: Texts;
  branding: Config['branding'];
  assets: Assets;
}): Pages {
  const { texts, branding, assets } = options;
  const templates = compileTemplates(options.overlay);

  return {
    render(page, model, context) {
      const { language, client } = context;
      const locale = context.locale ?? language;
      const t = texts.translator(language, locale);
      const name = client?.name ?? branding.name;
      const problem = 'problem' in model && model.problem ? formatProblem(model.problem, texts, t) : undefined;
      const content = describe({ page, model, name, texts, t, locale });
      const plainTitle = t('layout.title', { heading: content.heading, name });

      const locals = {
        t,
        link: safeLink,
        heading: content.heading,
        problem,
        model: visibleModel(page, model, content.extra),
        page: {
          step: page,
          locale,
          title: problem || page === 'error' ? t('layout.error_title', { title: plainTitle }) : plainTitle,
          requestId: context.requestId,
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
          signingIn: SIGN_IN_PAGES.has(page),
          notice: SIGN_IN_PAGES.has(page) ? client?.notice : undefined,
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

/** The one heading of each page, and the parts of its content that need more than a template. */
function describe(input: {
  page: PageName;
  model: PageModel;
  name: string;
  texts: Texts;
  t: Translate;
  locale: string;
}): Content {
  const { page, name, texts, t, locale } = input;
  // The caller's generic `render` has bound model and page together already.
  const model = <P extends PageName>(_: P): PageModels[P] => input.model as PageModels[P];
  switch (page) {
    case 'identify':
      return { heading: t('identify.heading') };
    case 'password':
      return { heading: t('password.heading') };
    case 'consent':
      return {
        heading: t('consent.heading', { name }),
        extra: { items: consentItems(model('consent'), texts, t, locale) },
      };
    case 'error': {
      const { title, text, administrators } = describeError(model('error'), texts, t, locale);
      return { heading: title, extra: { text, administrators } };
    }
    case 'sign-out':
      return { heading: t('sign_out.heading'), extra: { name: model('sign-out').clientName || name } };
    case 'signed-out':
      return { heading: t('sign_out.done_heading') };
    case 'still-signed-in':
      return { heading: t('sign_out.stayed_heading') };
    case 'device-code':
      return { heading: t('device.code_heading') };
    case 'device-confirm':
      return { heading: t('device.confirm_heading'), extra: { name: model('device-confirm').clientName || name } };
    case 'device-done':
      return { heading: t('device.done_heading'), extra: { name: model('device-done').clientName } };
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
