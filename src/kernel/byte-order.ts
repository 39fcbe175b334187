const SURROGATE = /[\ud800-\udfff]/;

/**
 * Order of the UTF-8 bytes of two well-formed strings, for `sort`: what databases mean by "in order".
 * JavaScript's own order puts emoji (surrogates) before private use and some punctuation.
 */
export function byteOrder(one: string, other: string): number {
  if (one === other) return 0;
  if (SURROGATE.test(one) || SURROGATE.test(other)) return Buffer.compare(Buffer.from(one), Buffer.from(other));
  return one < other ? -1 : 1;
}
