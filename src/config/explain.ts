import type { z } from 'zod';
import { type JsonSchema, knownNames, nodesAt, placesOf } from './json-schema.ts';
import { nearest } from './nearest.ts';
import { type Path, valueAt } from './paths.ts';

/** What zod said, put into words an operator can act on. */
export interface Explained {
  readonly path: Path;
  readonly message: string;
  /** The complaint is about the name of the setting, not about its value. */
  readonly aboutKey?: boolean;
}

/** How zod's own sentences begin; all others come from our schemas and say it better. */
const ZODS_OWN = /^(Invalid|Too small|Too big|Unrecognized)/;

type Issue = z.core.$ZodIssue;

const quoted = (values: readonly unknown[]): string => values.map((value) => JSON.stringify(value)).join(', ');
const choice = (values: readonly unknown[]): string =>
  values.length === 1 ? quoted(values) : `one of ${quoted(values)}`;

function range(node: JsonSchema): string {
  const least = node.exclusiveMinimum === undefined ? node.minimum : node.exclusiveMinimum + 1;
  const most = node.maximum === Number.MAX_SAFE_INTEGER ? undefined : node.maximum;
  if (least !== undefined && most !== undefined) return ` from ${least} to ${most}`;
  return least === undefined || least === Number.MIN_SAFE_INTEGER ? '' : ` from ${least}`;
}

function typeWords(node: JsonSchema): string {
  if (node.enum) return choice(node.enum);
  if (node.const !== undefined) return choice([node.const]);
  switch (node.type) {
    case 'integer':
      return `a whole number${range(node)}`;
    case 'boolean':
      return 'true or false';
    case 'array':
      return 'a list';
    case 'object':
      return 'a mapping of settings (name: value)';
    default:
      return 'text';
  }
}

/** @returns a noun phrase that completes "must be …" */
function allowed(issue: Issue, nodes: readonly JsonSchema[]): string {
  if (!ZODS_OWN.test(issue.message)) return issue.message;
  switch (issue.code) {
    case 'invalid_type': {
      const typed = nodes.find((node) => node.type !== undefined);
      return typed ? typeWords(typed) : issue.expected;
    }
    case 'invalid_value':
      return choice(issue.values);
    case 'invalid_union':
      return 'options' in issue && Array.isArray(issue.options) ? choice(issue.options) : issue.message;
    case 'too_small':
      if (issue.origin === 'string') return `at least ${issue.minimum} character${issue.minimum === 1 ? '' : 's'} long`;
      if (issue.origin === 'array') return `a list of at least ${issue.minimum}`;
      break;
    case 'too_big':
      if (issue.origin === 'string') return `at most ${issue.maximum} characters long`;
      break;
    case 'invalid_key':
      return `named by ${issue.issues[0]?.message ?? 'something else'}`;
    default:
      return issue.message;
  }
  const typed = nodes.find((node) => node.type === 'integer');
  return typed ? typeWords(typed) : issue.message;
}

function unknownKey(name: string, path: Path, document: JsonSchema): string {
  const known = knownNames(nodesAt(document, path));
  const close = nearest(name, known);
  if (close) return `unknown key \`${name}\`; did you mean \`${close}\`?`;
  const elsewhere = placesOf(document, name)[0];
  if (elsewhere) return `unknown key \`${name}\`; did you mean \`${elsewhere.join('.')}\`?`;
  return `unknown key \`${name}\`; known here: ${known.join(', ') || 'none'}`;
}

/**
 * @param issues what zod found
 * @param tree the value that was validated
 * @param document JSON Schema of that kind of file
 * @returns one entry for each thing to mend
 */
export function explain(issues: readonly Issue[], tree: unknown, document: JsonSchema): Explained[] {
  return issues.flatMap((issue): Explained[] => {
    const path = issue.path.map((step) => (typeof step === 'symbol' ? String(step) : step));
    if (issue.code === 'unrecognized_keys') {
      return issue.keys.map((name) => ({
        path: [...path, name],
        message: unknownKey(name, path, document),
        aboutKey: true,
      }));
    }
    const nodes = nodesAt(document, path);
    const what = allowed(issue, nodes);
    const value = valueAt(tree, path);
    if (value === undefined) {
      const description = nodes.find((node) => node.description)?.description;
      return [{ path, message: `is missing and must be set${description ? `: ${description}` : ''}` }];
    }
    if (value === null) return [{ path, message: `has no value: give it one (${what}) or remove the line` }];
    return [{ path, message: `must be ${what}`, aboutKey: issue.code === 'invalid_key' }];
  });
}
