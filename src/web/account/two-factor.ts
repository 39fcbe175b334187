import Router from '@koa/router';
import type { Context } from 'koa';
import { ENROLMENT_LIFETIME, FEW_RECOVERY_CODES } from '../../credentials/index.ts';
import { redirect } from '../answers.ts';
import { type AccountDependencies, admit, purposeOf, recorder } from './section.ts';
import type { Visitor } from './session.ts';

const HOME = '/account/two-factor';
const APP = `${HOME}/app`;
const CODES = `${HOME}/codes`;
const RENEW = `${CODES}/renew`;
const OFF = `${HOME}/off`;
const DEVICES = `${HOME}/devices`;

/** The authenticator app and the recovery codes of whoever is signed in: on, replaced, off. */
export function createTwoFactorRoutes(deps: AccountDependencies): Router {
  const { sessions, credentials, ladder, notices, forms, pages, metrics } = deps;
  const { totp, recoveryCodes, trustedDevices } = credentials;
  const record = recorder(deps);
  const router = new Router();

  router.get(HOME, async (ctx) => {
    const visitor = admit(ctx, await sessions.visitor(ctx, HOME));
    if (!visitor) return;
    const [since, left, devices] = await Promise.all([
      totp.since(visitor.accountId),
      recoveryCodes.left(visitor.accountId),
      trustedDevices.list(visitor.accountId),
    ]);
    pages.write(ctx, 'account-two-factor', {
      username: visitor.account.username,
      on: since !== undefined,
      since,
      left,
      few: left <= FEW_RECOVERY_CODES,
      setUpHref: APP,
      codesAction: RENEW,
      csrf: forms.csrf(purposeOf(visitor)),
      offHref: OFF,
      signOutHref: '/session/end',
      devices,
      devicesAction: DEVICES,
      notice: NOTICES.find((notice) => notice === ctx.query.done),
    });
  });

  const setUp = async (ctx: Context, visitor: Visitor, problem?: { code: string }): Promise<void> => {
    const { secret, uri } = await totp.begin(purposeOf(visitor), visitor.account.username);
    const csrf = forms.csrf(purposeOf(visitor));
    if (problem) ctx.status = 400;
    pages.write(ctx, 'enrol-totp', { action: APP, csrf, secret, uri, backHref: HOME, ...(problem && { problem }) });
  };

  router.get(APP, async (ctx) => {
    const visitor = admit(ctx, await sessions.fresh(ctx, APP));
    if (visitor) await setUp(ctx, visitor);
  });

  router.post(APP, async (ctx) => {
    const visitor = admit(ctx, await sessions.freshAtStart(ctx, APP, ENROLMENT_LIFETIME));
    if (!visitor) return;
    const { accountId } = visitor;
    const { code = '' } = await forms.read(ctx, purposeOf(visitor), ['code']);
    const had = await totp.enrolled(accountId);
    // Whoever has shown less than an app would have asked for sets up the first one and no other.
    const isStrong = ladder.meets(visitor.acr, ladder.twoFactors === undefined ? [] : [ladder.twoFactors]);
    const outcome = await totp.enrol(purposeOf(visitor), accountId, code, isStrong, async () => {
      await record(ctx, visitor, had ? 'totp.replaced' : 'totp.added');
      return notices.about(accountId, { event: 'totp_added', values: {} });
    });
    metrics.step('account-totp', outcome.proven ? 'ok' : outcome.problem);
    if (!outcome.proven && outcome.problem === 'changed_meanwhile') return redirect(ctx, APP);
    if (!outcome.proven) return setUp(ctx, visitor, { code: outcome.problem });
    // Codes that are kept already stay good for the new app.
    if ((await recoveryCodes.left(accountId)) > 0) return redirect(ctx, `${HOME}?done=replaced`);
    await recoveryCodes.renew(purposeOf(visitor), accountId);
    redirect(ctx, `${CODES}?first`);
  });

  router.post(RENEW, async (ctx) => {
    const visitor = admit(ctx, await sessions.fresh(ctx, HOME));
    if (!visitor) return;
    await forms.read(ctx, purposeOf(visitor), []);
    // They stand in for an app; without one they would be asked for where an app could be set up.
    if (!(await totp.enrolled(visitor.accountId))) return redirect(ctx, HOME);
    await record(ctx, visitor, 'recovery_codes.renewed');
    const mails = notices.about(visitor.accountId, { event: 'recovery_codes_renewed', values: {} });
    await recoveryCodes.renew(purposeOf(visitor), visitor.accountId, mails);
    redirect(ctx, CODES);
  });

  const showCodes = async (ctx: Context, visitor: Visitor, problem?: { code: string }): Promise<void> => {
    // Made by this session a moment ago; once they are kept, nobody sees them again.
    const codes = await recoveryCodes.shown(purposeOf(visitor));
    if (!codes) return redirect(ctx, HOME);
    if (problem) ctx.status = 400;
    pages.write(ctx, 'recovery-codes', {
      action: isFirst(ctx) ? `${CODES}?first` : CODES,
      csrf: forms.csrf(purposeOf(visitor)),
      codes,
      left: codes.length,
      few: false,
      backHref: HOME,
      ...(problem && { problem }),
    });
  };

  router.get(CODES, async (ctx) => {
    const visitor = admit(ctx, await sessions.visitor(ctx, HOME));
    if (visitor) await showCodes(ctx, visitor);
  });

  router.post(CODES, async (ctx) => {
    const visitor = admit(ctx, await sessions.visitor(ctx, HOME));
    if (!visitor) return;
    const form = await forms.read(ctx, purposeOf(visitor), ['kept']);
    if (!('kept' in form)) return showCodes(ctx, visitor, { code: 'recovery_codes_not_kept' });
    await recoveryCodes.kept(purposeOf(visitor));
    redirect(ctx, `${HOME}?done=${isFirst(ctx) ? 'on' : 'codes'}`);
  });

  // Asking again only makes things stricter: no new proof is needed for it.
  router.post(DEVICES, async (ctx) => {
    const visitor = admit(ctx, await sessions.visitor(ctx, HOME));
    if (!visitor) return;
    const { device = '' } = await forms.read(ctx, purposeOf(visitor), ['device']);
    await record(ctx, visitor, 'device.revoked');
    await trustedDevices.revoke(visitor.accountId, device);
    redirect(ctx, `${HOME}?done=devices`);
  });

  /** Whether what would be left still reaches what the operator demands of this account. */
  const mayTurnOff = async ({ accountId, account }: Visitor): Promise<boolean> => {
    if (account.minimumAcr === undefined) return true;
    const rest = (await credentials.potential(accountId)).filter(
      ({ factor }) => factor !== totp.id && factor !== recoveryCodes.id,
    );
    return ladder.meets(ladder.acrOf(rest), [account.minimumAcr]);
  };

  router.get(OFF, async (ctx) => {
    const visitor = admit(ctx, await sessions.fresh(ctx, OFF));
    if (!visitor) return;
    if (!(await mayTurnOff(visitor)))
      return pages.write(ctx, 'account-refused', { reason: 'demanded', backHref: HOME });
    const csrf = forms.csrf(purposeOf(visitor));
    pages.write(ctx, 'account-two-factor-off', { action: OFF, csrf, backHref: HOME });
  });

  router.post(OFF, async (ctx) => {
    const visitor = admit(ctx, await sessions.fresh(ctx, OFF));
    if (!visitor) return;
    await forms.read(ctx, purposeOf(visitor), []);
    if (!(await mayTurnOff(visitor))) {
      ctx.status = 409;
      return pages.write(ctx, 'account-refused', { reason: 'demanded', backHref: HOME });
    }
    await record(ctx, visitor, 'totp.removed');
    const mails = notices.about(visitor.accountId, { event: 'totp_removed', values: {} });
    await Promise.all([totp.remove(visitor.accountId, mails), recoveryCodes.remove(visitor.accountId)]);
    redirect(ctx, `${HOME}?done=off`);
  });

  return router;
}

/** Whether the codes came with the app, and not in the place of others. */
const isFirst = (ctx: Context): boolean => ctx.query.first !== undefined;

const NOTICES = ['on', 'replaced', 'off', 'codes', 'devices'] as const;
