import { accessSync, constants, existsSync, readdirSync, readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** Where Debian puts servers, which is not on everybody's PATH. */
const SERVERS = '/usr/sbin';

/** @returns where the program is, or undefined */
export function onPath(name: string): string | undefined {
  const folders = [...(process.env.PATH ?? '').split(delimiter), SERVERS];
  return folders.map((folder) => join(folder, name)).find(isExecutable);
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

export const findRedisServer = (): string | undefined => onPath('redis-server');

/** SecantusDB: it speaks MongoDB's protocol over MongoDB's storage engine, and can be installed where MongoDB can't. */
export const findMongodbServer = (): string | undefined => process.env.SECANTUS || onPath('secantusd-py');

/** A process to be frozen. */
interface Freezable {
  readonly pid?: number | undefined;
  kill(signal: 'SIGSTOP'): boolean;
}

/** SIGSTOP, and waits until it is so: each thread of a process goes on until it is told. */
export function freeze(child: Freezable): void {
  child.kill('SIGSTOP');
  const sleeping = new Int32Array(new SharedArrayBuffer(4));
  while (!isFrozen(child.pid)) Atomics.wait(sleeping, 0, 0, 1);
}

/** @returns true where the system doesn't tell */
function isFrozen(pid = 0): boolean {
  const tasks = `/proc/${pid}/task`;
  if (!existsSync(tasks)) return true;
  return readdirSync(tasks).every((task) => {
    // The state follows the program's name, which stands in brackets and may hold anything.
    const stat = readFileSync(join(tasks, task, 'stat'), 'utf8');
    return 'Tt'.includes(stat.slice(stat.lastIndexOf(')') + 2)[0] ?? 'T');
  });
}
