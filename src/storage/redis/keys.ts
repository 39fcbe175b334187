/**
 * Names of keys. Every part that comes from outside is percent-encoded: no id can reach beyond its
 * own key, and none holds a brace, so that what Redis Cluster hashes is decided here alone.
 *
 *   <prefix>a:<kind>:<id>                 an artifact
 *   <prefix>i:<member>:<kind>:<value>     index: ids of the artifacts of a kind with that grant, uid …
 *   <prefix>j:<uid>                       a journey
 *   <prefix>c:<key>                       a counter
 *   <prefix>l:{<first>#<n>}:<family>      locks of a family: all that share the first two parts of their keys
 *   <prefix>f:{<first>#<n>}               index: families in that bucket
 *   <prefix>p:<n>                         written by the readiness probe
 *   <prefix>t:copy                        how far a copy into here has come, while it isn't finished
 */

/** What the keys of each collection begin with, after the prefix. */
const BEGIN = { artifacts: 'a:', journeys: 'j:', counters: 'c:', locks: 'l:' } as const;

/** Members of an artifact by which it is found or ended. */
export type IndexedBy = 'grant' | 'uid' | 'code' | 'account';

/** Families that share the first part of their keys are spread over this many slots. */
const BUCKETS = 256;

export class Keys {
  readonly #prefix: string;

  /** @param prefix without braces: they would bring everything into one slot */
  constructor(prefix: string) {
    this.#prefix = prefix;
  }

  /** What all keys of a collection begin with; what follows is a name (`partsIn`). */
  beginning(collection: keyof typeof BEGIN): string {
    return this.#prefix + BEGIN[collection];
  }

  artifact(kind: string, id: string): string {
    return this.artifactOf(kind) + part(id);
  }

  /** What the keys of a kind begin with; what follows is a member of an index (`memberOf`). */
  artifactOf(kind: string): string {
    return `${this.beginning('artifacts')}${part(kind)}:`;
  }

  index(by: IndexedBy, kind: string, value: string): string {
    return `${this.#prefix}i:${by}:${part(kind)}:${part(value)}`;
  }

  journey(uid: string): string {
    return this.beginning('journeys') + part(uid);
  }

  counter(key: string): string {
    return this.beginning('counters') + part(key);
  }

  /** The family of a lock and the index of its bucket: one slot. */
  family(key: string): { readonly family: string; readonly locks: string; readonly bucket: string } {
    const [first = '', second] = key.split(':', 2);
    const family = second === undefined ? first : `${first}:${second}`;
    const tag = tagOf(first, bucketOf(family));
    return { family, locks: `${this.beginning('locks')}${tag}:${part(family)}`, bucket: `${this.#prefix}f:${tag}` };
  }

  /** Indexes of all families that begin with it; for keys of one part. */
  buckets(first: string): string[] {
    return Array.from({ length: BUCKETS }, (_, bucket) => `${this.#prefix}f:${tagOf(first, bucket)}`);
  }

  probe(number: number): string {
    return `${this.#prefix}p:${number}`;
  }

  copy(): string {
    return `${this.#prefix}t:copy`;
  }
}

export const memberOf = (id: string): string => part(id);
export const idOf = (member: string): string => decodeURIComponent(member);

/** What stands between the colons of a key behind its beginning. */
export const partsIn = (name: string): string[] => name.split(':').map(decodeURIComponent);

const tagOf = (first: string, bucket: number): string => `{${part(first)}#${bucket}}`;

/** Ids are hashes or random, mostly: nothing to encode. */
const part = (text: string): string => (/^[\w.~-]*$/.test(text) ? text : encodeURIComponent(text));

/** FNV-1a over UTF-16 code units: spreads, and is the same on every node; secures nothing. */
function bucketOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  return (hash >>> 0) % BUCKETS;
}
