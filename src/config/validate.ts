import type { z } from 'zod';
import { explain } from './explain.ts';
import { jsonSchema } from './json-schema.ts';
import { type Path, pathText, startsWith, valueAt } from './paths.ts';
import type { Source } from './source.ts';

/** Stand-ins that let the rest of a file be checked when a required setting is missing or wrong. */
export type Placeholders = Readonly<Record<string, string>>;

/** What is left of a file once everything wrong was taken out of it: enough to check the rest. */
export interface Validated<T> {
  readonly value: T;
  /** Turns a place in `value` into the place in the file: positions shift when list items are taken out. */
  readonly placeInFile: (path: Path) => Path;
}

type Branch = Record<string | number, unknown>;

/** Takes places out of a copy of a file's tree, remembering which list items stayed. */
class Pruned {
  readonly tree: unknown;
  readonly #kept = new Map<string, number[]>();

  constructor(tree: unknown) {
    this.tree = structuredClone(tree);
  }

  placeInFile(path: Path): Path {
    const place: (string | number)[] = [];
    for (const step of path) {
      const original = typeof step === 'number' ? this.#kept.get(pathText(place))?.[step] : undefined;
      place.push(original ?? step);
    }
    return place;
  }

  /** @param path a place in `tree`, not in the file */
  remove(path: Path, placeholders: Placeholders): void {
    const parentPath = path.slice(0, -1);
    const parent = valueAt(this.tree, parentPath) as Branch | undefined;
    const last = path.at(-1);
    if (last === undefined) return;
    const placeholder = path.length === 1 ? placeholders[last] : undefined;
    if (Array.isArray(parent) && typeof last === 'number') {
      const name = pathText(this.placeInFile(parentPath));
      const kept = this.#kept.get(name) ?? parent.map((_, index) => index);
      kept.splice(last, 1);
      this.#kept.set(name, kept);
      parent.splice(last, 1);
    } else if (parent && placeholder !== undefined) parent[last] = placeholder;
    else if (parent && Object.hasOwn(parent, last)) delete parent[last];
    // Something required is missing from the section: the section goes.
    else this.remove(parentPath, placeholders);
  }
}

/** The place an issue is about, for taking it out. */
function culprits(issue: z.core.$ZodIssue): Path[] {
  const path = issue.path as Path;
  return issue.code === 'unrecognized_keys' ? issue.keys.map((key) => [...path, key]) : [path];
}

/** Deeper and later places first, so that taking one out doesn't move the next. */
const backwards = (a: Path, b: Path): number => {
  for (let index = 0; index < Math.min(a.length, b.length); index++) {
    const [left, right] = [a[index], b[index]];
    if (left === right) continue;
    return typeof left === 'number' && typeof right === 'number' ? right - left : 0;
  }
  return b.length - a.length;
};

/**
 * Validates a file's tree, records every problem in the source, and returns what is sound.
 * Sections that are wrong fall back to their defaults; their places are in `source.damaged`,
 * so that no rule draws conclusions from a value the operator never wrote.
 *
 * @returns undefined when nothing can be made of the file
 */
export function validate<T>(
  source: Source,
  schema: z.ZodType<T>,
  placeholders: Placeholders,
): Validated<T> | undefined {
  if (source.tree === undefined) return undefined;
  const pruned = new Pruned(source.tree);
  // References that couldn't be resolved have their problem already.
  for (const path of source.damaged.toSorted(backwards)) pruned.remove(path, placeholders);
  for (let round = 0; round < 10; round++) {
    const result = schema.safeParse(pruned.tree);
    if (result.success) return { value: result.data, placeInFile: (path) => pruned.placeInFile(path) };
    for (const { path, message, aboutKey } of explain(result.error.issues, pruned.tree, jsonSchema(source.kind))) {
      const place = pruned.placeInFile(path);
      // Later rounds may complain of what is only missing because it was taken out.
      if (source.damaged.some((known) => startsWith(known, place) || startsWith(place, known))) continue;
      source.fail(place, message, aboutKey ? { aboutKey } : {});
    }
    const places = result.error.issues.flatMap(culprits);
    if (places.some((path) => path.length === 0)) return undefined;
    const unique = new Map(places.map((path) => [pathText(path), path]));
    for (const path of [...unique.values()].toSorted(backwards)) pruned.remove(path, placeholders);
  }
  return undefined;
}
