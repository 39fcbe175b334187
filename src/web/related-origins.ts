import type { Middleware } from 'koa';

/**
 * Which other sites may use the passkeys of this one (WebAuthn Level 3 §5.11, related origins): asked for
 * by browsers when a page's own host is not the passkeys'.
 * @param origins empty: nothing is published
 */
export const relatedOrigins =
  (origins: readonly string[]): Middleware =>
  async (ctx, next) => {
    if (ctx.path !== '/.well-known/webauthn' || origins.length === 0) return next();
    if (ctx.method !== 'GET' && ctx.method !== 'HEAD') return next();
    ctx.body = JSON.stringify({ origins });
    ctx.type = 'application/json';
  };
