import { readFileSync, statSync } from 'node:fs';
import { type Document, isAlias, isCollection, isScalar, LineCounter, parseDocument, visit } from 'yaml';
import type { FileKind } from './json-schema.ts';
import { Source } from './source.ts';

const LARGEST = 1024 * 1024;
const CORE_TAG = /^tag:yaml\.org,2002:(str|int|float|bool|null|map|seq)$/;

/** Own words for what YAML complains about: the library's sentences may quote the file, secrets included. */
const SENTENCES: Partial<Record<string, string>> = {
  BAD_DQ_ESCAPE: 'unknown \\ escape within double quotes; use single quotes for text that holds a backslash',
  BAD_INDENT: 'wrong indentation: settings of one section must begin in the same column',
  BAD_SCALAR_START: 'a value that begins with @, ` or % must be written in quotes',
  BLOCK_AS_IMPLICIT_KEY:
    'a second ": " on one line: put the value in quotes, or the inner settings on lines of their own',
  DUPLICATE_KEY: 'a name is set twice in this section',
  MISSING_CHAR: 'a character is missing here or above: a closing quote or bracket, or the ": " after a name',
  MULTILINE_IMPLICIT_KEY: 'a name must stand on one line, with ": " behind it',
  MULTIPLE_DOCS: 'a second document (---) in one file; use one file each',
  NON_STRING_KEY: 'the name of a setting must be plain text',
  RESOURCE_EXHAUSTION: 'too deeply nested',
  TAB_AS_INDENT: 'YAML is indented with spaces, not with tabs',
};

/** Why a file couldn't be read, in words. */
export function readFailure(error: unknown): string {
  const code = (error as NodeJS.ErrnoException).code;
  if (code === 'ENOENT' || code === 'ENOTDIR') return 'does not exist';
  if (code === 'EACCES' || code === 'EPERM') return 'may not be read by this user (permissions)';
  return `can’t be read${code ? ` (${code})` : ''}`;
}

/** @throws Error with a sentence when it isn't a regular file of that size holding UTF-8 text */
export function readText(file: string, largest: number): string {
  let bytes: Buffer;
  try {
    const status = statSync(file);
    if (!status.isFile()) throw new Error('is not a regular file');
    if (status.size > largest) throw new Error(`is larger than ${largest / 1024} KiB`);
    bytes = readFileSync(file);
  } catch (error) {
    throw 'code' in (error as Error) ? new Error(readFailure(error)) : error;
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new Error('is not UTF-8 text');
  }
}

/** Anchors and tags let a few lines grow into gigabytes or into odd types; no setting needs them. */
function refuseExtras(document: Document, source: Source): void {
  if (document.directives?.yaml.explicit && document.directives.yaml.version !== '1.2') {
    source.failAt(0, 'must be YAML 1.2: remove the %YAML line');
  }
  visit(document, (_key, node) => {
    if (isAlias(node)) source.failAt(node.range?.[0] ?? 0, 'aliases (*name) are not allowed: write the value out');
    else if (isScalar(node) || isCollection(node)) {
      const at = node.range?.[0] ?? 0;
      if (node.anchor) source.failAt(at, 'anchors (&name) are not allowed: write the value out');
      if (node.tag && !CORE_TAG.test(node.tag)) source.failAt(at, 'tags (!name) are not allowed');
    }
  });
}

/** Parses YAML 1.2; what is wrong with it is in the source's problems. */
export function parseYaml(name: string, kind: FileKind, text: string): Source {
  const lines = new LineCounter();
  const document = parseDocument(text, {
    version: '1.2',
    schema: 'core',
    strict: true,
    uniqueKeys: true,
    stringKeys: true,
    merge: false,
    resolveKnownTags: false,
    prettyErrors: false,
    logLevel: 'error',
    lineCounter: lines,
  });
  const source = new Source(name, kind, document, lines);
  const complained = new Set<number>();
  for (const error of document.errors) {
    const { line } = lines.linePos(error.pos[0]);
    if (complained.has(line)) continue;
    complained.add(line);
    const name = error.code === 'DUPLICATE_KEY' ? /^["']?([\w.-]+)/.exec(text.slice(error.pos[0]))?.[1] : undefined;
    const sentence = name ? `\`${name}\` is set twice in this section` : SENTENCES[error.code];
    source.failAt(error.pos[0], sentence ?? 'is not valid YAML from here on');
  }
  // A duplicate key leaves the rest readable; after any other error the tree is guesswork.
  if (document.errors.some((error) => error.code !== 'DUPLICATE_KEY')) return source;
  const before = source.problems.length;
  refuseExtras(document, source);
  if (source.problems.length > before) return source;
  source.tree = document.toJS({ maxAliasCount: 0 }) ?? undefined;
  if (source.tree === undefined) source.failAt(0, 'holds no settings');
  return source;
}

/** Reads and parses one file. Never throws: a file that can't be read is a problem like any other. */
export function readYaml(file: string, kind: FileKind): Source {
  try {
    return parseYaml(file, kind, readText(file, LARGEST));
  } catch (error) {
    const source = new Source(file, kind);
    source.failAt(0, error instanceof RangeError ? 'is nested too deeply' : (error as Error).message);
    return source;
  }
}
