/**
 * As much ASN.1 as a certificate needs. @peculiar/x509 could do it, but comes along with
 * @simplewebauthn/server and is none of our own packages (`no-unlisted-packages`).
 */

const wrap = (tag: number, ...contents: readonly Uint8Array[]): Buffer<ArrayBuffer> => {
  const body = Buffer.concat(contents);
  if (body.length < 0x80) return Buffer.from([tag, body.length, ...body]);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(body.length);
  const significant = length.subarray(length.findIndex((byte) => byte !== 0));
  return Buffer.concat([Buffer.from([tag, 0x80 | significant.length]), significant, body]);
};

export const sequence = (...items: readonly Uint8Array[]) => wrap(0x30, ...items);
export const set = (...items: readonly Uint8Array[]) => wrap(0x31, ...items);
/** Context-specific and constructed: `[0] EXPLICIT`. */
export const explicit = (number: number, item: Uint8Array) => wrap(0xa0 | number, item);
export const octets = (bytes: Uint8Array) => wrap(0x04, bytes);
/** No unused bits. */
export const bits = (bytes: Uint8Array) => wrap(0x03, Buffer.from([0]), bytes);
export const boolean = (value: boolean) => wrap(0x01, Buffer.from([value ? 0xff : 0x00]));
export const utf8 = (text: string) => wrap(0x0c, Buffer.from(text));
export const printable = (text: string) => wrap(0x13, Buffer.from(text, 'ascii'));

/** @param magnitude without sign, in front of which goes a zero where it would look negative */
export const integer = (magnitude: Uint8Array) =>
  wrap(0x02, (magnitude[0] ?? 0) & 0x80 ? Buffer.from([0, ...magnitude]) : magnitude);

/** RFC 5280 §4.1.2.5: this form until the end of 2049. */
export const utcTime = (date: Date) =>
  wrap(
    0x17,
    Buffer.from(
      `${date
        .toISOString()
        .replace(/\.\d+|\D/g, '')
        .slice(2, 14)}Z`,
      'ascii',
    ),
  );

export function oid(dotted: string): Buffer<ArrayBuffer> {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  return wrap(0x06, Buffer.from([first * 40 + second, ...rest.flatMap(base128)]));
}

/** Seven bits a byte, the highest bit set on all but the last. */
function base128(value: number): number[] {
  const bytes = [value & 0x7f];
  for (let left = value >> 7; left > 0; left >>= 7) bytes.unshift((left & 0x7f) | 0x80);
  return bytes;
}
