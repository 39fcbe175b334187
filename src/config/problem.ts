import { OperatorError } from '../kernel/errors.ts';

/** One thing an operator has to mend (or, among warnings, should think about). */
export interface Problem {
  /** File as the operator named it, or `environment NAME` for an environment variable. */
  readonly file: string;
  /** From 1; absent only for environment variables. */
  readonly line?: number;
  readonly column?: number;
  /** Setting within the file, such as `redirect_uris[0]`; empty for the file as a whole. */
  readonly path: string;
  /** A full sentence: what is wrong, what is allowed, what to do. Never holds a secret value. */
  readonly message: string;
  /** What stands there now, where it may be shown. */
  readonly found?: string;
}

/** @returns `file:line:column  path  sentence` */
export function problemText(problem: Problem): string {
  const place = [problem.file, problem.line, problem.column].filter((part) => part !== undefined).join(':');
  const found = problem.found === undefined ? '' : ` (found ${problem.found})`;
  return [place, problem.path, `${problem.message}${found}`].filter(Boolean).join('  ');
}

/** The files can't be used; `problems` holds everything that is wrong with them, in file order. */
export class ConfigError extends OperatorError {
  readonly problems: readonly Problem[];

  constructor(directory: string, problems: readonly Problem[]) {
    const count = problems.length === 1 ? 'one problem' : `${problems.length} problems`;
    super([`The configuration in ${directory} has ${count}:`, ...problems.map(problemText)].join('\n'));
    this.problems = problems;
  }
}
