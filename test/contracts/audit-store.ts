import { describe, expect, test } from '@jest/globals';
import type { AuditEvent, DurableStorage } from '../../src/storage/ports.ts';
import type { Open } from './engines.ts';
import { mail, owed } from './mails.ts';
import { expectMailsOnly, expectStringsOnly, expectWholeNumbersOnly, useWorkspace } from './workspace.ts';

const full: AuditEvent = {
  id: 'e-1',
  at: 1_900_000_000_123,
  event: 'login.succeeded',
  accountId: 'acc-anna',
  clientId: 'portal',
  requestId: 'r-1',
  address: '192.0.2.0/24',
  details: { factor: 'password', tries: 2, fresh: true, amr: ['pwd', 'otp'] },
};

export function auditStoreContract(open: Open<DurableStorage>): void {
  describe('audit', () => {
    const workspace = useWorkspace(open);

    test('an event comes back as it was, absent members absent', async () => {
      const { audit } = await workspace.open();
      const bare: AuditEvent = { id: 'e-0', at: 1, event: 'server.started' };
      await audit.append(full);
      await audit.append(bare);
      expect(await audit.list({ limit: 10 })).toStrictEqual([full, bare]);
    });

    test('newest first by time, then by order of writing, and no more than asked for', async () => {
      const { audit } = await workspace.open();
      const times = [30, 10, 20, 20, 20];
      for (const [index, at] of times.entries()) await audit.append({ id: `e-${index}`, at, event: 'x' });
      const ids = async (limit: number) => (await audit.list({ limit })).map(({ id }) => id);
      expect(await ids(10)).toEqual(['e-0', 'e-4', 'e-3', 'e-2', 'e-1']);
      expect(await ids(2)).toEqual(['e-0', 'e-4']);
      expect(await ids(0)).toEqual([]);
    });

    test('one person’s events only', async () => {
      const { audit } = await workspace.open();
      await audit.append(full);
      await audit.append({ ...full, id: 'e-2', accountId: 'acc-ben' });
      await audit.append({ ...full, id: 'e-3', at: full.at + 1 });
      const found = await audit.list({ accountId: 'acc-anna', limit: 10 });
      expect(found.map(({ id }) => id)).toEqual(['e-3', 'e-1']);
      expect(await audit.list({ accountId: '', limit: 10 })).toEqual([]);
    });

    test('appending again is harmless, and changes nothing', async () => {
      const { audit } = await workspace.open();
      await audit.append(full);
      await audit.append({ ...full, event: 'login.failed' });
      expect(await audit.list({ limit: 10 })).toEqual([full]);
    });

    test('mails are owed once the event is there, and once only', async () => {
      const { audit, outbox } = await workspace.open();
      await audit.append(full, [mail('one'), mail('two')]);
      expect(await owed(outbox)).toEqual(['one', 'two']);
      await audit.append(full, [mail('again')]);
      await audit.append({ ...full, id: 'e-2' });
      expect(await owed(outbox)).toEqual([]);
    });

    test('of 50 who append the same event one owes its mail', async () => {
      const stores = [await workspace.open(), await workspace.open()] as const;
      await Promise.all(
        Array.from({ length: 50 }, (_, index) =>
          stores[index % 2 === 0 ? 0 : 1].audit.append({ ...full, requestId: `${index}` }, [mail(`${index}`)]),
        ),
      );
      expect(await owed(stores[0].outbox)).toEqual([(await stores[1].audit.list({ limit: 10 }))[0]?.requestId]);
    });

    test('a mail that is none spoils the whole call', async () => {
      const { audit, outbox } = await workspace.open();
      await expectMailsOnly((mails) => audit.append(full, mails));
      expect(await audit.list({ limit: 10 })).toEqual([]);
      expect(await owed(outbox)).toEqual([]);
    });

    test('events survive a restart', async () => {
      const before = await workspace.open();
      await before.audit.append(full);
      await before.close();
      expect(await (await workspace.open()).audit.list({ limit: 10 })).toEqual([full]);
    });

    test('only strings and whole numbers get in', async () => {
      const { audit } = await workspace.open();
      await expectStringsOnly(
        (value) => audit.append({ ...full, id: value }),
        (value) => audit.append({ ...full, event: value }),
      );
      for (const wrong of [null, 7, { $ne: '' }, ['acc-anna']] as unknown as string[]) {
        await expect(audit.append({ ...full, accountId: wrong })).rejects.toThrow(TypeError);
        await expect(audit.list({ accountId: wrong, limit: 1 })).rejects.toThrow(TypeError);
      }
      await expectWholeNumbersOnly(
        (value) => audit.append({ ...full, at: value }),
        (value) => audit.list({ limit: value }),
      );
      expect(await audit.list({ limit: 10 })).toEqual([]);
    });
  });
}
