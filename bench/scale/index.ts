/**
 * What decides how large an installation must be: operations and bytes of a login (`operations.ts`), what a million accounts
 * cost (`accounts.ts`), and whether a node's memory stays what it is (`memory.ts`). Only on demand (`--only scale`, `accounts`,
 * `memory`), as they take minutes. `docs/scale.md` is made of these figures.
 */
import { join } from 'node:path';
import type { Options } from '../options.ts';
import { writePrograms } from '../servers/javascript.ts';
import { createWorld } from '../servers/world.ts';
import { accountsCost } from './accounts.ts';
import { memoryOverLogins } from './memory.ts';
import { operations } from './operations.ts';
import type { ScaleResults } from './print.ts';

export { printScale, type ScaleResults } from './print.ts';

export async function measureScale(
  options: Options,
  directory: string,
  progress: (text: string) => void,
): Promise<ScaleResults> {
  const world = createWorld();
  const { preload } = await writePrograms(join(directory, 'programs'));
  const { scale } = options;
  const wanted = async <Result>(figure: 'scale' | 'accounts' | 'memory', measure: () => Promise<Result>) => {
    if (!scale.figures.has(figure)) return undefined;
    progress(figure);
    return measure();
  };
  return {
    operations: await wanted('scale', () => operations(world, join(directory, 'scale'))),
    accounts: await wanted('accounts', () => accountsCost(world, { directory, preload, ...scale.accounts })),
    memory: await wanted('memory', () => memoryOverLogins(world, { directory, preload, logins: scale.logins })),
  };
}
