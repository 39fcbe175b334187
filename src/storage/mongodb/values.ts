/**
 * How what passed `../values.ts` becomes part of a filter or a document. Only strings, whole numbers and
 * booleans get that far, and what is stored as an object is JSON text: no member's name is ever read as an
 * operator or a path.
 */
import { flag } from '../values.ts';

export const yesOrNo = (name: string, value: unknown): boolean => flag(name, value) === 1;

/** Stands between the parts of a joined key; pipelines join with it as well. */
export const SEPARATOR = '\0';

/** One key of two parts. No two pairs make the same one, because the first part holds no separator. */
export function joined(name: string, first: string, second: string): string {
  if (first.includes(SEPARATOR)) throw new TypeError(`${name} must not contain NUL`);
  return `${first}${SEPARATOR}${second}`;
}

/** A member of a document, checked, or none: absent members stay absent. */
export const optional = <Name extends string, Value>(
  name: Name,
  check: (name: string, value: unknown) => Value,
  value: unknown,
): { readonly [Member in Name]?: Value } =>
  (value === undefined ? {} : { [name]: check(name, value) }) as { readonly [Member in Name]?: Value };

/** The members that are there, under the same names. */
export const present = <Source extends object, Name extends keyof Source & string>(
  source: Source,
  ...names: readonly Name[]
): Pick<Source, Name> =>
  Object.fromEntries(
    names.filter((name) => source[name] !== undefined).map((name) => [name, source[name]]),
  ) as unknown as Pick<Source, Name>;
