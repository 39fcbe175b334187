import type { Context } from 'koa';
import type { Accounts } from '../../accounts/index.ts';
import { type Audit, addressPrefix } from '../../audit/index.ts';
import type { Language } from '../../config/schema/values.ts';
import type { Credentials } from '../../credentials/index.ts';
import type { Federation, Offered } from '../../federation/index.ts';
import type { Attempts, Ladder } from '../../journey/index.ts';
import type { Clock } from '../../kernel/clock.ts';
import type { Logger } from '../../kernel/logger.ts';
import type { Notices } from '../../notifications/index.ts';
import type { SignOutEverywhere } from '../../oidc/index.ts';
import type { Recovery } from '../../recovery/index.ts';
import { redirect } from '../answers.ts';
import type { KnownDeviceCookie } from '../known-device-cookie.ts';
import type { Metrics } from '../metrics.ts';
import type { Forms } from '../middleware/forms.ts';
import type { PageWriter } from '../page-writer.ts';
import type { ExternalWay } from '../pages/index.ts';
import type { AccountSessions, Found, Visitor } from './session.ts';

/** What every section of the account area works with. */
export interface AccountDependencies {
  readonly sessions: AccountSessions;
  readonly credentials: Credentials;
  readonly ladder: Ladder;
  readonly accounts: Accounts;
  readonly attempts: Attempts;
  readonly recovery: Recovery;
  readonly federation: Federation;
  /** As a page shows them, in a language. */
  externals(offered: readonly Offered[], language: Language): readonly ExternalWay[];
  readonly knownDevices: KnownDeviceCookie;
  readonly notices: Notices;
  readonly signOutEverywhere: SignOutEverywhere;
  readonly audit: Audit;
  readonly forms: Forms;
  readonly pages: PageWriter;
  readonly metrics: Metrics;
  readonly logger: Logger;
  readonly clock: Clock;
}

/** Sends whoever has to sign in first on their way. @returns undefined then */
export function admit(ctx: Context, found: Found): Visitor | undefined {
  if ('visitor' in found) return found.visitor;
  redirect(ctx, found.signIn);
  return undefined;
}

/** Forms and ceremonies of the account area belong to one session. */
export const purposeOf = ({ sessionId }: Visitor): string => `account ${sessionId}`;

/** Writes what happens to the log and the audit trail; where it can't, nothing is to happen. */
export const recorder =
  ({ audit, logger }: Pick<AccountDependencies, 'audit' | 'logger'>) =>
  async (
    ctx: Context,
    { accountId }: Visitor,
    event: string,
    details: Readonly<Record<string, string>> = {},
  ): Promise<void> => {
    const { requestId } = ctx.state;
    logger.info({ event, request_id: requestId, account: accountId, ...details });
    await audit.record({ event, accountId, requestId, address: addressPrefix(ctx.ip), details });
  };
