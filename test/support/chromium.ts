import { execFile } from 'node:child_process';
import { accessSync, constants, existsSync, readFileSync, statSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { delimiter, dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable', 'chrome'];
const modules = resolve(import.meta.dirname, '../../node_modules');

/** `carried` stands for the Chromium inside the npm package, which has to be unpacked first. */
export type ChromiumLocation = { readonly executable: string } | { readonly carried: string };

/**
 * The browser to use: `CHROMIUM`, else the one that came with `npm ci`, else one on the PATH. The carried one is of a
 * known version and made without windows: a page costs it a quarter of what it costs a browser for people.
 */
export function findChromium(): ChromiumLocation | undefined {
  const named = process.env.CHROMIUM;
  if (named) {
    if (!isExecutable(named)) throw new Error(`CHROMIUM=${named} is no executable file`);
    return { executable: named };
  }
  return findCarried() ?? findOnPath();
}

function findOnPath(): ChromiumLocation | undefined {
  for (const folder of (process.env.PATH ?? '').split(delimiter)) {
    for (const name of NAMES) {
      if (folder && isExecutable(join(folder, name))) return { executable: join(folder, name) };
    }
  }
  return undefined;
}

/** The one that came with `npm ci`, with fonts of its own: what it draws is the same on every machine. */
export function findCarried(): ChromiumLocation | undefined {
  const carried = join(modules, '@sparticuz/chromium');
  const runsHere = process.platform === 'linux' && process.arch === 'x64';
  return runsHere && existsSync(carried) ? { carried } : undefined;
}

/** @returns what `chromium.launch` of playwright-core needs */
export async function prepareChromium(
  location = findChromium(),
): Promise<{ executablePath: string; env?: Record<string, string> }> {
  if (!location) throw new Error('there is no Chromium');
  if ('executable' in location) return { executablePath: location.executable };
  const folder = await unpack(location.carried);
  return {
    executablePath: join(folder, 'chromium'),
    env: {
      ...(process.env as Record<string, string>),
      LD_LIBRARY_PATH: [join(folder, 'al2023/lib'), process.env.LD_LIBRARY_PATH].filter(Boolean).join(delimiter),
      FONTCONFIG_PATH: join(folder, 'fonts'),
    },
  };
}

/** Unpacks once per installation. The folder is renamed into place when it is complete, so test
 *  files that start at the same time never see half a browser. */
async function unpack(carried: string): Promise<string> {
  const { version } = JSON.parse(readFileSync(join(carried, 'package.json'), 'utf8')) as { version: string };
  const folder = join(modules, '.cache', `chromium-${version}`);
  if (existsSync(folder)) return folder;
  await mkdir(dirname(folder), { recursive: true });
  const unfinished = await mkdtemp(`${folder}-`);
  try {
    // The package unpacks into the system's temporary folder, so a child process is given another.
    const program = "import chromium from '@sparticuz/chromium'; await chromium.executablePath();";
    await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', program], {
      cwd: dirname(modules),
      // The second variable makes it unpack the shared libraries it needs (NSS) as well.
      env: { ...process.env, TMPDIR: unfinished, AWS_LAMBDA_JS_RUNTIME: 'nodejs22.x' },
    });
    const fonts = join(unfinished, 'fonts/fonts.conf');
    await writeFile(fonts, (await readFile(fonts, 'utf8')).replace('/tmp/fonts', join(folder, 'fonts')));
    await rename(unfinished, folder);
  } catch (error) {
    await rm(unfinished, { recursive: true, force: true });
    if (!existsSync(folder)) throw error;
  }
  return folder;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
