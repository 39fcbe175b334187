import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { type ConfigContents, writeConfig } from '../../support/config-folder.ts';
import { CHILD_ENVIRONMENT, NODE_FLAGS } from '../../support/server-process.ts';

const COMMAND_LINE = resolve(import.meta.dirname, '../../../src/cli/bin.js');
/** A server that does start must not run on behind the test's back. */
const GIVEN_UP_AFTER_MS = 15_000;

const STARTED = '"event":"server.started"';

export interface Ended {
  /** The exit code, unless it did start. */
  readonly code: number | 'started';
  readonly output: string;
}

/** Starts a server that is expected to refuse, with a configuration folder and an environment of its own. */
export async function serve(contents: ConfigContents, env: Readonly<Record<string, string>> = {}): Promise<Ended> {
  const root = await mkdtemp(join(tmpdir(), 'vestibule-refusal-'));
  try {
    await writeConfig(join(root, 'config'), contents);
    return await run(join(root, 'config'), env);
  } finally {
    await rm(root, { recursive: true, force: true });
  }
}

export function run(directory: string, env: Readonly<Record<string, string>>): Promise<Ended> {
  return new Promise((done) => {
    const child = execFile(
      process.execPath,
      [...NODE_FLAGS, COMMAND_LINE, 'serve', '--config', directory],
      { env: { ...CHILD_ENVIRONMENT, ...env }, timeout: GIVEN_UP_AFTER_MS },
      (error, stdout, stderr) => {
        const code = error ? Number(error.code) || 1 : 0;
        const started = stdout.includes(STARTED);
        done({ code: started ? 'started' : code, output: stdout + stderr });
      },
    );
    child.stdout?.on('data', (text: string) => {
      if (text.includes(STARTED)) child.kill();
    });
  });
}
