import type { Context } from 'koa';
import type { Config } from '../config/config.ts';
import type { ClientFile } from '../config/schema/client.ts';
import { LANGUAGES, type Language } from '../config/schema/values.ts';
import { chooseLocale } from '../i18n/index.ts';
import type { Assets, PageContext, PageModel, PageName, Pages, Problem } from './pages/index.ts';

export interface Asked {
  /** Language chosen on a page of this journey. */
  readonly chosen?: string | undefined;
  /** `ui_locales` of the portal's request. */
  readonly uiLocales?: string | undefined;
  readonly client?: ClientFile | undefined;
}

type Failure = { code: string; status: number; retryAfter?: number; values?: Record<string, string> };

export interface PageWriter {
  /** The language a page would be in. */
  language(ctx: Context, asked?: Asked): Language;
  /** The sentence a page would show for a problem, for a script that shows it. */
  sentence(ctx: Context, problem: Problem, asked?: Asked): string;
  /** The sentence of an error page. */
  explain(ctx: Context, failure: Failure): Promise<string>;
  write(ctx: Context, page: PageName, model: PageModel, asked?: Asked): void;
  error(ctx: Context, failure: Failure): Promise<void>;
  /** Remembers a language chosen by `?lang=…`. @returns the language, or undefined when it is none of ours */
  rememberLanguage(ctx: Context): Language | undefined;
}

const LANGUAGE_COOKIE = 'vestibule_language';
const YEAR = 365 * 86_400_000;

/** Writes a page as the answer: in the person's language, in the portal's colours, not stored anywhere. */
export function createPageWriter(deps: {
  config: Config;
  pages: Pages;
  assets: Assets;
  /** The request an interaction's address belongs to: an error page speaks and looks like the others, and leads back. */
  askedAt(ctx: Context): Promise<Asked>;
}): PageWriter {
  const { config, pages, assets, askedAt } = deps;
  const https = config.issuer.startsWith('https://');
  const cookieName = https ? `__Host-${LANGUAGE_COOKIE}` : LANGUAGE_COOKIE;

  const contextOf = (ctx: Context, { chosen, uiLocales, client }: Asked): PageContext => {
    const clientDefault = client?.vestibule.default_language;
    const cookie = ctx.cookies.get(cookieName, { signed: false });
    const { language, locale } = chooseLocale(
      {
        ...(chosen === undefined ? {} : { chosen }),
        ...(uiLocales === undefined ? {} : { uiLocales }),
        ...(cookie === undefined ? {} : { cookie }),
        acceptLanguage: ctx.get('Accept-Language'),
        ...(clientDefault === undefined ? {} : { clientDefault }),
      },
      config.languages.offered,
      config.languages.default,
    );
    return {
      language,
      locale,
      requestId: ctx.state.requestId,
      ...(client === undefined ? {} : { client: assets.clientView(client, language) }),
      languages: config.languages.offered.map((offered) => ({ language: offered, href: inLanguage(ctx, offered) })),
    };
  };

  const writer: PageWriter = {
    language: (ctx, asked = {}) => contextOf(ctx, { ...asked, chosen: languageIn(ctx) ?? asked.chosen }).language,
    sentence: (ctx, problem, asked = {}) => pages.sentence(problem, contextOf(ctx, asked)),
    explain: async (ctx, failure) => pages.explain(failure, contextOf(ctx, await askedAt(ctx).catch(() => ({})))),

    write(ctx, page, model, asked = {}) {
      ctx.set('Cache-Control', 'no-store');
      ctx.type = 'html';
      const chosen = writer.rememberLanguage(ctx) ?? asked.chosen;
      ctx.body = pages.render(page, model, contextOf(ctx, { ...asked, chosen }));
    },

    async error(ctx, failure) {
      // Looking up the way back must not fail the error page itself.
      const asked: Asked = await askedAt(ctx).catch(() => ({}));
      ctx.status = failure.status;
      const retryHref = wayOn(ctx, failure);
      const retry = retryHref === undefined ? {} : { retryHref };
      writer.write(ctx, 'error', { ...failure, ...retry, reference: ctx.state.requestId }, asked);
    },

    rememberLanguage(ctx) {
      const language = languageIn(ctx);
      if (language)
        ctx.cookies.set(cookieName, language, {
          httpOnly: true,
          sameSite: 'lax',
          secure: https,
          path: '/',
          maxAge: YEAR,
          signed: false,
        });
      return language;
    },
  };
  return writer;
}

/** Where an error page leads on by itself. */
function wayOn(ctx: Context, { code, retryAfter }: Failure): string | undefined {
  // A mail's link that is worth nothing any more: another is asked for.
  if (code.startsWith('link_')) return '/recovery/password';
  if (code.startsWith('external_'))
    return ctx.path.startsWith('/account/') ? '/account/identities' : /^\/interaction\/[\w-]{1,64}/.exec(ctx.path)?.[0];
  // Where waiting helps, the step's own address shows again what is due.
  return retryAfter !== undefined && ctx.path.startsWith('/interaction/') ? ctx.path : undefined;
}

/** Characters. The query is repeated for each language; a portal's request is shorter. */
const LONGEST_QUERY = 4096;

/** This page's own address with another language: its query stays, as it may be the portal's request. */
function inLanguage(ctx: Context, language: Language): string {
  const query = new URLSearchParams(ctx.querystring.length > LONGEST_QUERY ? '' : ctx.querystring);
  query.set('lang', language);
  return `?${query}`;
}

const languageIn = (ctx: Context): Language | undefined => LANGUAGES.find((language) => language === ctx.query.lang);
