import type { Finding, Rule, ServerSubject } from './rule.ts';
import { isDevelopment } from './rule.ts';
import { DEVELOPMENT, literal } from './secrets.ts';
import { checkTls, hasPassword } from './storage-server.ts';

const PLACES = ['url', 'sentinels', 'cluster'] as const;
const SECRETS = ['url', 'password', 'sentinel_password'] as const;
const at = (name: string) => ['storage', 'ephemeral', name];

/** Where Redis is, said once. */
export const redisRules: readonly Rule<ServerSubject>[] = [
  {
    reads: ['storage.ephemeral'],
    *check({ settings: { storage } }): Generator<Finding> {
      const { ephemeral: redis } = storage;
      if (redis.engine !== 'redis') return;
      const [first, second] = PLACES.filter((name) => redis[name] !== undefined);
      if (!first) {
        yield { path: ['storage', 'ephemeral'], message: 'needs url, sentinels or cluster: where Redis is' };
      } else if (second) {
        yield { path: at(second), message: `says where Redis is, and so does ${first}: only one of them can` };
      }
      if (redis.sentinels && redis.sentinel_name === undefined) {
        yield { path: at('sentinels'), message: 'needs sentinel_name beside it: what they call the master' };
      }
      if (redis.cluster && redis.database) {
        yield { path: at('database'), message: 'must be left out: a cluster has one database' };
      }
      yield* checkTls(redis.tls, at('tls'));
    },
  },
  {
    reads: ['storage.ephemeral', ...DEVELOPMENT],
    *check({ settings, isLiteral }): Generator<Finding> {
      const { ephemeral: redis } = settings.storage;
      if (redis.engine !== 'redis' || isDevelopment(settings)) return;
      for (const name of SECRETS) {
        const isSecret = name !== 'url' || hasPassword(redis.url ?? '');
        if (redis[name] !== undefined && isSecret && isLiteral(at(name))) yield literal(at(name));
      }
    },
  },
];
