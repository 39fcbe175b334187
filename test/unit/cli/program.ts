import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll } from '@jest/globals';
import type { Command, CommandIo } from '../../../src/cli/command.ts';

export const REPOSITORY = resolve(import.meta.dirname, '../../..');
const PROGRAM = join(REPOSITORY, 'src/cli/bin.js');

const made: string[] = [];
afterAll(() => {
  for (const folder of made.splice(0)) rmSync(folder, { recursive: true, force: true });
});

export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'vestibule-cli-'));
  made.push(folder);
  return folder;
}

export interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the program as an operator would, with nothing in its environment but what is given. */
export const vestibule = (
  args: readonly string[],
  env: Record<string, string> = {},
  cwd = REPOSITORY,
): Promise<Outcome> =>
  new Promise((done) => {
    const child = execFile(process.execPath, [PROGRAM, ...args], { env, cwd }, (_error, stdout, stderr) =>
      done({ code: child.exitCode ?? -1, stdout, stderr }),
    );
  });

/** An `io` that remembers. */
export function recorder(): CommandIo & { readonly written: { stdout: string; stderr: string } } {
  const written = { stdout: '', stderr: '' };
  return {
    written,
    stdin: (async function* () {})(),
    stdout: { write: (text) => (written.stdout += text) },
    stderr: { write: (text) => (written.stderr += text) },
  };
}

/** Runs a command in this process. */
export async function run(command: Command, args: string[]): Promise<Outcome> {
  const io = recorder();
  const code = await command.run(args, io);
  return { code, ...io.written };
}
