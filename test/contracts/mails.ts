import type { OutboxEntry, OutboxStore } from '../../src/storage/ports.ts';

/** Due since long ago. */
export const mail = (id: string, more: Partial<OutboxEntry> = {}): OutboxEntry => ({
  id,
  kind: 'notice',
  payload: { accountId: 'acc-anna' },
  urgent: false,
  createdAt: 1_000,
  ...more,
});

/** Which mails have become due since it was last asked, in the order of their ids: those of before are still claimed. */
export const owed = async (outbox: OutboxStore): Promise<string[]> =>
  (await outbox.claim(1000, 3600)).map(({ id }) => id).sort();
