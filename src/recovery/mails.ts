import { type Accounts, may } from '../accounts/index.ts';
import type { Config } from '../config/config.ts';
import type { SecretBox } from '../kernel/secret-box.ts';
import { type Composer, type Letters, NOTICE, readNotice } from '../notifications/index.ts';
import type { Account, ClaimedMail, CounterStore } from '../storage/ports.ts';
import { LINK_MINUTES, type Links } from './links.ts';

/** What the token of a mail that is still to be sent is sealed for. */
export const SEAL = 'mailed link';

const text = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);

/**
 * Who is told what, decided when the mail is about to be sent: whoever asked for it got the same answer in the
 * same time, whether or not there is such an account (security-catalogue: enumeration). Every address in a mail
 * begins with the configured issuer (security-catalogue: host poisoning).
 */
export function createComposers(deps: {
  config: Pick<Config, 'issuer' | 'clients' | 'limits'>;
  accounts: Accounts;
  links: Links;
  letters: Letters;
  counters: CounterStore;
  secretBox: SecretBox;
}): Readonly<Record<string, Composer>> {
  const { config, accounts, links, letters, counters, secretBox } = deps;
  const { issuer, limits } = config;

  const portalOf = (payload: ClaimedMail['payload']) => {
    const client = config.clients.find(({ client_id }) => client_id === payload.clientId);
    const language = text(payload.language);
    return { ...(client ? { portal: client.client_name } : {}), ...(language === undefined ? {} : { language }) };
  };

  const whoAsked = ({ accountId, identifier }: ClaimedMail['payload']): Promise<Account | undefined> =>
    text(accountId) === undefined
      ? accounts.findByIdentifier(text(identifier) ?? '')
      : accounts.find(text(accountId) ?? '');

  /** Nobody's mailbox is filled by a stranger. A mail that is tried again was counted before; one that the owner asked
   *  for by a mail's own link is not counted, so that nobody can use it up for them. */
  const isTooMany = async ({ id }: Account, { kind, attempts, payload }: ClaimedMail): Promise<boolean> => {
    if (attempts > 1 || payload.owned === true) return false;
    const key = `${kind}:account:${secretBox.keyedHash('counter', id)}`;
    const { count, window } = limits.recovery_account;
    const [reading] = await counters.increment([{ key, windowSeconds: window }]);
    return reading === undefined || reading.count > count;
  };

  return {
    async [NOTICE]({ payload }) {
      const notice = readNotice(payload);
      const { to } = notice;
      const account = await accounts.find(notice.accountId);
      if (!account || account.state === 'deleted' || (to ?? account.email) === undefined) return undefined;
      // Whoever has the address the account had before, or one nobody confirmed, is told and can do nothing.
      const mayAct = (to ?? account.email) === account.email && may(account, 'recovery');
      const link = mayAct ? `${issuer}/recovery/not-me?token=${await links.issue('not-me', account)}` : undefined;
      return letters.notice(account, notice, link, to);
    },

    async recovery(mail) {
      const account = await whoAsked(mail.payload);
      if (!account?.email || !may(account, 'recovery') || (await isTooMany(account, mail))) return undefined;
      const { uid, clientId, sealed } = mail.payload;
      const about = typeof uid === 'string' && typeof clientId === 'string' ? { uid, clientId } : {};
      const token = await links.issue('new-password', account, about, secretBox.open(SEAL, String(sealed)));
      const link = `${issuer}/recovery/password/new?token=${token}`;
      return letters.recovery(account, { link, minutes: LINK_MINUTES, ...portalOf(mail.payload) });
    },

    async usernames(mail) {
      const account = await whoAsked(mail.payload);
      if (!account?.email || !may(account, 'recovery') || (await isTooMany(account, mail))) return undefined;
      const language = account.profile.locale === undefined ? {} : { language: account.profile.locale };
      const about = { usernames: [account.username], ...portalOf(mail.payload), ...language };
      return letters.usernames(account.email, about);
    },
  };
}
