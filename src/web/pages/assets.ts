import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, extname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip as gzipCompress } from 'node:zlib';
import type { Config } from '../../config/config.ts';
import type { ClientFile, ClientSettings } from '../../config/schema/client.ts';
import type { Theme } from '../../config/schema/server.ts';
import type { Language } from '../../config/schema/values.ts';
import { OperatorError } from '../../kernel/errors.ts';
import type { Logger } from '../../kernel/logger.ts';
import type { ClientView, ExternalWay } from './models.ts';
import { BUILT_IN_VIEWS } from './templates.ts';
import { themeStylesheet } from './theme.ts';

export interface Encodings {
  readonly gzip?: Buffer;
  readonly brotli?: Buffer;
}

export interface Asset {
  readonly body: Buffer;
  /** Its compressed forms, where they are smaller; made when they are first asked for, off the main thread. */
  encodings(): Promise<Encodings>;
  readonly type: string;
  /** Strong entity tag with its quotes (RFC 9110 §8.8.3). */
  readonly etag: string;
}

/** A client file, or what a dynamically registered client has of one. */
export type ClientLike = Pick<ClientFile, 'client_id'> &
  Partial<Pick<ClientFile, 'client_name' | 'client_uri' | 'policy_uri' | 'tos_uri'>> & {
    readonly vestibule?: Partial<ClientSettings> | undefined;
  };

/** An external provider with its name, one for all languages or one for each. */
export interface ProviderLike {
  readonly id: string;
  readonly name: string | Readonly<Partial<Record<Language, string>>>;
}

export interface Assets {
  /** @returns `/assets/<hash>/<name>`; the address changes with the content, so it may be kept forever */
  url(name: string): string;
  /** @param path path of a request, such as `url` returns */
  find(path: string): Asset | undefined;
  clientView(client: ClientLike, language: Language): ClientView;
  externalWay(provider: ProviderLike, language: Language): ExternalWay;
  readonly brandingStylesheetUrl: string;
  readonly brandingLogoUrl: string | undefined;
}

const gzipped = promisify(gzipCompress);
const brotlied = promisify(brotliCompress);

const TYPES: Readonly<Record<string, string>> = {
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.woff2': 'font/woff2',
};
const COMPRESSIBLE = new Set(['.css', '.js', '.svg']);
/** The script library for passkeys; its package exports no path to the file a browser takes as it is. */
const PASSKEY_LIBRARY = join(
  dirname(createRequire(import.meta.url).resolve('@simplewebauthn/browser')),
  '../dist/bundle/index.umd.min.js',
);
const LOGO_TYPES = new Set(['.svg', '.png']);
/** A logo larger than this takes more room than the whole page may (30 KB). */
const LARGE_LOGO = 16_384;

/**
 * Reads and hashes everything pages load, once: the files of `views/assets/` (those of the overlay win), the library for
 * passkeys, a stylesheet and logo for each client, the operator's own, and the logos of external providers.
 * @throws OperatorError when a logo is missing or neither SVG nor PNG
 */
export function createAssets(config: Config, options: { logger?: Logger } = {}): Assets {
  const byPath = new Map<string, Asset>();
  const urls = new Map<string, string>();
  const add = (name: string, body: Buffer): string => {
    const asset = createAsset(name, body);
    const url = `/assets/${asset.etag.slice(1, -1)}/${name}`;
    byPath.set(url, asset);
    urls.set(name, url);
    return url;
  };

  add('simplewebauthn.js', readFileSync(PASSKEY_LIBRARY));
  const { overlay } = config.branding;
  for (const folder of [BUILT_IN_VIEWS, ...(overlay ? [resolve(config.directory, overlay)] : [])]) {
    for (const [name, body] of readFolder(join(folder, 'assets'))) add(name, body);
  }

  const addTheme = (theme: Theme, name: string, clientId?: string): string => {
    const { css, adjustments } = themeStylesheet(theme);
    for (const adjustment of adjustments) {
      options.logger?.warn(
        { event: 'theme.adjusted', ...(clientId && { client_id: clientId }), ...adjustment },
        `The ${adjustment.setting} ${adjustment.asked} gives too little contrast in ${adjustment.mode} mode; ${adjustment.used} is used instead.`,
      );
    }
    return add(name, Buffer.from(css));
  };
  const addLogo = (file: string | undefined, name: string): string | undefined => {
    if (!file) return undefined;
    const body = readLogo(resolve(config.directory, file));
    if (body.length > LARGE_LOGO) {
      options.logger?.warn(
        { event: 'theme.logo_large', file, bytes: body.length },
        'The logo is so large that the sign-in page loads slowly on a phone.',
      );
    }
    return add(name + extname(file).toLowerCase(), body);
  };

  const ownTheme = config.branding.theme;
  const brandingStylesheetUrl = addTheme(ownTheme, 'theme.css');
  const brandingLogoUrl = addLogo(ownTheme.logo, 'logo');
  const looks = new Map<string, { stylesheetUrl: string; logoUrl: string | undefined }>();
  for (const { client_id: id, vestibule } of config.clients) {
    looks.set(id, {
      // What a portal leaves open is as the operator has it.
      stylesheetUrl: addTheme({ ...ownTheme, ...present(vestibule.theme) }, `theme-${id}.css`, id),
      logoUrl: addLogo(vestibule.theme.logo, `logo-${id}`) ?? brandingLogoUrl,
    });
  }

  const providerLogos = new Map(config.providers.map(({ id, logo }) => [id, addLogo(logo, `provider-${id}`)]));

  const fallback = config.languages.default;
  return {
    brandingStylesheetUrl,
    brandingLogoUrl,
    url(name) {
      const url = urls.get(name);
      if (!url) throw new Error(`there is no asset ${name}`);
      return url;
    },
    find: (path) => byPath.get(path),
    clientView(client, language) {
      const { client_id: id, vestibule } = client;
      const look = looks.get(id);
      return {
        id,
        name: client.client_name ?? id,
        uri: client.client_uri,
        policyUri: client.policy_uri,
        tosUri: client.tos_uri,
        stylesheetUrl: look?.stylesheetUrl ?? brandingStylesheetUrl,
        logoUrl: look ? look.logoUrl : brandingLogoUrl,
        helpUrl: vestibule?.help_url ?? config.branding.help_url,
        supportContact: pickText(vestibule?.support_contact ?? config.branding.support_contact, language, fallback),
        notice: pickText(vestibule?.notice, language, fallback),
      };
    },
    externalWay({ id, name }, language) {
      const text = typeof name === 'string' ? name : pickText(name, language, fallback);
      return { id, name: text ?? id, logoUrl: providerLogos.get(id) };
    },
  };
}

/** A text of a configuration file: in the language, else the default one, else any there is. */
export function pickText(
  texts: Partial<Record<Language, string | undefined>> | undefined,
  language: Language,
  fallback: Language,
): string | undefined {
  return texts && (texts[language] ?? texts[fallback] ?? Object.values(texts).find(Boolean));
}

function createAsset(name: string, body: Buffer): Asset {
  const extension = extname(name).toLowerCase();
  const hash = createHash('sha256').update(body).digest('base64url').slice(0, 16);
  let encodings: Promise<Encodings> | undefined;
  return {
    body,
    type: TYPES[extension] as string,
    etag: `"${hash}"`,
    encodings() {
      encodings ??= COMPRESSIBLE.has(extension) ? compress(body) : Promise.resolve({});
      return encodings;
    },
  };
}

async function compress(body: Buffer): Promise<Encodings> {
  const [gzip, brotli] = await Promise.all([
    gzipped(body, { level: 9 }),
    brotlied(body, { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } }),
  ]);
  return {
    ...(gzip.length < body.length && { gzip }),
    ...(brotli.length < body.length && { brotli }),
  };
}

/** Files of a kind browsers load; anything else in the folder (notes, sources) stays private. */
function readFolder(folder: string): [name: string, body: Buffer][] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => Object.hasOwn(TYPES, extname(name).toLowerCase()) && statSync(join(folder, name)).isFile())
    .map((name) => [name, readFileSync(join(folder, name))]);
}

function readLogo(file: string): Buffer {
  if (!LOGO_TYPES.has(extname(file).toLowerCase()))
    throw new OperatorError(`${file}: a logo must be an SVG or PNG file`);
  try {
    return readFileSync(file);
  } catch (error) {
    throw new OperatorError(`${file}: the logo can't be read (${error instanceof Error ? error.message : error})`);
  }
}

/** Properties that are set; a spread of `{ accent: undefined }` would undo the operator's. */
const present = (theme: Theme): Theme =>
  Object.fromEntries(Object.entries(theme).filter(([, value]) => value !== undefined)) as Theme;
