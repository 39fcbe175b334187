import { type Accounts, createAccounts, readIdentifier } from '../accounts/index.ts';
import { OperatorError } from '../kernel/errors.ts';
import { systemRandom as random } from '../kernel/random.ts';
import type { Account } from '../storage/ports.ts';
import type { CommandDurable } from './storage.ts';

/**
 * The person a command is about.
 * @param name username or e-mail address, in any spelling
 * @throws OperatorError when there is nobody of that name
 */
export async function personOf(
  { durable, clock }: CommandDurable,
  name: string,
): Promise<{ accounts: Accounts; account: Account }> {
  const accounts = createAccounts({ store: durable.accounts, clock, random });
  const read = readIdentifier(name);
  const account = 'problem' in read ? undefined : await accounts.findByIdentifier(read.identifier);
  if (!account) throw new OperatorError(`There is nobody of the name ${name}.`);
  return { accounts, account };
}
