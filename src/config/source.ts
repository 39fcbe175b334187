import { type Document, isCollection, isMap, isPair, isScalar, isSeq, LineCounter, type Node } from 'yaml';
import { type FileKind, jsonSchema, nodesAt } from './json-schema.ts';
import { type Path, pathText, startsWith, touches, valueAt } from './paths.ts';
import type { Problem } from './problem.ts';

const SHOWN = 80;

/** What may be shown of a value: never the inside of a collection, never a password within an address. */
function shown(value: unknown): string | undefined {
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object' && value !== null) return 'a mapping';
  if (typeof value !== 'string') return undefined;
  const masked = value.replace(/^(\s*[a-z][a-z0-9+.-]*:[/\\]*).*@/is, '$1***@');
  return JSON.stringify(masked.length > SHOWN ? `${masked.slice(0, SHOWN)}…` : masked);
}

/** How a problem is reported when not about a value that may be shown. */
interface Manner {
  /** The complaint is about the name of the setting: point there. */
  readonly aboutKey?: boolean;
  /** The value must not be shown, whatever setting it is. */
  readonly hide?: boolean;
}

/**
 * One YAML file: the tree of its values, where each of them stands, which of them must not be
 * shown, and the problems found so far.
 */
export class Source {
  /** As problems name it. */
  readonly name: string;
  readonly kind: FileKind;
  readonly problems: Problem[] = [];
  readonly warnings: Problem[] = [];
  /** Places with a problem already: nothing that reads them is checked any further. */
  readonly damaged: Path[] = [];
  /** References resolved, overrides applied. Undefined when the file can't be used at all. */
  tree: unknown;
  readonly #document: Document | undefined;
  readonly #lines: LineCounter;
  readonly #resolved: Path[] = [];
  readonly #overridden = new Map<string, string>();

  constructor(name: string, kind: FileKind, document?: Document, lines = new LineCounter()) {
    this.name = name;
    this.kind = kind;
    this.#document = document;
    this.#lines = lines;
  }

  /** A secret read from elsewhere: it replaces the reference and is never shown. */
  resolve(path: Path, value: string): void {
    this.#resolved.push(path);
    this.#set(path, value);
  }

  /** @param variable the environment variable that took the place of what the file says */
  override(path: Path, value: unknown, variable: string): void {
    this.#overridden.set(pathText(path), variable);
    this.#set(path, value);
  }

  /** @returns whether the value stands in the file itself, not in a variable or a file of its own */
  isLiteral(path: Path): boolean {
    return (
      valueAt(this.tree, path) !== undefined &&
      !this.#overridden.has(pathText(path)) &&
      !this.#resolved.some((place) => startsWith(path, place))
    );
  }

  /** Records a problem at a place and marks the place as damaged. */
  fail(path: Path, message: string, manner: Manner = {}): void {
    this.object(path, message, manner);
    this.damaged.push(path);
  }

  /** Records a problem with a value that is sound by itself, so that others may still be compared with it. */
  object(path: Path, message: string, manner: Manner = {}): void {
    this.problems.push(this.#describe(path, message, manner));
  }

  /** @returns whether the setting, or anything within or around it, has a problem of its own */
  isDamaged(path: Path): boolean {
    return this.tree === undefined || this.damaged.some((place) => touches(place, path));
  }

  warn(path: Path, message: string): void {
    this.warnings.push(this.#describe(path, message, {}));
  }

  /** @returns a problem as it would be reported, for what is found out only after loading */
  describe(path: Path, message: string): Problem {
    return this.#describe(path, message, { hide: typeof valueAt(this.tree, path) === 'object' });
  }

  /** Records a problem at a place in the text: what YAML itself complains about. */
  failAt(offset: number, message: string): void {
    const { line, col } = this.#lines.linePos(offset);
    this.problems.push({ file: this.name, line: Math.max(line, 1), column: Math.max(col, 1), path: '', message });
  }

  /** In the order of the file, as somebody mending it goes through it. */
  inOrder(): { problems: Problem[]; warnings: Problem[] } {
    const order = (a: Problem, b: Problem) =>
      (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0) || a.path.localeCompare(b.path);
    return { problems: this.problems.toSorted(order), warnings: this.warnings.toSorted(order) };
  }

  /** Puts a value in; sections that are missing on the way are made. */
  #set(path: Path, value: unknown): void {
    let parent = this.tree;
    for (const step of path.slice(0, -1)) {
      if (typeof parent !== 'object' || parent === null) return;
      const branch = parent as Record<string | number, unknown>;
      if (!Object.hasOwn(branch, step)) branch[step] = {};
      parent = branch[step];
    }
    const last = path.at(-1);
    if (typeof parent !== 'object' || parent === null || last === undefined) return;
    (parent as Record<string | number, unknown>)[last] = value;
  }

  #describe(path: Path, message: string, { aboutKey = false, hide = aboutKey }: Manner): Problem {
    const value = hide || this.#isSecret(path) ? undefined : shown(valueAt(this.tree, path));
    const found = value === undefined ? {} : { found: value };
    const variable = this.#overridden.get(pathText(path));
    if (variable) return { file: `environment ${variable}`, path: pathText(path), message, ...found };
    return { file: this.name, ...this.#position(path, aboutKey), path: pathText(path), message, ...found };
  }

  #isSecret(path: Path): boolean {
    if (this.#resolved.some((place) => startsWith(path, place))) return true;
    return nodesAt(jsonSchema(this.kind), path).some((node) => node.writeOnly);
  }

  /** Where a setting stands; what isn't there is reported at the nearest section around it. */
  #position(path: Path, aboutKey: boolean): { line: number; column: number } {
    let node: unknown = this.#document?.contents;
    let offset = isMap(node) || isSeq(node) || isScalar(node) ? node.range?.[0] : undefined;
    for (const [depth, step] of path.entries()) {
      const within = isCollection(node) ? node : undefined;
      const pair = isMap(within)
        ? within.items.find((item) => isScalar(item.key) && item.key.value === step)
        : undefined;
      const next = pair ? pair.value : isSeq(within) && typeof step === 'number' ? within.items[step] : undefined;
      if (next === undefined || isPair(next)) break;
      const key = pair?.key as Node | undefined;
      // A section is best found by its name; a single value by itself.
      const preferKey = key && (!isScalar(next) || next.value === null || (aboutKey && depth === path.length - 1));
      offset = (preferKey ? key : (next as Node)).range?.[0] ?? offset;
      node = next;
    }
    const { line, col } = this.#lines.linePos(offset ?? 0);
    return { line: Math.max(line, 1), column: Math.max(col, 1) };
  }
}
