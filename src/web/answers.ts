import type { Context } from 'koa';

/** Whether a script or program asked, and not a browser opening a page. */
export const wantsJson = (ctx: Context): boolean => ctx.accepts('html', 'json') === 'json';

export function sendJson(ctx: Context, body: unknown): void {
  ctx.set('Cache-Control', 'no-store');
  ctx.body = JSON.stringify(body);
  ctx.type = 'application/json';
}

/**
 * RFC 9457. `code` is for programs, `detail` the sentence a person would read, `instance` carries the
 * reference number of the log line.
 */
export function sendProblem(ctx: Context, problem: { code: string; status: number; detail?: string }): void {
  const { code, status, detail } = problem;
  ctx.status = status;
  sendJson(ctx, {
    type: 'about:blank',
    title: code,
    status,
    code,
    ...(detail === undefined ? {} : { detail }),
    instance: `urn:vestibule:request:${ctx.state.requestId}`,
  });
  ctx.type = 'application/problem+json';
}

/** 303 (RFC 9700 §4.12): the browser must not send a password along to where it is redirected. */
export function redirect(ctx: Context, location: string): void {
  // A script can't follow a redirect to another origin: it is told the address.
  if (ctx.method === 'POST' && wantsJson(ctx)) {
    sendJson(ctx, { location });
    return;
  }
  ctx.set('Cache-Control', 'no-store');
  ctx.status = 303;
  ctx.redirect(location);
}
