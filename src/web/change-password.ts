import type { Middleware } from 'koa';

/** Where password managers send people whose password was stolen (W3C, A Well-Known URL for Changing Passwords). */
export const changePassword: Middleware = async (ctx, next) => {
  if (ctx.path !== '/.well-known/change-password') return next();
  if (ctx.method !== 'GET' && ctx.method !== 'HEAD') return next();
  ctx.redirect('/account/password');
};
