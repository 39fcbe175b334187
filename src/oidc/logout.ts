import { IncomingMessage, type ServerResponse } from 'node:http';
import type { Middleware } from 'koa';
import type { KoaContextWithOIDC, Provider } from 'oidc-provider';

/**
 * Signs out without a page where asking makes no sense: the portal proved whose sign-out it is
 * by an ID token of this very session (OpenID Connect RP-Initiated Logout 1.0 §2), nobody is
 * signed in at all, or somebody else just signed in in this browser. The library would show a
 * form (or a page whose script submits it) each time; here its own confirmation endpoint is
 * called within the server, so that it works without script and without another click.
 * @param subjectOf what a client knows an account as (`sub`, pairwise or public)
 */
export function logoutWithoutAsking(provider: Provider, subjectOf: SubjectOf): Middleware {
  let handle: ((req: IncomingMessage, res: ServerResponse) => Promise<void>) | undefined;
  return async (ctx, next) => {
    await next();
    if (!/^\/(session\/end$|auth\/|device\/)/.test(ctx.path)) return;
    const { oidc } = ctx as unknown as KoaContextWithOIDC;
    const state = (oidc?.session as { state?: SignOut } | undefined)?.state;
    if (ctx.status !== 200 || !state?.secret || !needsNoQuestion(oidc, ctx.path, state, subjectOf)) return;

    handle ??= provider.callback() as (req: IncomingMessage, res: ServerResponse) => Promise<void>;
    ctx.respond = false;
    const request = confirmation(
      ctx.req,
      oidc.urlFor('end_session_confirm'),
      state.secret,
      [ctx.res.getHeader('set-cookie') ?? []].flat().map(String),
    );
    for (const name of ctx.res.getHeaderNames()) ctx.res.removeHeader(name);
    await handle(request, ctx.res);
  };
}

/** The confirmations that no person was asked for. */
const unasked = new WeakSet<IncomingMessage>();

/** Whether somebody is being signed out without having been on a page of ours. */
export const isUnasked = (request: IncomingMessage): boolean => unasked.has(request);

export type SubjectOf = (oidc: KoaContextWithOIDC['oidc'], accountId: string) => string;

/** What the session remembers of a sign-out that was begun, just now or on a page that was left open. */
interface SignOut {
  readonly secret?: string;
  readonly postLogoutRedirectUri?: string;
}

function needsNoQuestion(
  oidc: KoaContextWithOIDC['oidc'],
  path: string,
  state: SignOut,
  subjectOf: SubjectOf,
): boolean {
  const { session, client } = oidc;
  // Another person signed in over this session: the library ends it before it comes back to this address.
  if (oidc.route === 'resume' || oidc.route === 'device_resume') {
    return state.postLogoutRedirectUri === oidc.issuer + path;
  }
  if (oidc.route !== 'end_session') return false;
  if (!session?.accountId) return true;
  const hint = oidc.entities.IdTokenHint?.payload;
  if (!hint || !client) return false;
  const sameSession = hint.sid === undefined || hint.sid === session.sidFor(client.clientId);
  return sameSession && hint.sub === subjectOf(oidc, session.accountId);
}

/** The confirmation form, as the browser would have posted it, the cookies just set included. */
function confirmation(
  original: IncomingMessage,
  address: string,
  secret: string,
  setCookies: readonly string[],
): IncomingMessage {
  const body = new URLSearchParams({ xsrf: secret, logout: 'yes' }).toString();
  const req = new IncomingMessage(original.socket);
  req.method = 'POST';
  req.url = new URL(address).pathname;
  req.httpVersion = original.httpVersion;
  req.headers = {
    ...original.headers,
    // The first of two cookies of one name counts.
    cookie: [...setCookies.map((cookie) => cookie.split(';')[0]), original.headers.cookie ?? '']
      .filter(Boolean)
      .join('; '),
    'content-type': 'application/x-www-form-urlencoded',
    'content-length': String(Buffer.byteLength(body)),
  };
  // Fully received: nothing of the socket's own data belongs to it.
  req.complete = true;
  req.push(body);
  req.push(null);
  unasked.add(req);
  return req;
}
