import type { Middleware } from 'koa';
import type { Logger } from '../../kernel/logger.ts';
import type { Random } from '../../kernel/random.ts';
import type { Metrics } from '../metrics.ts';

/** Crockford's base 32: no letters that are misread over the telephone. */
const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

/**
 * Gives every request the reference number that error pages show and log lines carry, and
 * measures it.
 */
export function request(deps: { logger: Logger; metrics: Metrics; random: Random }): Middleware {
  const { logger, metrics, random } = deps;
  return async (ctx, next) => {
    ctx.state.requestId = reference(random);
    // For programs, whose errors have no page to show it on.
    ctx.set('X-Request-Id', ctx.state.requestId);
    const started = performance.now();
    try {
      await next();
    } finally {
      const milliseconds = performance.now() - started;
      metrics.observeRequest(routeOf(ctx.path), ctx.method, ctx.status, milliseconds / 1000);
      // What succeeded is counted, and listed by the proxy; what didn't is looked for by its number.
      const level = ctx.status >= 400 ? 'info' : 'debug';
      if (logger.isLevelEnabled(level)) {
        logger[level]({
          event: 'request',
          request_id: ctx.state.requestId,
          method: ctx.method,
          path: publicPath(ctx.path),
          status: ctx.status,
          ms: Math.round(milliseconds * 10) / 10,
        });
      }
    }
  };
}

/** Queries are left out, and so is the id of an interaction, which is also its cookie's value. */
const publicPath = (path: string): string =>
  path.slice(0, 200).replace(/^\/(interaction|auth|device)\/[^/]+/i, '/$1/:uid');

function reference(random: Random): string {
  const letters = Array.from(random.bytes(8), (byte) => ALPHABET[byte % 32]);
  return `${letters.slice(0, 4).join('')}-${letters.slice(4).join('')}`;
}

const ROUTES = new Set([
  'auth',
  'token',
  'me',
  'jwks',
  'request',
  'session',
  'interaction',
  'assets',
  'device',
  'reg',
  'account',
  'recovery',
  '.well-known',
]);

/** First path segment where it is one of ours: a bounded label, whatever is asked for. */
function routeOf(path: string): string {
  const segment = path.split('/', 2)[1] ?? '';
  return ROUTES.has(segment) ? `/${segment}` : 'other';
}
