import { describe, expect, test } from '@jest/globals';
import type { DurableStorage, EphemeralStorage, TransferPort, TransferRow } from '../../src/storage/ports.ts';
import type { Open } from './engines.ts';
import { durableCopyContract } from './transfer-durable.ts';
import { ephemeralCopyContract } from './transfer-ephemeral.ts';
import { all, transferOf } from './transfers.ts';
import { useWorkspace, type Workspace } from './workspace.ts';

const inByteOrder = (keys: readonly string[]): string[] =>
  keys.toSorted((one, other) => Buffer.compare(Buffer.from(one), Buffer.from(other)));

/** What belongs to every half. */
function commonContract<Storage extends { readonly transfer: TransferPort }>(
  workspace: Workspace<Storage & { close(): Promise<void> }>,
  artifactsOf: (storage: Storage) => DurableStorage['artifacts'],
): void {
  const artifact = (id: string, expiresAt: number): TransferRow => ({
    key: `Grant\0${id}`,
    value: { kind: 'Grant', id, payload: {}, expiresAt },
    expiresAt,
  });

  test('rows come in pages, in the order of their bytes, none twice and none left out', async () => {
    const storage = await workspace.open();
    const until = workspace.clock.seconds + 60;
    const kinds = ['Grant', 'Grant2', 'Gran', 'grant'];
    const ids = ['a', 'b', 'B', '-', '_', ' ', 'é', '\uE000', '😀', 'a\0b', 'a:b', 'a%20', '{x}', '\u{10FFFF}', 'zz'];
    for (const kind of kinds)
      for (const id of ids) await artifactsOf(storage).save(kind, id, { payload: { id }, expiresAt: until });
    const wanted = inByteOrder(kinds.flatMap((kind) => ids.map((id) => `${kind}\0${id}`)));
    const port = transferOf(storage);
    expect((await all(port, 'artifacts', 7)).map(({ key }) => key)).toEqual(wanted);
    expect((await all(port, 'artifacts', 1000)).map(({ key }) => key)).toEqual(wanted);
    expect((await port.read('artifacts', 'Grant\0b', 2)).map(({ key }) => key)).toEqual(
      wanted.slice(wanted.indexOf('Grant\0b') + 1).slice(0, 2),
    );
    expect(await port.count('artifacts')).toBe(wanted.length);
  });

  test('what has expired is left out', async () => {
    const port = transferOf(await workspace.open());
    const soon = workspace.clock.seconds + 10;
    await port.write('artifacts', [artifact('a', soon), artifact('b', soon + 1), artifact('c', soon + 2)]);
    expect(await port.count('artifacts')).toBe(3);
    workspace.clock.advance(11);
    expect(await all(port, 'artifacts', 1)).toEqual([artifact('c', soon + 2)]);
    expect(await port.count('artifacts')).toBe(1);
  });

  test('writing again changes nothing, writing something else overwrites, its use included', async () => {
    const port = transferOf(await workspace.open());
    const until = workspace.clock.seconds + 60;
    const used = artifact('a', until);
    await port.write('artifacts', [{ ...used, value: { ...used.value, consumedAt: 5, uid: 'one' } }]);
    await port.write('artifacts', [artifact('a', until), artifact('b', until)]);
    await port.write('artifacts', [artifact('a', until), artifact('b', until)]);
    expect(await all(port, 'artifacts')).toStrictEqual([artifact('a', until), artifact('b', until)]);
  });

  test('what is removed is gone, and removing it again is harmless', async () => {
    const port = transferOf(await workspace.open());
    const until = workspace.clock.seconds + 60;
    await port.write('artifacts', [artifact('a', until), artifact('b', until)]);
    await port.remove('artifacts', [artifact('a', until)]);
    await port.remove('artifacts', [artifact('a', until)]);
    expect(await all(port, 'artifacts')).toEqual([artifact('b', until)]);
  });

  test('what lies behind the last key read is found, written however late', async () => {
    const port = transferOf(await workspace.open());
    const until = workspace.clock.seconds + 60;
    await port.write('artifacts', [artifact('a', until), artifact('b', until)]);
    expect(await port.read('artifacts', undefined, 1)).toHaveLength(1);
    await port.write('artifacts', [artifact('aa', until)]);
    expect(await port.read('artifacts', 'Grant\0a', 2)).toEqual([artifact('aa', until), artifact('b', until)]);
  });

  test('a marker stays until the copy is finished', async () => {
    const port = transferOf(await workspace.open());
    expect(await port.marker()).toBeUndefined();
    await port.mark('one');
    await port.mark('{"two":"…😀\\u0000"}');
    expect(await transferOf(await workspace.open()).marker()).toBe('{"two":"…😀\\u0000"}');
    await port.finish();
    expect(await port.marker()).toBeUndefined();
    expect(await transferOf(await workspace.open()).marker()).toBeUndefined();
  });

  test('one place is one name, without a secret', async () => {
    const [one, two] = [transferOf(await workspace.open()), transferOf(await workspace.open())];
    expect(one.place).toBe(two.place);
    expect(one.place).not.toContain('@');
  });

  test('what is no record of that collection is refused, and nothing is written', async () => {
    const port = transferOf(await workspace.open());
    const until = workspace.clock.seconds + 60;
    const good = artifact('a', until);
    const wrong: Record<string, unknown>[] = [
      { id: { $ne: '' } },
      { id: 7 },
      { kind: undefined },
      { payload: 'text' },
      { expiresAt: '7' },
      { consumedAt: -1 },
      { uid: ['x'] },
      { other: 'x' },
    ];
    for (const more of wrong) {
      await expect(port.write('artifacts', [good, { ...good, value: { ...good.value, ...more } }])).rejects.toThrow(
        TypeError,
      );
    }
    expect(await port.count('artifacts')).toBe(0);
    for (const name of ['', 'nothing', '__proto__', 'constructor'])
      await expect(port.read(name, undefined, 1)).rejects.toThrow(TypeError);
  });
}

export function durableTransferContract(open: Open<DurableStorage>): void {
  describe('transfer of the durable half', () => {
    const workspace = useWorkspace(open);
    commonContract(workspace, ({ artifacts }) => artifacts);
    durableCopyContract(workspace, useWorkspace(open));
  });
}

export function ephemeralTransferContract(open: Open<EphemeralStorage>): void {
  describe('transfer of the ephemeral half', () => {
    const workspace = useWorkspace(open);
    commonContract(workspace, ({ artifacts }) => artifacts);
    ephemeralCopyContract(workspace, useWorkspace(open));
  });
}
