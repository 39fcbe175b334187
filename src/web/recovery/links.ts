import Router from '@koa/router';
import type { Context } from 'koa';
import { addressPrefix } from '../../audit/index.ts';
import { VestibuleError } from '../../kernel/errors.ts';
import type { Trail } from '../../recovery/index.ts';
import { redirect } from '../answers.ts';
import { differs, NEW_PASSWORD_FIELDS, type Refused, refusedFor } from '../new-password-form.ts';
import { PASSWORD, type RecoveryDependencies, within } from './requests.ts';

const NEW = `${PASSWORD}/new`;
const DONE = `${PASSWORD}/done`;
const NOT_ME = '/recovery/not-me';

/**
 * Where the links of mails lead. Opening one changes nothing, as mail scanners open them all; the token moves
 * from the address into a cookie at once, so that neither the history nor a `Referer` keeps it.
 */
export function createLinkRoutes(deps: RecoveryDependencies): Router {
  const { recovery, credentials, audit, forms, pages, metrics, logger, https, askedAt } = deps;
  const router = new Router();
  const cookie = https ? '__Host-vestibule_link' : 'vestibule_link';

  /** @returns the token; undefined when the browser was sent to the address without it */
  const tokenOf = async (
    ctx: Context,
    purpose: 'new-password' | 'not-me',
    path: string,
  ): Promise<string | undefined> => {
    const options = { httpOnly: true, sameSite: 'lax', secure: https, path: '/', signed: false } as const;
    const { token } = ctx.query;
    if (token === undefined) return ctx.cookies.get(cookie, options) ?? '';
    // Anything else could not stand in a cookie, and is none.
    const given = typeof token === 'string' && /^[\w-]{1,100}$/.test(token) ? token : '';
    const dead = await faultOf(purpose, given);
    // An old mail that is opened once more leaves alone the link that another window is using.
    if (dead && !(await faultOf(purpose, ctx.cookies.get(cookie, options) ?? ''))) throw dead;
    ctx.cookies.set(cookie, given, options);
    redirect(ctx, path);
    return undefined;
  };
  /** @returns why the link is worth nothing; undefined for one that works */
  const faultOf = async (purpose: 'new-password' | 'not-me', token: string): Promise<VestibuleError | undefined> => {
    try {
      await recovery.whose(purpose, token);
      return undefined;
    } catch (error) {
      if (error instanceof VestibuleError && error.status === 400) return error;
      throw error;
    }
  };
  const forget = (ctx: Context): void => {
    ctx.cookies.set(cookie, null, { path: '/', secure: https, signed: false });
  };
  const purposeOf = (token: string): string => `recovery ${token}`;

  const trailOf =
    (ctx: Context): Trail =>
    async (event, accountId, mails) => {
      const { requestId } = ctx.state;
      logger.info({ event, request_id: requestId, account: accountId });
      await audit.record({ event, accountId, requestId, address: addressPrefix(ctx.ip) }, mails);
    };

  const askPassword = async (ctx: Context, token: string, refused?: Refused): Promise<void> => {
    const { account, about } = await recovery.whose('new-password', token);
    if (refused) ctx.status = 400;
    const model = {
      action: NEW,
      csrf: forms.csrf(purposeOf(token)),
      username: account.username,
      current: false,
      minimum: await credentials.newPassword.minimum(account.id),
      // Whoever has the mail need not learn here whose names these are.
      words: [account.username],
      signOutOthers: false,
      ...refused,
    };
    pages.write(ctx, 'change-password', model, await askedAt(ctx, about.uid));
  };

  router.get(NEW, async (ctx) => {
    const token = await tokenOf(ctx, 'new-password', NEW);
    if (token !== undefined) await askPassword(ctx, token);
  });

  router.post(NEW, async (ctx) => {
    const token = ctx.cookies.get(cookie, { signed: false }) ?? '';
    // Before anything is read of the form: a link that is worth nothing says so, whatever else is wrong.
    await recovery.whose('new-password', token);
    const form = await forms.read(ctx, purposeOf(token), NEW_PASSWORD_FIELDS);
    const mistyped = differs(form);
    if (mistyped) return askPassword(ctx, token, mistyped);
    const chosen = await recovery.choosePassword(token, form.new_password ?? '', trailOf(ctx));
    const refused = 'problem' in chosen ? refusedFor(chosen.problem) : undefined;
    metrics.step('recovery-new-password', refused?.problem.code ?? 'ok');
    if ('problem' in chosen) return askPassword(ctx, token, refused);
    forget(ctx);
    const { uid, clientId } = chosen.about;
    if (uid === undefined || chosen.resume === undefined) return redirect(ctx, DONE);
    setResume(ctx, chosen.resume, https);
    redirect(ctx, resumePath(uid, clientId));
  });

  router.get(DONE, async (ctx) => {
    const asked = await askedAt(ctx);
    const portalHref = asked.client?.client_uri;
    pages.write(ctx, 'recovery-done', portalHref === undefined ? {} : { portalHref }, asked);
  });

  router.get(NOT_ME, async (ctx) => {
    const token = await tokenOf(ctx, 'not-me', NOT_ME);
    if (token === undefined) return;
    const { account } = await recovery.whose('not-me', token);
    const model = { action: NOT_ME, csrf: forms.csrf(purposeOf(token)), username: account.username };
    pages.write(ctx, 'not-me', model, await askedAt(ctx));
  });

  router.post(NOT_ME, async (ctx) => {
    const token = ctx.cookies.get(cookie, { signed: false }) ?? '';
    await recovery.whose('not-me', token);
    await forms.read(ctx, purposeOf(token), []);
    const origin = { address: addressPrefix(ctx.ip), language: pages.language(ctx) };
    await recovery.wasNotMe(token, origin, trailOf(ctx));
    metrics.step('recovery-not-me', 'ok');
    forget(ctx);
    redirect(ctx, `${NOT_ME}/done`);
  });

  router.get(`${NOT_ME}/done`, async (ctx) =>
    pages.write(ctx, 'recovery-sent', { about: 'not_me', againHref: PASSWORD }, await askedAt(ctx)),
  );

  return router;
}

/** Where a sign-in goes on after a new password was chosen, in the browser it was begun in. */
export const resumePath = (uid: string, clientId: string | undefined): string =>
  within(`/interaction/${uid}/resume`, undefined, clientId);
/** The same where that sign-in is no longer there: the way to its portal. */
export const donePath = (uid: string, clientId: string | undefined): string => within(DONE, uid, clientId);

/** As the link's: no other host of the domain can plant it (RFC 6265bis §4.1.3.2). */
const resumeName = (https: boolean): string => `${https ? '__Host-' : ''}vestibule_resume_password`;

const resumeCookie = (https: boolean) =>
  ({ httpOnly: true, sameSite: 'lax', secure: https, path: '/', signed: false }) as const;

function setResume(ctx: Context, token: string, https: boolean): void {
  ctx.cookies.set(resumeName(https), token, resumeCookie(https));
}

/** Reads it once. @returns '' without it */
export function takeResume(ctx: Context, https: boolean): string {
  const token = ctx.cookies.get(resumeName(https), { signed: false }) ?? '';
  ctx.cookies.set(resumeName(https), null, resumeCookie(https));
  return token;
}
