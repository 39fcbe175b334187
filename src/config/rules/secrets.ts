import { DEVELOPMENT_MASTER_KEYS, isDevelopmentSecret } from '../development.ts';
import { decodeMasterKey, masterKeysOf } from '../master-keys.ts';
import type { Path } from '../paths.ts';
import type { ClientSubject } from './client.ts';
import { type Finding, isDevelopment, type Rule, type ServerSubject } from './rule.ts';

/** What decides whether development secrets may be used. */
export const DEVELOPMENT = ['issuer', 'development'];

const HOW_TO_GET_ONE = 'Get one with: npx vestibule init';
const PROPER_FORMS = '${env:NAME} or ${file:/path}';

export const published = (path: Path, what: string): Finding => ({
  path,
  message: `is a development secret that anybody can read in the documentation: make ${what} of your own and name it as ${PROPER_FORMS}`,
});

export const literal = (path: Path): Finding => ({
  path,
  message: `stands in the file in clear: better ${PROPER_FORMS}, so that the file can be shared and kept in version control`,
  warning: true,
});

/** A key that was typed rather than drawn at random. */
function isPublishedKey(key: string, bytes: Buffer): boolean {
  return (
    isDevelopmentSecret(key) ||
    isDevelopmentSecret(bytes.toString('latin1')) ||
    bytes.every((byte) => byte === bytes[0]) ||
    DEVELOPMENT_MASTER_KEYS.some((known) => bytes.equals(Buffer.from(known, 'base64')))
  );
}

/** Secrets of `vestibule.yaml`. */
export const serverSecretRules: readonly Rule<ServerSubject>[] = [
  {
    reads: ['master_key'],
    *check({ settings }): Generator<Finding> {
      const keys = masterKeysOf(settings.master_key ?? '');
      if (keys.length === 0) {
        const message = `there is no master key: set master_key to ${PROPER_FORMS}, or the environment variable VESTIBULE_MASTER_KEY. ${HOW_TO_GET_ONE}`;
        yield { path: ['master_key'], message };
      }
      for (const [index, key] of keys.entries()) {
        if (decodeMasterKey(key)) continue;
        const which = keys.length > 1 ? `line ${index + 1} ` : '';
        yield {
          path: ['master_key'],
          message: `${which}must be 32 random bytes in base64 (44 characters). ${HOW_TO_GET_ONE}`,
        };
      }
    },
  },
  {
    reads: ['master_key', ...DEVELOPMENT],
    *check({ settings }) {
      if (isDevelopment(settings)) return;
      const isPublished = masterKeysOf(settings.master_key ?? '').some((key) => {
        const bytes = decodeMasterKey(key);
        return bytes && isPublishedKey(key, bytes);
      });
      if (isPublished) yield published(['master_key'], 'one');
    },
  },
  {
    reads: ['features.registration.initial_access_token', ...DEVELOPMENT],
    *check({ settings }) {
      const token = settings.features.registration.initial_access_token;
      if (token !== undefined && !isDevelopment(settings) && isDevelopmentSecret(token)) {
        yield published(['features', 'registration', 'initial_access_token'], 'one');
      }
    },
  },
  {
    reads: DEVELOPMENT,
    *check({ settings, isLiteral }) {
      if (isDevelopment(settings)) return;
      for (const path of [['master_key'], ['features', 'registration', 'initial_access_token']]) {
        if (isLiteral(path)) yield literal(path);
      }
    },
  },
];

/** The secret of a client file. */
export const clientSecretRules: readonly Rule<ClientSubject>[] = [
  {
    reads: ['client_secret'],
    readsServer: DEVELOPMENT,
    *check({ client: { client_secret: secret }, server, isLiteral }) {
      if (secret === undefined || isDevelopment(server)) return;
      if (isDevelopmentSecret(secret)) yield published(['client_secret'], 'one');
      if (isLiteral(['client_secret'])) yield literal(['client_secret']);
    },
  },
];
