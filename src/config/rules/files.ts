import { readFileSync, realpathSync, statSync } from 'node:fs';
import { basename, dirname, extname, join } from 'node:path';
import type { Path } from '../paths.ts';
import type { ServerSettings } from '../schema/server.ts';
import { readFailure } from '../yaml-file.ts';
import type { ClientSubject } from './client.ts';
import type { Finding, Rule, ServerSubject } from './rule.ts';

const LARGEST_LOGO = 64 * 1024;
const PNG = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);

/** One name for one file, however it is written; the file itself may not exist yet. */
function canonical(file: string): string {
  try {
    return realpathSync(file);
  } catch {
    const folder = dirname(file);
    return folder === file ? file : join(canonical(folder), basename(file));
  }
}

/** @returns what is wrong with it, or undefined */
function logoFault(file: string): string | undefined {
  const type = extname(file).toLowerCase();
  if (type !== '.svg' && type !== '.png') return 'must be an .svg or .png file';
  try {
    const status = statSync(file);
    if (!status.isFile()) return 'is not a file';
    if (status.size > LARGEST_LOGO) return `must be at most 64 KiB, and is ${Math.ceil(status.size / 1024)} KiB`;
    const bytes = readFileSync(file);
    const isWhatItSays = type === '.png' ? bytes.subarray(0, 8).equals(PNG) : /<svg[\s>]/i.test(bytes.toString('utf8'));
    return isWhatItSays ? undefined : `holds no ${type === '.png' ? 'PNG' : 'SVG'} image`;
  } catch (error) {
    return readFailure(error);
  }
}

/** What is wrong with a logo, reported at `path`. */
export function* checkLogo(file: string | undefined, path: Path): Generator<Finding> {
  const fault = file === undefined ? undefined : logoFault(file);
  if (fault) yield { path, message: `${fault} (relative to the configuration folder)` };
}

const samePlace = ({ durable, ephemeral }: ServerSettings['storage']): boolean =>
  durable.engine === 'sqlite' && ephemeral.engine === 'sqlite' && canonical(durable.path) === canonical(ephemeral.path);

/** Files that `vestibule.yaml` names. */
export const serverFileRules: readonly Rule<ServerSubject>[] = [
  // They are written at different pace and kept for different times; backups take only one.
  {
    reads: ['storage'],
    *check({ settings: { storage } }) {
      if (samePlace(storage)) {
        yield { path: ['storage', 'ephemeral', 'path'], message: 'must be another file than storage.durable.path' };
      }
    },
  },
  {
    reads: ['branding.theme.logo'],
    check: ({ settings }) => checkLogo(settings.branding.theme.logo, ['branding', 'theme', 'logo']),
  },
  {
    reads: ['branding.overlay'],
    *check({ settings: { branding } }) {
      if (branding.overlay === undefined) return;
      const path = ['branding', 'overlay'];
      try {
        if (!statSync(branding.overlay).isDirectory()) yield { path, message: 'must be a folder' };
      } catch (error) {
        yield { path, message: `${readFailure(error)} (a folder, relative to the configuration folder)` };
      }
    },
  },
];

/** Files that a client file names. */
export const clientFileRules: readonly Rule<ClientSubject>[] = [
  {
    reads: ['vestibule.theme.logo'],
    check: ({ client }) => checkLogo(client.vestibule.theme.logo, ['vestibule', 'theme', 'logo']),
  },
];
