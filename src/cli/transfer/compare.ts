import { Checksum, lineOf, type Sum } from './canonical.ts';
import type { Sides } from './sides.ts';
import { walk } from './walk.ts';

/** Keys named of each kind of difference. */
const NAMED = 5;

/** What differs, seen from the source. */
export type Difference = 'missing' | 'changed' | 'extra';

export interface Comparison {
  readonly collection: string;
  readonly source: Sum;
  readonly target: Sum;
  /** How many rows differ, and the keys of the first few. */
  readonly differences: Readonly<Record<Difference, { readonly rows: number; readonly keys: readonly string[] }>>;
}

export const isSame = ({ source, target }: Comparison): boolean =>
  source.rows === target.rows && source.sha256 === target.sha256;

/** Reads both sides from beginning to end. @returns one comparison a collection, in the source's order */
export async function compare(sides: Sides): Promise<Comparison[]> {
  const found: Comparison[] = [];
  let rows = 0;
  for (const collection of sides.source.collections) {
    const sums = { source: new Checksum(), target: new Checksum() };
    const differences = { missing: none(), changed: none(), extra: none() };
    for await (const { key, source, target } of walk(sides, collection)) {
      const [one, other] = [source && lineOf(source), target && lineOf(target)];
      if (one !== undefined) sums.source.add(one);
      if (other !== undefined) sums.target.add(other);
      if (one !== other) {
        const noted = differences[other === undefined ? 'missing' : one === undefined ? 'extra' : 'changed'];
        noted.rows += 1;
        if (noted.keys.length < NAMED) noted.keys.push(key);
      }
      rows += 1;
      sides.report('comparing', collection, rows);
    }
    found.push({ collection, source: sums.source.sum(), target: sums.target.sum(), differences });
  }
  return found;
}

const none = (): { rows: number; keys: string[] } => ({ rows: 0, keys: [] });
