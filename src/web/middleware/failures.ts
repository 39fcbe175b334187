import type { Context, Middleware } from 'koa';
import { VestibuleError } from '../../kernel/errors.ts';
import type { Logger } from '../../kernel/logger.ts';
import { sendProblem, wantsJson } from '../answers.ts';
import type { PageWriter } from '../page-writer.ts';

/** A failure as the outside hears of it. */
interface Failure {
  readonly code: string;
  readonly status: number;
  readonly retryAfter?: number;
}

/** Seconds. */
const SOON = 5;

/**
 * The one place where an error becomes an answer: a page in the person's language, or
 * `application/problem+json` (RFC 9457) for a program, with the reference number that the log
 * line carries. Nothing of the cause leaves the server.
 */
export function failures(deps: { logger: Logger; pages: PageWriter }): Middleware {
  const { logger, pages } = deps;
  return async (ctx, next) => {
    try {
      await next();
      // An OAuth error in which the protocol told a program of a failure of ours.
      if (ctx.status === 503) ctx.set('Retry-After', String(SOON));
      if (ctx.status >= 400 && ctx.body === undefined) await answer(ctx, pages, unanswered(ctx));
    } catch (error) {
      const failure = toFailure(error);
      const line = {
        event: failure.status >= 500 ? 'request.failed' : 'request.refused',
        request_id: ctx.state.requestId,
        code: failure.code,
      };
      if (failure.status >= 500) logger.error({ ...line, err: error });
      else logger.info(line);
      await answer(ctx, pages, failure);
    }
  };
}

/** Methods of the protocol's endpoints; its router says "not found" to any other. */
const METHODS: Readonly<Record<string, string>> = {
  '/auth': 'GET, POST',
  '/token': 'POST',
  '/me': 'GET, POST',
  '/jwks': 'GET',
  '/request': 'POST',
  '/session/end': 'GET, POST',
  '/token/introspection': 'POST',
  '/token/revocation': 'POST',
  '/.well-known/openid-configuration': 'GET',
};

function unanswered(ctx: Context): Failure {
  // A method of the list is not answered where it is switched off (POST to the authorization endpoint).
  const methods = METHODS[ctx.path]?.split(', ').filter((method) => method !== ctx.method);
  if (methods) ctx.set('Allow', methods.join(', '));
  else if (ctx.status === 404) return { code: 'not_found', status: 404 };
  return { code: 'method_not_allowed', status: 405 };
}

function toFailure(error: unknown): Failure {
  if (error instanceof VestibuleError) {
    return {
      code: error.code,
      status: error.status,
      ...(error.retryAfter === undefined ? {} : { retryAfter: error.retryAfter }),
    };
  }
  // Koa's own errors (a malformed path, say) carry a client status and may be told.
  const { status, expose } = error as { status?: unknown; expose?: unknown };
  if (expose === true && typeof status === 'number' && status >= 400 && status < 500)
    return { code: 'bad_request', status };
  return { code: 'unexpected', status: 500 };
}

async function answer(ctx: Context, pages: PageWriter, failure: Failure): Promise<void> {
  ctx.status = failure.status;
  if (failure.retryAfter !== undefined) ctx.set('Retry-After', String(failure.retryAfter));
  if (!wantsJson(ctx)) return pages.error(ctx, failure);
  sendProblem(ctx, { ...failure, detail: await pages.explain(ctx, failure) });
}
