import { expect } from '@jest/globals';
import type { TransferPort, TransferRow } from '../../src/storage/ports.ts';

const PAGE = 3;

export const transferOf = ({ transfer }: { readonly transfer: TransferPort }): TransferPort => transfer;

/** All rows of a collection, page by page. */
export async function all(port: TransferPort, collection: string, limit = PAGE): Promise<TransferRow[]> {
  const rows: TransferRow[] = [];
  for (;;) {
    const page = await port.read(collection, rows.at(-1)?.key, limit);
    if (page.length === 0) return rows;
    expect(page.length).toBeLessThanOrEqual(limit);
    rows.push(...page);
  }
}

export async function everything(port: TransferPort): Promise<Record<string, TransferRow[]>> {
  const found: Record<string, TransferRow[]> = {};
  for (const collection of port.collections) found[collection] = await all(port, collection);
  return found;
}

export async function copyAll(from: TransferPort, to: TransferPort): Promise<void> {
  for (const collection of from.collections) await to.write(collection, await all(from, collection));
  await to.finish();
}
