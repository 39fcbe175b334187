import type { Account } from '../storage/ports.ts';

/** What may be the matter with an account. Several at once: each has its say. */
export type Condition = 'active' | 'unverified' | 'locked' | 'suspended' | 'deleted';

/** Ways in, and what was handed out earlier. */
export type Use = 'password' | 'passkey' | 'eid' | 'recovery' | 'session' | 'refresh' | 'userinfo';

type Row = Readonly<Record<Use, boolean>>;

const NOTHING: Row = {
  password: false,
  passkey: false,
  eid: false,
  recovery: false,
  session: false,
  refresh: false,
  userinfo: false,
};
const EVERYTHING: Row = {
  password: true,
  passkey: true,
  eid: true,
  recovery: true,
  session: true,
  refresh: true,
  userinfo: true,
};

/**
 * What each condition means for every way in and every token: the one place where that is written
 * (security-catalogue: lockout ignored elsewhere). `locked` is about guessing the password, counted apart for each
 * device that is known: whoever has a passkey, an external identity or the mailbox can't be shut out by a
 * stranger. `unverified` says that nobody has shown yet whose mailbox it is: no link goes there.
 */
const POLICY: Readonly<Record<Condition, Row>> = {
  active: EVERYTHING,
  unverified: { ...EVERYTHING, recovery: false },
  locked: { ...EVERYTHING, password: false },
  suspended: NOTHING,
  deleted: NOTHING,
};

/** @param isLocked whether guessing has locked the password, for whoever asks */
export function conditionsOf({ state, emailVerified }: Pick<Account, 'state' | 'emailVerified'>, isLocked = false) {
  const conditions: Condition[] = [state];
  if (!emailVerified) conditions.push('unverified');
  if (isLocked) conditions.push('locked');
  return conditions;
}

/** @returns false for an account that isn't there, as for one that may not */
export const may = (
  account: Pick<Account, 'state' | 'emailVerified'> | undefined,
  use: Use,
  isLocked = false,
): boolean => account !== undefined && conditionsOf(account, isLocked).every((condition) => POLICY[condition][use]);
