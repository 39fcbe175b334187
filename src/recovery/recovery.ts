import { type Accounts, may } from '../accounts/index.ts';
import type { Config } from '../config/config.ts';
import { type Credentials, createAddressLimit, type RuleProblem } from '../credentials/index.ts';
import { type Clock, epochSeconds } from '../kernel/clock.ts';
import { VestibuleError } from '../kernel/errors.ts';
import type { Random } from '../kernel/random.ts';
import type { SecretBox } from '../kernel/secret-box.ts';
import type { Notices } from '../notifications/index.ts';
import type { Account, CounterStore, OutboxEntry, OutboxStore } from '../storage/ports.ts';
import type { Link, Links } from './links.ts';
import { SEAL } from './mails.ts';

/** Named by somebody who can't sign in, or known from a sign-in under way. */
export type Who = { readonly accountId: string } | { readonly identifier: string };

/** Where a request for a mail came from. */
export interface Origin {
  /** Network of the visitor. */
  readonly address: string;
  /** The sign-in to go back to, and whose portal it is for. */
  readonly uid?: string | undefined;
  readonly clientId?: string | undefined;
  /** Language of the page, for people who have set none. */
  readonly language?: string | undefined;
}

/** Records something before it is done: what can't be recorded is not done. @param mails owed from then on */
export type Trail = (event: string, accountId: string, mails?: readonly OutboxEntry[]) => Promise<void>;

export interface Recovery {
  /** Whether mails can be sent at all. */
  readonly available: boolean;
  readonly mailsUsernames: boolean;
  /**
   * Owes whoever it is a link to choose a new password; the same work for names that nobody has.
   * @throws VestibuleError `too_many_requests` (429, Retry-After)
   */
  askForPassword(who: Who, origin: Origin): Promise<void>;
  /** The same for a forgotten username. @param identifier an e-mail address, normalised */
  askForUsernames(identifier: string, origin: Origin): Promise<void>;
  /** Whose link it is; nothing is used up. @throws VestibuleError `link_…` (400) */
  whose(purpose: 'new-password' | 'not-me', token: string): Promise<{ account: Account } & Link>;
  /**
   * Sets the new password and signs the account out everywhere; its second factor stays as it is.
   * @returns the sign-in to go back to, with what proves there who it is: good for minutes, once
   * @throws VestibuleError `link_…` (400), `busy` (503): nothing is used up then
   */
  choosePassword(
    token: string,
    password: string,
    record: Trail,
  ): Promise<{ problem: RuleProblem } | { about: Link['about']; resume: string | undefined }>;
  /** Redeems what `choosePassword` gave. @returns whose password it was; undefined when it proves nothing here */
  resume(token: string, uid: string): Promise<string | undefined>;
  /** Voids links and counted guesses once somebody changed the password by themselves. */
  passwordChanged(accountId: string): Promise<void>;
  /** "This wasn't me": signs the account out everywhere, and owes its owner a link to a new password. */
  wasNotMe(token: string, origin: Origin, record: Trail): Promise<void>;
}

export function createRecovery(deps: {
  config: Pick<Config, 'mail' | 'recovery' | 'limits'>;
  accounts: Accounts;
  credentials: Credentials;
  links: Links;
  notices: Notices;
  outbox: OutboxStore;
  counters: CounterStore;
  secretBox: SecretBox;
  clock: Clock;
  random: Random;
  signOutEverywhere(accountId: string): Promise<void>;
  /** Forgets how often the password was tried. */
  unlock(accountId: string): Promise<unknown>;
}): Recovery {
  const { config, accounts, credentials, links, notices, outbox, counters, secretBox, clock, random } = deps;
  const { signOutEverywhere, unlock } = deps;

  /** A storm from one address costs everybody else nothing but these counts. */
  const limit = config.limits.recovery_address;
  const fromAddress = createAddressLimit({ counters, name: 'recovery', limit, secretBox, clock });

  const owed = (kind: 'recovery' | 'usernames', who: Who, about: Readonly<Record<string, unknown>>): OutboxEntry[] => {
    if (!config.mail) return [];
    const given = Object.entries(about).filter(([, value]) => value !== undefined);
    // Made now, so that a mail that is sent again has the same link; nothing secret is stored in clear.
    const link = kind === 'recovery' ? { sealed: secretBox.seal(SEAL, links.newToken()) } : {};
    const payload = { ...who, ...Object.fromEntries(given), ...link };
    return [{ id: random.id(), kind, payload, urgent: true, createdAt: epochSeconds(clock) }];
  };

  const ask = async (kind: 'recovery' | 'usernames', who: Who, { address, ...origin }: Origin): Promise<void> => {
    const { refusal } = await fromAddress(address);
    if (refusal) throw refusal;
    await outbox.add(owed(kind, who, origin));
  };

  const whose: Recovery['whose'] = async (purpose, token) => {
    const link = await links.read(purpose, token);
    const account = await accounts.find(link.accountId);
    // Suspended since the mail was sent: the link opens nothing.
    if (!account || !may(account, 'recovery')) throw new VestibuleError('link_invalid', 400);
    if (purpose === 'new-password' && link.generation !== account.generation)
      throw new VestibuleError('link_superseded', 400);
    return { ...link, account };
  };

  return {
    available: config.mail !== undefined,
    mailsUsernames: config.mail !== undefined && config.recovery.mail_usernames,

    askForPassword: (who, origin) => ask('recovery', who, origin),
    askForUsernames: (identifier, origin) => ask('usernames', { identifier }, origin),

    whose,

    async choosePassword(token, password, record) {
      const { account, about } = await whose('new-password', token);
      const problem = await credentials.newPassword.problem(account, password);
      if (problem) return { problem };
      await credentials.password.set(account.id, password, async () => {
        await links.redeem('new-password', token);
        await record('password.reset', account.id);
        // Before it and after it: should the second one never come, what was there before is gone all the same.
        await signOutEverywhere(account.id);
        return notices.about(account.id, { event: 'password_changed', values: {} });
      });
      await Promise.all([signOutEverywhere(account.id), unlock(account.id)]);
      const after = await accounts.find(account.id);
      const { uid } = about;
      const resume = uid === undefined || !after ? undefined : await links.issue('resume', after, { uid });
      return { about, resume };
    },

    async resume(token, uid) {
      try {
        const { accountId, generation, about } = await links.redeem('resume', token);
        const account = await accounts.find(accountId);
        return about.uid === uid && account?.generation === generation ? accountId : undefined;
      } catch (error) {
        if (error instanceof VestibuleError && error.status === 400) return undefined;
        throw error;
      }
    },

    async wasNotMe(token, { address: _own, ...origin }, record) {
      const { account } = await whose('not-me', token);
      // First what may be done twice: whatever breaks off, the link still works.
      await Promise.all([signOutEverywhere(account.id), credentials.trustedDevices.forgetAll(account.id)]);
      await links.redeem('not-me', token);
      await record(
        'account.not_me',
        account.id,
        owed('recovery', { accountId: account.id }, { ...origin, owned: true }),
      );
    },

    async passwordChanged(accountId) {
      await Promise.all([links.void(accountId), unlock(accountId)]);
    },
  };
}
