import Router from '@koa/router';
import type { Context } from 'koa';
import { readIdentifier } from '../../accounts/index.ts';
import { type Audit, addressPrefix } from '../../audit/index.ts';
import type { Credentials } from '../../credentials/index.ts';
import type { Logger } from '../../kernel/logger.ts';
import { isPlainAddress } from '../../notifications/index.ts';
import type { Interactions } from '../../oidc/index.ts';
import type { Origin, Recovery } from '../../recovery/index.ts';
import { redirect } from '../answers.ts';
import type { Metrics } from '../metrics.ts';
import type { Forms } from '../middleware/forms.ts';
import type { Asked, PageWriter } from '../page-writer.ts';

export interface RecoveryDependencies {
  readonly recovery: Recovery;
  readonly credentials: Credentials;
  readonly interactions: Interactions;
  readonly audit: Audit;
  readonly forms: Forms;
  readonly pages: PageWriter;
  readonly metrics: Metrics;
  readonly logger: Logger;
  readonly https: boolean;
  /** The sign-in that a page's address names: its portal and its language. */
  askedAt(ctx: Context, uid?: string): Promise<Asked>;
}

const HOME = '/recovery';
export const PASSWORD = `${HOME}/password`;
const USERNAME = `${HOME}/username`;
/** Nobody is signed in: the token binds a form to this purpose, the browser's `Origin` to this site. */
const PURPOSE = 'recovery';

/** The sign-in a page was reached from. Only for looks and for the way back: anybody may write anything here. */
export const signInOf = (ctx: Context): string | undefined =>
  typeof ctx.query.interaction === 'string' && /^[\w-]{1,64}$/.test(ctx.query.interaction)
    ? ctx.query.interaction
    : undefined;

/** Back to signing in. */
const backOf = (ctx: Context): string | undefined => {
  const uid = signInOf(ctx);
  return uid === undefined ? undefined : `/interaction/${uid}`;
};

/** The portal a page was reached from, where that sign-in may be forgotten by now. As untrusted. */
export const clientOf = (ctx: Context): string | undefined =>
  typeof ctx.query.client === 'string' && /^[\w.~-]{1,128}$/.test(ctx.query.client) ? ctx.query.client : undefined;

/** The same page's address with the sign-in it belongs to. */
export function within(path: string, uid: string | undefined, clientId?: string): string {
  const names = {
    ...(uid === undefined ? {} : { interaction: uid }),
    ...(clientId === undefined ? {} : { client: clientId }),
  };
  const query = new URLSearchParams(names).toString();
  return query === '' ? path : `${path}?${query}`;
}

export function createRequestRoutes(deps: RecoveryDependencies): Router {
  const { recovery, interactions, forms, pages, metrics, logger, askedAt } = deps;
  const router = new Router();

  const originOf = async (ctx: Context, asked: Asked): Promise<Origin> => {
    const uid = signInOf(ctx);
    const clientId = uid === undefined ? undefined : (await interactions.requestOf(uid)).clientId;
    const language = pages.language(ctx, asked);
    return { address: addressPrefix(ctx.ip), language, ...(clientId === undefined ? {} : { uid, clientId }) };
  };
  const asking = (ctx: Context, what: string): void => {
    metrics.step(what, 'ok');
    logger.info({ event: 'recovery.asked', request_id: ctx.state.requestId, what });
  };

  router.get(HOME, async (ctx) => {
    const uid = signInOf(ctx);
    const links = { forgotPasswordHref: within(PASSWORD, uid), forgotUsernameHref: within(USERNAME, uid) };
    pages.write(ctx, 'recovery', { ...links, backHref: backOf(ctx) }, await askedAt(ctx));
  });

  /** Who helps, where nothing can be mailed. */
  const showHelp = (ctx: Context, asked: Asked): void =>
    pages.write(
      ctx,
      'recovery-username',
      { mails: false, action: ctx.path, csrf: forms.csrf(PURPOSE), backHref: backOf(ctx) ?? HOME },
      asked,
    );

  const askUsername = (ctx: Context, asked: Asked, again: { problem?: { code: string }; username?: string } = {}) => {
    if (again.problem) ctx.status = 400;
    const form = { action: within(PASSWORD, signInOf(ctx)), csrf: forms.csrf(PURPOSE) };
    pages.write(ctx, 'recovery-password', { ...form, backHref: within(HOME, signInOf(ctx)), ...again }, asked);
  };

  router.get(PASSWORD, async (ctx) => {
    const asked = await askedAt(ctx);
    if (recovery.available) askUsername(ctx, asked);
    else showHelp(ctx, asked);
  });

  router.post(PASSWORD, async (ctx) => {
    const { username = '' } = await forms.read(ctx, PURPOSE, ['username']);
    const asked = await askedAt(ctx);
    const read = readIdentifier(username);
    const code = 'problem' in read ? read.problem : addressProblem(read.identifier);
    if ('problem' in read || code !== undefined)
      return askUsername(ctx, asked, { problem: { code: code ?? '' }, username: username.slice(0, 254) });
    await recovery.askForPassword({ identifier: read.identifier }, await originOf(ctx, asked));
    asking(ctx, 'recovery-password');
    redirect(ctx, within(`${PASSWORD}/sent`, signInOf(ctx)));
  });

  const askEmail = (ctx: Context, asked: Asked, again: { problem?: { code: string }; email?: string } = {}) => {
    if (again.problem) ctx.status = 400;
    const form = { action: within(USERNAME, signInOf(ctx)), csrf: forms.csrf(PURPOSE), mails: true };
    pages.write(ctx, 'recovery-username', { ...form, backHref: within(HOME, signInOf(ctx)), ...again }, asked);
  };

  router.get(USERNAME, async (ctx) => {
    const asked = await askedAt(ctx);
    if (recovery.mailsUsernames) askEmail(ctx, asked);
    else showHelp(ctx, asked);
  });

  router.post(USERNAME, async (ctx) => {
    const { email = '' } = await forms.read(ctx, PURPOSE, ['email']);
    const asked = await askedAt(ctx);
    if (!recovery.mailsUsernames) return showHelp(ctx, asked);
    const read = readIdentifier(email);
    if ('problem' in read || !isPlainAddress(read.identifier)) {
      const code = email.trim() === '' ? 'email_required' : 'email_invalid';
      return askEmail(ctx, asked, { problem: { code }, email: email.slice(0, 254) });
    }
    await recovery.askForUsernames(read.identifier, await originOf(ctx, asked));
    asking(ctx, 'recovery-username');
    redirect(ctx, within(`${USERNAME}/sent`, signInOf(ctx)));
  });

  for (const [about, page] of [['password', PASSWORD] as const, ['username', USERNAME] as const]) {
    router.get(`${page}/sent`, async (ctx) =>
      pages.write(
        ctx,
        'recovery-sent',
        { about, againHref: within(page, signInOf(ctx)), backHref: backOf(ctx) },
        await askedAt(ctx),
      ),
    );
  }

  return router;
}

/** One name or one address: never a list, of which the second might be somebody else's (recipient splitting). */
const addressProblem = (identifier: string): string | undefined =>
  identifier.includes('@') && !isPlainAddress(identifier) ? 'username_invalid' : undefined;
