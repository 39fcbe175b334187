import type { Middleware } from 'koa';
import { VestibuleError } from '../../kernel/errors.ts';
import { readBody } from './forms.ts';

/**
 * OpenID Connect RP-Initiated Logout 1.0 §2 wants POST as well as GET. Where the protocol library
 * takes no POST (`features.authorization_post`), the browser is told to GET instead: only then
 * does it send the session's cookie, which `SameSite=Lax` keeps back from a form of another site.
 */
export const logoutByPost: Middleware = async (ctx, next) => {
  if (ctx.method !== 'POST' || ctx.path !== '/session/end') return next();
  // Without a type there is no body: nothing was asked beyond signing out.
  if (ctx.get('Content-Type') && !ctx.is('application/x-www-form-urlencoded')) {
    throw new VestibuleError('unsupported_media', 415);
  }
  const parameters = new URLSearchParams(await readBody(ctx));
  ctx.set('Cache-Control', 'no-store');
  ctx.status = 303;
  ctx.redirect(`/session/end?${parameters}`);
};
