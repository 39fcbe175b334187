import { readFile } from 'node:fs/promises';
import type { Context, Middleware } from 'koa';
import { errors, type Provider } from 'oidc-provider';
import type { Html } from '../shared/html.ts';
import { readBody } from '../shared/http.ts';
import { type Citizen, citizenOf } from './citizens.ts';
import { AMR, acrOf, levelNamed, suffices, wishOf } from './levels.ts';
import { chooserPage, confirmPage, type Errand, errorPage, homePage } from './pages.ts';
import { chooseLanguage } from './texts.ts';

const MAX_FORM_BYTES = 4096;

/** `form-action` is missing on purpose: the way back after a form leads through Vestibule to any portal. */
const POLICY = [
  "default-src 'none'",
  "style-src 'self'",
  "img-src 'self'",
  // For the library, which adds the hash of the one script that posts an answer (`response_mode=form_post`).
  "script-src 'self'",
  "frame-ancestors 'none'",
  "base-uri 'none'",
].join('; ');

const FILES: Readonly<Record<string, { readonly path: string; readonly type: string }>> = {
  '/portals.css': { path: '../portals/portals.css', type: 'text/css' },
  '/eid.css': { path: 'eid.css', type: 'text/css' },
  '/logo.svg': { path: '../config/logos/demo-eid.svg', type: 'image/svg+xml' },
};

/** On every answer, the protocol library's included. */
export const securityHeaders: Middleware = async (ctx, next) => {
  ctx.set({
    'content-security-policy': POLICY,
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'no-referrer',
    'cross-origin-opener-policy': 'same-origin',
  });
  await next();
};

/** The eID's own pages; everything else is the protocol's. */
export function createRoutes(provider: Provider): Middleware {
  return async (ctx, next) => {
    const { method, path } = ctx;
    const file = FILES[path];
    if (file && method === 'GET') return sendFile(ctx, file);
    if (path === '/' && method === 'GET') return home(provider, ctx);
    const [, uid, part, ...rest] = /^\/interaction\//.test(path) ? path.split('/').slice(1) : [];
    if (!uid || rest.length > 0 || (method !== 'GET' && method !== 'POST')) return next();
    try {
      await interaction(provider, ctx, part);
    } catch (error) {
      // Too old, answered already, or of another browser.
      if (!(error instanceof errors.SessionNotFound)) throw error;
      show(ctx, errorPage(languageIn(ctx), 'session_not_found'), 400);
    }
  };
}

async function interaction(provider: Provider, ctx: Context, part: string | undefined): Promise<void> {
  const { uid, params } = await provider.interactionDetails(ctx.req, ctx.res);
  const citizen = citizenOf(part);
  const wish = wishOf(params);
  const answer = async (result: Parameters<Provider['interactionResult']>[2]): Promise<void> => {
    const back = await provider.interactionResult(ctx.req, ctx.res, result, { mergeWithLastSubmission: false });
    ctx.redirect(back);
    ctx.status = 303;
  };

  if (ctx.method === 'POST' && part === 'cancel') {
    return answer({ error: 'access_denied', error_description: 'the person cancelled' });
  }
  if (ctx.method === 'POST' && citizen) {
    const level = levelNamed(new URLSearchParams(await readBody(ctx.req, MAX_FORM_BYTES)).get('level'));
    if (!level) return show(ctx, errorPage(languageIn(ctx, params), 'invalid_request'), 400);
    if (!suffices(level, wish)) {
      return answer({
        error: 'unmet_authentication_requirements',
        error_description: 'the person did not reach the level of assurance that was demanded',
      });
    }
    await answer({ login: { accountId: citizen.id, acr: acrOf(level), amr: [...AMR[level]] } });
    // Last: until it is answered, an interaction is bound to whoever was signed in when it began.
    return forgetOther(provider, ctx, citizen);
  }
  if (ctx.method === 'POST' || (part !== undefined && !citizen)) ctx.throw(404);

  const client = await provider.Client.find(String(params.client_id));
  const errand: Errand = {
    language: languageIn(ctx, params),
    address: `/interaction/${uid}`,
    asks: client?.clientName ?? String(params.client_id),
    scopes: String(params.scope ?? '').split(' '),
    wish,
  };
  show(ctx, citizen ? confirmPage(errand, citizen, wish.least ?? 'substantial') : chooserPage(errand));
}

/**
 * Somebody else confirmed in the same browser: the session becomes theirs. The library would sign the first one
 * out everywhere, by a page whose script submits it; a person who took the wrong card wants nothing of the kind.
 */
async function forgetOther(provider: Provider, ctx: Context, citizen: Citizen): Promise<void> {
  const session = await provider.Session.get(ctx);
  if (session.accountId === undefined || session.accountId === citizen.id) return;
  session.accountId = undefined;
  session.authorizations = {};
  await session.persist();
}

async function home(provider: Provider, ctx: Context): Promise<void> {
  const { accountId } = await provider.Session.get(ctx);
  show(ctx, homePage(languageIn(ctx), citizenOf(accountId)));
}

function show(ctx: Context, page: Html, status = 200): void {
  ctx.status = status;
  ctx.type = 'html';
  ctx.set('cache-control', 'no-store');
  ctx.body = page.text;
}

async function sendFile(ctx: Context, { path, type }: { path: string; type: string }): Promise<void> {
  ctx.type = type;
  ctx.set('cache-control', 'public, max-age=300');
  ctx.body = await readFile(new URL(path, import.meta.url));
}

const languageIn = (ctx: Context, params?: Readonly<Record<string, unknown>>) =>
  chooseLanguage(typeof params?.ui_locales === 'string' ? params.ui_locales : undefined, ctx.get('accept-language'));
