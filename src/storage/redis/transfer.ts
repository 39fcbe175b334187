import { batchesOf } from '../../kernel/batches.ts';
import { byteOrder } from '../../kernel/byte-order.ts';
import type { TransferPort, TransferRow } from '../ports.ts';
import { ephemeralRecords, expectRecord } from '../records.ts';
import { positive, text } from '../values.ts';
import type { RedisSettings } from './settings.ts';
import { liveRow, type Parts, type Records, recordsOf } from './transfer-records.ts';

type Name = keyof typeof ephemeralRecords;

/** Keys kept in memory after one look at all of them; the next ones take another look. */
const WINDOW = 100_000;
/** Records asked for at once. */
const AT_ONCE = 200;
/** Seconds after which a copy that nobody goes on with is no more known as one. */
const MARKER_KEPT = 30 * 86_400;

/** The first so many keys of a collection behind one of them, in order. */
interface Window {
  readonly collection: string;
  readonly after: string | undefined;
  readonly keys: readonly string[];
  /** There are none behind the last of them. */
  readonly isLast: boolean;
}

/**
 * Everything below one prefix, for `vestibule storage migrate`. Redis knows no order of keys: they are looked through
 * (SCAN), as often as there are windows full of them, and sorted here.
 */
export class RedisTransfer implements TransferPort {
  readonly place: string;
  readonly collections: readonly string[] = Object.keys(ephemeralRecords);
  readonly #parts: Parts;
  readonly #records: Readonly<Record<Name, Records>>;
  readonly #marker: string;
  readonly #size: number;
  #window: Window | undefined;
  /** The last key that was read. */
  #position: string | undefined;

  /** @param windowSize most keys in memory */
  constructor(settings: RedisSettings, parts: Parts, windowSize: number = WINDOW) {
    this.place = placeOf(settings);
    this.#parts = parts;
    this.#records = recordsOf(parts);
    this.#marker = parts.keys.copy();
    this.#size = windowSize;
  }

  async count(collection: string): Promise<number> {
    let count = 0;
    for (let after: string | undefined; ; ) {
      const rows = await this.read(collection, after, AT_ONCE);
      if (rows.length === 0) return count;
      count += rows.length;
      after = rows.at(-1)?.key;
    }
  }

  async read(collection: string, after: string | undefined, limit: number): Promise<TransferRow[]> {
    const records = this.#of(collection);
    const most = positive('limit', limit);
    let last = after === undefined ? undefined : text('after', after);
    // Whoever begins wants to see what is there now.
    if (last === undefined) this.#window = undefined;
    const rows: TransferRow[] = [];
    while (rows.length < most) {
      const { keys } = await this.#windowBehind(collection, records, last);
      const first = last === undefined ? 0 : firstBehind(keys, last);
      const some = keys.slice(first, first + Math.min(AT_ONCE, most - rows.length));
      if (some.length === 0) break;
      rows.push(...(await this.#rows(records, some)));
      last = some.at(-1);
    }
    this.#position = last;
    return rows;
  }

  async write(collection: string, rows: readonly TransferRow[]): Promise<void> {
    await this.#change(collection, rows, ({ write }, value) => write(value));
  }

  async remove(collection: string, rows: readonly TransferRow[]): Promise<void> {
    await this.#change(collection, rows, ({ remove }, value) => remove(value));
  }

  async marker(): Promise<string | undefined> {
    return (await this.#parts.connection.ask((call) => call.get(this.#marker))) ?? undefined;
  }

  async mark(marker: string): Promise<void> {
    const value = text('marker', marker);
    await this.#parts.connection.ask((call) => call.command('set', this.#marker, value, 'EX', MARKER_KEPT));
  }

  async finish(): Promise<void> {
    await this.#parts.connection.ask((call) => call.command('del', this.#marker));
  }

  #of(collection: string): Records {
    if (!Object.hasOwn(this.#records, collection)) throw new TypeError(`there is no collection ${collection}`);
    return this.#records[collection as Name];
  }

  async #change(
    collection: string,
    rows: readonly TransferRow[],
    work: (records: Records, value: TransferRow['value']) => Promise<unknown>,
  ): Promise<void> {
    const records = this.#of(collection);
    for (const { value } of rows) expectRecord(records.shape, value);
    const position = this.#position;
    // What lies behind what was read last belongs into the window.
    if (position === undefined || rows.some(({ key }) => byteOrder(key, position) > 0)) this.#window = undefined;
    for (const batch of batchesOf(rows, AT_ONCE)) await Promise.all(batch.map(({ value }) => work(records, value)));
  }

  async #rows(records: Records, keys: readonly string[]): Promise<TransferRow[]> {
    const values = await this.#parts.connection.ask((call) => Promise.all(keys.map((key) => records.read(call, key))));
    const now = this.#parts.lifetime.now();
    return values.flatMap((value) => (value && liveRow(records.shape, value, now)) ?? []);
  }

  /** A window that holds the next keys behind that one, if there are any. */
  async #windowBehind(collection: string, records: Records, last: string | undefined): Promise<Window> {
    const window = this.#window;
    if (window?.collection === collection && last !== undefined && covers(window, last)) return window;
    const { keys, isLast } = await this.#look(records, last);
    this.#window = { collection, after: last, keys, isLast };
    return this.#window;
  }

  async #look(records: Records, after: string | undefined): Promise<Pick<Window, 'keys' | 'isLast'>> {
    const { begin } = records;
    let kept: string[] = [];
    let bound: string | undefined;
    const cut = (): void => {
      kept = [...new Set(kept)].sort(byteOrder);
      if (kept.length <= this.#size) return;
      kept.length = this.#size;
      bound = kept.at(-1);
    };
    await this.#parts.connection.ask((call) =>
      call.scan(begin, async (found) => {
        const keys = await records.rowKeys(
          call,
          found.map((name) => name.slice(begin.length)),
        );
        for (const key of keys) {
          const isWanted = after === undefined || byteOrder(key, after) > 0;
          if (isWanted && (bound === undefined || byteOrder(key, bound) <= 0)) kept.push(key);
        }
        if (kept.length > 2 * this.#size) cut();
      }),
    );
    cut();
    return { keys: kept, isLast: bound === undefined };
  }
}

const covers = ({ after, keys, isLast }: Window, last: string): boolean => {
  const end = keys.at(-1);
  return (
    (after === undefined || byteOrder(after, last) <= 0) && (isLast || (end !== undefined && byteOrder(last, end) < 0))
  );
};

/** Index of the first key behind that one, of keys in order. */
function firstBehind(keys: readonly string[], last: string): number {
  let [low, high] = [0, keys.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (byteOrder(keys[middle] as string, last) > 0) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** Address and prefix, without user and password. */
function placeOf({ url, sentinels, sentinel_name, cluster, database, key_prefix }: RedisSettings): string {
  const listed = (cluster ?? sentinels ?? []).map(({ host, port }) => `${host}:${port}`).join(',');
  const parsed = url !== undefined && URL.canParse(url) ? new URL(url) : undefined;
  const where = parsed ? `${parsed.hostname}:${parsed.port || 6379}` : listed;
  const number = database ?? (parsed?.pathname.slice(1) || 0);
  return ['redis', sentinels ? `${where} ${sentinel_name ?? ''}` : where, number, key_prefix].join(' ');
}
