import { type Clock, epochSeconds } from '../kernel/clock.ts';
import { VestibuleError } from '../kernel/errors.ts';
import type { Random } from '../kernel/random.ts';
import type { Account, AccountStore, Profile } from '../storage/ports.ts';
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
}

export function createAccounts(deps: { store: AccountStore; clock: Clock; random: Random }): Accounts {
  const { store, clock, random } = deps;
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
        createdAt: now,
        updatedAt: now,
        version: 1,
      };
      if (!(await store.insert(account, identifiersOf(account)))) throw new VestibuleError('username_taken', 409);
      return account;
    },
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
