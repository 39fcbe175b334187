import Router from '@koa/router';
import type { Context } from 'koa';
import { addressPrefix } from '../../audit/index.ts';
import { epochSeconds } from '../../kernel/clock.ts';
import { VestibuleError } from '../../kernel/errors.ts';
import { redirect } from '../answers.ts';
import { differs, NEW_PASSWORD_FIELDS, type Refused, refusedFor } from '../new-password-form.ts';
import { type AccountDependencies, admit, purposeOf, recorder } from './section.ts';
import type { Visitor } from './session.ts';

const HOME = '/account/password';
const FIELDS = ['current_password', ...NEW_PASSWORD_FIELDS, 'sign_out_others'] as const;

/** The password of whoever is signed in: changed, or set for the first time. */
export function createPasswordRoutes(deps: AccountDependencies): Router {
  const { sessions, accounts, credentials, attempts, knownDevices, notices, recovery, signOutEverywhere } = deps;
  const { forms, pages, metrics, clock } = deps;
  const { password, newPassword } = credentials;
  const record = recorder(deps);
  const router = new Router();

  /** Whoever has a password proves with it who they are; whoever has none signs in once more. */
  const admitted = async (ctx: Context): Promise<{ visitor: Visitor; current: boolean } | undefined> => {
    const visitor = admit(ctx, await sessions.strong(ctx, HOME));
    if (!visitor) return undefined;
    if (await password.enrolled(visitor.accountId)) return { visitor, current: true };
    return admit(ctx, await sessions.fresh(ctx, HOME)) && { visitor, current: false };
  };

  const show = async (ctx: Context, visitor: Visitor, current: boolean, refused?: Refused): Promise<void> => {
    if (refused) ctx.status = 400;
    pages.write(ctx, 'change-password', {
      action: HOME,
      csrf: forms.csrf(purposeOf(visitor)),
      username: visitor.account.username,
      current,
      minimum: await newPassword.minimum(visitor.accountId),
      words: newPassword.words(visitor.account),
      signOutOthers: true,
      backHref: '/account',
      ...(ctx.query.done === 'changed' && !refused ? { notice: 'changed' as const } : {}),
      ...refused,
    });
  };

  /** Guessing here counts with guessing at the sign-in: a session left open must not help. */
  const provesCurrent = async (ctx: Context, visitor: Visitor, given: string): Promise<Refused | undefined> => {
    const field = 'current_password';
    if (given === '') return { problem: { code: 'current_password_required' }, field };
    const { accountId } = visitor;
    const guesser = { who: accountId, device: credentials.knownDevices.idOf(visitor.account, knownDevices.of(ctx)) };
    const locked = (until: number): Refused => ({
      problem: { code: 'password_locked', wait: Math.max(1, until - epochSeconds(clock)) },
      field,
    });
    const attempt = await attempts.begin(guesser, addressPrefix(ctx.ip));
    if ('refusedUntil' in attempt) return locked(attempt.refusedUntil);
    const outcome = await password.verify(accountId, given).catch(async (error: unknown) => {
      await attempt.takeBack();
      throw error;
    });
    if (outcome.proven) {
      await attempt.succeeded();
      return undefined;
    }
    await record(ctx, visitor, 'password.change_refused');
    if (attempt.lockedUntil !== undefined) return locked(attempt.lockedUntil);
    return { problem: { code: 'wrong_current_password' }, field };
  };

  /** This browser stays, and stays known. */
  const signOutOthers = async (ctx: Context, accountId: string, sessionId: string): Promise<void> => {
    await signOutEverywhere(accountId, sessionId);
    const account = await accounts.find(accountId);
    if (account) knownDevices.remember(ctx, account);
  };

  router.get(HOME, async (ctx) => {
    const found = await admitted(ctx);
    if (found) await show(ctx, found.visitor, found.current);
  });

  router.post(HOME, async (ctx) => {
    const found = await admitted(ctx);
    if (!found) return;
    const { visitor, current } = found;
    const { account, accountId, sessionId } = visitor;
    const form = await forms.read(ctx, purposeOf(visitor), FIELDS);
    const { current_password = '', new_password = '' } = form;
    const unchanged = current && new_password !== '' && new_password === current_password;

    // What costs nothing to see comes first: a slip of the finger is no guess.
    const refused =
      differs(form) ??
      refusedFor(unchanged ? { code: 'password_unchanged' } : undefined) ??
      (current ? await provesCurrent(ctx, visitor, current_password) : undefined) ??
      refusedFor(await newPassword.problem(account, new_password));
    metrics.step('account-password', refused?.problem.code ?? 'ok');
    if (refused) return show(ctx, visitor, current, refused);
    await password.set(accountId, new_password, async () => {
      // Signed out everywhere while this was under way: whoever sent it may be who was shut out.
      if ((await accounts.find(accountId))?.generation !== account.generation)
        throw new VestibuleError('changed_meanwhile', 409);
      await record(ctx, visitor, 'password.changed');
      return notices.about(accountId, { event: 'password_changed', values: {} });
    });
    await recovery.passwordChanged(accountId);
    if ('sign_out_others' in form) await signOutOthers(ctx, accountId, sessionId);
    redirect(ctx, `${HOME}?done=changed`);
  });

  return router;
}
