import { type Finding, isDevelopment, type Rule, type ServerSubject } from './rule.ts';
import { DEVELOPMENT, literal } from './secrets.ts';
import { checkTls, hasPassword } from './storage-server.ts';

const URL = ['storage', 'durable', 'url'];

export const mongodbRules: readonly Rule<ServerSubject>[] = [
  {
    reads: ['storage.durable'],
    *check({ settings: { storage } }): Generator<Finding> {
      const { durable } = storage;
      if (durable.engine === 'mongodb') yield* checkTls(durable.tls, ['storage', 'durable', 'tls']);
    },
  },
  {
    reads: ['storage.durable', ...DEVELOPMENT],
    *check({ settings, isLiteral }): Generator<Finding> {
      const { durable } = settings.storage;
      if (durable.engine !== 'mongodb' || isDevelopment(settings)) return;
      if (hasPassword(durable.url) && isLiteral(URL)) yield literal(URL);
    },
  },
];
