/**
 * What `vestibule init` makes: a working directory with a configuration of its own, copied from
 * the template in `config/`, a fresh master key, and password hashing measured on this machine.
 */
import { existsSync, globSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { OperatorError } from '../../kernel/errors.ts';
import type { Argon2idSettings } from './calibrate.ts';

export { type Calibration, calibrate } from './calibrate.ts';

const TEMPLATE = join(import.meta.dirname, '../../../config');
const MASTER_KEY = 'secrets/master.key';

/** Only the owner: configuration, secrets and databases are nobody else's business. */
const FOLDER_MODE = 0o700;
const SECRET_MODE = 0o600;

/** Takes the `#` off a setting of the template, and gives it a value. */
function enable(template: string, name: string, value: string | number = ''): string {
  const line = new RegExp(`^#( *${name}:).*$`, 'm');
  if (!line.test(template))
    throw new OperatorError(`${TEMPLATE}/vestibule.yaml is not the template: no line #${name}:`);
  return template.replace(line, (_line, start: string) => `${start} ${value}`.trimEnd());
}

function settings(hashing: Argon2idSettings): string {
  let text = readFileSync(join(TEMPLATE, 'vestibule.yaml'), 'utf8');
  text = enable(text, 'master_key', `\${file:../${MASTER_KEY}}`);
  for (const section of ['passwords', 'argon2id']) text = enable(text, section);
  text = enable(text, 'memory_kib', hashing.memory_kib);
  text = enable(text, 'iterations', hashing.iterations);
  return enable(text, 'parallelism', hashing.parallelism);
}

/** What every instance begins with; client files of an instance that runs in the template are not copied. */
const copied = (): string[] => globSync(['schemas/*.json', '*/*.disabled'], { cwd: TEMPLATE });

/**
 * Creates the working directory. The directory itself may exist, but nothing in it is overwritten.
 *
 * @param directory where to; made when missing
 * @param masterKey 32 bytes, base64
 * @returns the files written, relative to it
 * @throws OperatorError when something that would be written is there already
 */
export function createInstance(directory: string, masterKey: string, hashing: Argon2idSettings): string[] {
  assertFree(directory);
  const files = new Map<string, string>([
    // Nothing in these two may reach version control, wherever the directory lies.
    ['data/.gitignore', '*\n'],
    ['secrets/.gitignore', '*\n'],
    ['config/vestibule.yaml', settings(hashing)],
    ...copied().map((name) => [`config/${name}`, readFileSync(join(TEMPLATE, name), 'utf8')] as const),
    [MASTER_KEY, `${masterKey}\n`],
  ]);
  for (const [name, text] of files) {
    const file = join(directory, name);
    makeFolder(dirname(file));
    // `wx`: whatever appeared there meanwhile is not overwritten either.
    writeFileSync(file, text, { flag: 'wx', mode: name === MASTER_KEY ? SECRET_MODE : 0o644 });
  }
  return [...files.keys()];
}

const makeFolder = (folder: string): string | undefined => mkdirSync(folder, { recursive: true, mode: FOLDER_MODE });

/** @throws OperatorError naming everything that is in the way */
export function assertFree(directory: string): void {
  const taken = ['config', 'data', 'secrets'].map((name) => join(directory, name)).filter((path) => existsSync(path));
  if (taken.length > 0) {
    throw new OperatorError(
      `Nothing was changed: ${taken.join(', ')} exist${taken.length === 1 ? 's' : ''} already. Name another directory.`,
    );
  }
}
