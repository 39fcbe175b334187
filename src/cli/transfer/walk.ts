import { byteOrder } from '../../kernel/byte-order.ts';
import { type Clock, epochSeconds } from '../../kernel/clock.ts';
import type { TransferPort, TransferRow } from '../../storage/ports.ts';

/** Rows read at once from either side. */
export const PAGE = 500;

/** What both sides hold under one key; at least one of them holds something. */
export interface Pair {
  readonly key: string;
  readonly source: TransferRow | undefined;
  readonly target: TransferRow | undefined;
}

/** The rows of a collection, page by page. */
class Cursor {
  readonly #port: TransferPort;
  readonly #collection: string;
  #after: string | undefined;
  #page: readonly TransferRow[] = [];
  #index = 0;
  #ended = false;

  constructor(port: TransferPort, collection: string, after: string | undefined) {
    this.#port = port;
    this.#collection = collection;
    this.#after = after;
  }

  /** @returns the row it stands at, undefined at the end; a promise only where a page must be read */
  current(): TransferRow | undefined | Promise<TransferRow | undefined> {
    const row = this.#page[this.#index];
    return row ?? (this.#ended ? undefined : this.#next());
  }

  advance(): void {
    this.#index += 1;
  }

  async #next(): Promise<TransferRow | undefined> {
    this.#page = await this.#port.read(this.#collection, this.#after, PAGE);
    this.#index = 0;
    this.#after = this.#page.at(-1)?.key ?? this.#after;
    // A short page isn't the end: rows that have expired may have been left out of it.
    this.#ended = this.#page.length === 0;
    return this.#page[0];
  }
}

/**
 * Goes through a collection of both sides in the order of the keys.
 *
 * What has expired in the meantime is left out of both: one side may have been read a moment before, the other after.
 *
 * @param after the last key to leave out
 */
export async function* walk(
  { source, target, clock }: { readonly source: TransferPort; readonly target: TransferPort; readonly clock: Clock },
  collection: string,
  after?: string,
): AsyncGenerator<Pair> {
  const left = new Cursor(source, collection, after);
  const right = new Cursor(target, collection, after);
  for (;;) {
    const one = left.current();
    const other = right.current();
    const from = one instanceof Promise ? await one : one;
    const to = other instanceof Promise ? await other : other;
    if (!from && !to) return;
    const order = !from ? 1 : !to ? -1 : byteOrder(from.key, to.key);
    if (order <= 0) left.advance();
    if (order >= 0) right.advance();
    const pair = { source: order <= 0 ? from : undefined, target: order >= 0 ? to : undefined };
    const now = epochSeconds(clock);
    const alive = [pair.source, pair.target].find((row) => row && !isPast(row, now));
    if (alive) yield { key: alive.key, ...pair };
  }
}

const isPast = ({ expiresAt }: TransferRow, now: number): boolean => expiresAt !== undefined && expiresAt <= now;
