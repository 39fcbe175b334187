import { createHash } from 'node:crypto';
import type { TransferRow } from '../../storage/ports.ts';

/** JSON with the members of every object in order of their names, and no white space. */
export function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const members = Object.entries(value).filter(([, member]) => member !== undefined);
  members.sort(([one], [other]) => (one < other ? -1 : 1));
  return `{${members.map(([name, member]) => `${JSON.stringify(name)}:${canonical(member)}`).join(',')}}`;
}

/** One line a row: what a checksum is made of. */
export const lineOf = ({ key, value }: TransferRow): string => `${canonical([key, value])}\n`;

/** Rows of one side, one after the other. */
export class Checksum {
  readonly #hash = createHash('sha256');
  #rows = 0;

  add(line: string): void {
    this.#hash.update(line);
    this.#rows += 1;
  }

  /** To be called once. */
  sum(): Sum {
    return { rows: this.#rows, sha256: this.#hash.digest('hex') };
  }
}

export interface Sum {
  readonly rows: number;
  /** Of all rows in the order of their keys, hexadecimal. */
  readonly sha256: string;
}
