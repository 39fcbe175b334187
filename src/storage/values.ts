/**
 * Everything that reaches a database passes through one of these. TypeScript's types are gone at
 * run time, and a parsed body or query may hold an object where a string is meant: `{ $ne: '' }`
 * is an operator to one engine, a bare object a set of named parameters to another, and an array
 * several arguments to a third.
 *
 * They throw TypeError, without the value, which may be secret.
 */

export function text(name: string, value: unknown): string {
  if (typeof value !== 'string') throw new TypeError(`${name} must be a string, not ${kindOf(value)}`);
  // Lone surrogates all become U+FFFD in UTF-8: two different ids would be one key.
  if (!value.isWellFormed()) throw new TypeError(`${name} must be well-formed Unicode`);
  return value;
}

export const optionalText = (name: string, value: unknown): string | null =>
  value === undefined ? null : text(name, value);

export function texts(name: string, values: unknown): string[] {
  if (!Array.isArray(values)) throw new TypeError(`${name} must be an array, not ${kindOf(values)}`);
  // Not `map`, which passes over the holes of an array.
  return Array.from(values, (value: unknown) => text(name, value));
}

/** A time, a version, a count: a whole number that a JavaScript number holds exactly. */
export function whole(name: string, value: unknown): number {
  if (!Number.isSafeInteger(value) || (value as number) < 0) {
    throw new TypeError(`${name} must be a whole number, not ${kindOf(value)}`);
  }
  return value as number;
}

export const optionalWhole = (name: string, value: unknown): number | null =>
  value === undefined ? null : whole(name, value);

export function positive(name: string, value: unknown): number {
  if (whole(name, value) === 0) throw new TypeError(`${name} must be at least 1`);
  return value as number;
}

export function flag(name: string, value: unknown): 0 | 1 {
  if (typeof value !== 'boolean') throw new TypeError(`${name} must be a boolean, not ${kindOf(value)}`);
  return value ? 1 : 0;
}

/** A JSON object, as text. */
export function json(name: string, value: unknown): string {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new TypeError(`${name} must be an object, not ${kindOf(value)}`);
  }
  return JSON.stringify(value);
}

export const optionalJson = (name: string, value: unknown): string | null =>
  value === undefined ? null : json(name, value);

/** Lets a row be put together member by member, where absent ones must stay absent. */
export type Mutable<T> = { -readonly [Member in keyof T]: T[Member] };

function kindOf(value: unknown): string {
  if (value === null) return 'null';
  return Array.isArray(value) ? 'array' : typeof value;
}
