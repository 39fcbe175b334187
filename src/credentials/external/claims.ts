import type { Identity } from '../../federation/index.ts';

/** Bytes of one claim, as JSON, and of all claims of an identity: what an upstream can make us store. */
const LONGEST_CLAIM = 4096;
const LONGEST_IN_ALL = 8192;

export interface Keepable {
  readonly claims: Readonly<Record<string, unknown>>;
  /** Names of those that are too long. */
  readonly left: readonly string[];
}

/** What of an identity is kept: the claims that some client is released, as long as there is room for them. */
export function keepable({ released = {} }: Pick<Identity, 'released'>): Keepable {
  const claims: [string, unknown][] = [];
  const left: string[] = [];
  let room = LONGEST_IN_ALL;
  for (const [name, value] of Object.entries(released)) {
    const size = Buffer.byteLength(JSON.stringify({ [name]: value }));
    if (size > Math.min(LONGEST_CLAIM, room)) left.push(name);
    else {
      claims.push([name, value]);
      room -= size;
    }
  }
  return { claims: Object.fromEntries(claims), left };
}
