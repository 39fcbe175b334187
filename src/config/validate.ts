import type { z } from 'zod';
import { explain } from './explain.ts';
import { jsonSchema } from './json-schema.ts';
import { type Path, pathText, valueAt } from './paths.ts';
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

/** Inner and later places first, so that taking one out doesn't move or remove the next. */
const backwards = (a: Path, b: Path): number => {
  for (let index = 0; index < Math.min(a.length, b.length); index++) {
    const [left, right] = [a[index], b[index]];
    if (left === right) continue;
    if (typeof left === 'number' && typeof right === 'number') return right - left;
    return String(left) < String(right) ? -1 : 1;
  }
  return b.length - a.length;
};

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

  /** @param paths places in `tree` (not in the file); for what is missing, the section that lacks it goes */
  remove(paths: readonly Path[], placeholders: Placeholders): void {
    const targets = new Map(
      paths.map((path) => this.#target(path, placeholders)).map((path) => [pathText(path), path]),
    );
    for (const path of [...targets.values()].toSorted(backwards)) this.#take(path, placeholders);
  }

  #target(path: Path, placeholders: Placeholders): Path {
    const isThere = valueAt(this.tree, path) !== undefined;
    const isReplaced = path.length === 1 && Object.hasOwn(placeholders, path[0] as string);
    return isThere || isReplaced || path.length === 0 ? path : this.#target(path.slice(0, -1), placeholders);
  }

  #take(path: Path, placeholders: Placeholders): void {
    const parentPath = path.slice(0, -1);
    const parent = valueAt(this.tree, parentPath) as Branch | undefined;
    const last = path.at(-1);
    if (last === undefined || parent === undefined) return;
    const placeholder = path.length === 1 ? placeholders[last] : undefined;
    if (Array.isArray(parent) && typeof last === 'number') {
      const name = pathText(this.placeInFile(parentPath));
      const kept = this.#kept.get(name) ?? parent.map((_, index) => index);
      kept.splice(last, 1);
      this.#kept.set(name, kept);
      parent.splice(last, 1);
    } else if (placeholder !== undefined) parent[last] = placeholder;
    else delete parent[last];
  }
}

/** The place an issue is about, for taking it out. */
function culprits(issue: z.core.$ZodIssue): Path[] {
  const path = issue.path as Path;
  return issue.code === 'unrecognized_keys' ? issue.keys.map((key) => [...path, key]) : [path];
}

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
  pruned.remove(source.damaged, placeholders);
  for (let round = 0; round < 10; round++) {
    const result = schema.safeParse(pruned.tree);
    if (result.success) return { value: result.data, placeInFile: (path) => pruned.placeInFile(path) };
    for (const { path, message, aboutKey } of explain(result.error.issues, pruned.tree, jsonSchema(source.kind))) {
      const place = pruned.placeInFile(path);
      // Later rounds may complain of what is only missing because it was taken out.
      if (source.isDamaged(place)) continue;
      source.fail(place, message, aboutKey ? { aboutKey } : {});
    }
    const places = result.error.issues.flatMap(culprits);
    if (places.some((path) => path.length === 0)) return undefined;
    pruned.remove(places, placeholders);
  }
  return undefined;
}
