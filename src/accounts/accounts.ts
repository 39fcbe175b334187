import { type Clock, epochSeconds } from '../kernel/clock.ts';
import { VestibuleError } from '../kernel/errors.ts';
import type { Random } from '../kernel/random.ts';
import type { Account, AccountStore, OutboxEntry, Profile } from '../storage/ports.ts';
import { readIdentifier } from './identifier.ts';

export interface NewPerson {
  readonly username: string;
  readonly email?: string;
  readonly emailVerified?: boolean;
  readonly minimumAcr?: string;
  readonly profile?: Profile;
}

export interface Accounts {
  /** The account, whatever its state; `undefined` when there is none. One indexed read. */
  find(id: string): Promise<Account | undefined>;
  /** @param identifier as returned by `readIdentifier` */
  findByIdentifier(identifier: string): Promise<Account | undefined>;
  /**
   * The e-mail address is an alias of the same account.
   * @throws VestibuleError `username_taken` (409) when the username or the address is in use,
   *   `username_invalid` (400) when either can't be an identifier
   */
  add(person: NewPerson): Promise<Account>;
  /**
   * Makes everything void that was proven in sign-ins under way.
   * @throws VestibuleError `changed_meanwhile` (409)
   */
  voidProofs(id: string): Promise<void>;
  /**
   * Gives the account another e-mail address; it is an alias as the old one was.
   * @param mails put into the outbox together with it
   * @throws VestibuleError `username_taken` (409), `username_invalid` (400), `changed_meanwhile` (409)
   */
  setEmail(id: string, email: string, mails: readonly OutboxEntry[]): Promise<void>;
}

/** As many others may change an account at the same moment before somebody is told to come again. */
const TRIES = 10;

export function createAccounts(deps: { store: AccountStore; clock: Clock; random: Random }): Accounts {
  const { store, clock, random } = deps;

  const change = async (
    id: string,
    changed: (account: Account) => Account,
    mails: readonly OutboxEntry[] = [],
  ): Promise<void> => {
    for (let tries = 0; tries < TRIES; tries += 1) {
      const account = await store.find(id);
      if (!account) return;
      const next = changed(account);
      const identifiers = identifiersOf(next);
      if (await store.replace(next, identifiers, account.version, mails)) return;
      const holders = await Promise.all(identifiers.map((identifier) => store.findByIdentifier(identifier)));
      if (holders.some((holder) => holder && holder.id !== id)) throw new VestibuleError('username_taken', 409);
    }
    throw new VestibuleError('changed_meanwhile', 409);
  };

  return {
    find: (id) => store.find(id),
    findByIdentifier: (identifier) => store.findByIdentifier(identifier),
    async add(person) {
      const now = epochSeconds(clock);
      const account: Account = {
        id: random.id(),
        username: person.username.trim(),
        ...(person.email === undefined ? {} : { email: person.email.trim() }),
        emailVerified: person.emailVerified ?? false,
        state: 'active',
        ...(person.minimumAcr === undefined ? {} : { minimumAcr: person.minimumAcr }),
        profile: person.profile ?? {},
        generation: 0,
        createdAt: now,
        updatedAt: now,
        version: 1,
      };
      if (!(await store.insert(account, identifiersOf(account)))) throw new VestibuleError('username_taken', 409);
      return account;
    },
    voidProofs: (id) => change(id, (account) => ({ ...account, generation: account.generation + 1 })),
    setEmail: (id, email, mails) =>
      change(
        id,
        (account) => ({ ...account, email: email.trim(), emailVerified: true, updatedAt: epochSeconds(clock) }),
        mails,
      ),
  };
}

function identifiersOf(account: Account): string[] {
  const typed = account.email === undefined ? [account.username] : [account.username, account.email];
  const identifiers = typed.map((text) => {
    const read = readIdentifier(text);
    if ('problem' in read) throw new VestibuleError('username_invalid', 400);
    return read.identifier;
  });
  return [...new Set(identifiers)];
}
