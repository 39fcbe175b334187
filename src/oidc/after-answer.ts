import type { Middleware } from 'koa';

/** Headers with which the library's answer lets somebody in: the way back with a code, the session's cookie. */
const GRANTING = ['Location', 'Set-Cookie'];

/**
 * A check that is made when the library has answered already: if it fails, or can't be made, nothing of that answer
 * leaves (security-catalogue: failing open).
 *
 * @param check calls `next` first
 */
export const afterAnswer =
  (check: Middleware): Middleware =>
  async (ctx, next) => {
    let isAnswered = false;
    const answer = async (): Promise<void> => {
      await next();
      isAnswered = true;
    };
    try {
      await check(ctx, answer);
    } catch (error) {
      if (isAnswered) for (const name of GRANTING) ctx.remove(name);
      throw error;
    }
  };
