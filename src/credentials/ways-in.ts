import type { Credential, CredentialStore, WaysIn } from '../storage/ports.ts';

/** Whether nothing else would sign the account in. */
export async function isLastWayIn(
  store: CredentialStore,
  { accountId, kind, id }: Pick<Credential, 'accountId' | 'kind' | 'id'>,
  { kinds, except = [] }: WaysIn,
): Promise<boolean> {
  const all = await store.all(accountId);
  const waysIn = all.filter((one) => kinds.includes(one.kind) && !except.includes(one.id));
  return waysIn.every((one) => one.kind === kind && one.id === id);
}
