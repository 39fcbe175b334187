import { z } from 'zod';
import { tlsFiles } from './tls.ts';
import { duration, port, secret } from './values.ts';

const server = (ordinary: number) =>
  z.strictObject({
    host: z.string().min(1).describe('Host name or address'),
    port: port.default(ordinary).describe('Its port'),
  });

/** One of `url`, `sentinels` and `cluster` (`rules/redis.ts`). */
export const redis = z.strictObject({
  engine: z.literal('redis').describe('Redis 6.2 or later, or Valkey: for any number of servers'),
  url: secret(1)
    .regex(/^rediss?:\/\//, 'an address that begins with redis:// or, for TLS, rediss://')
    .optional()
    .describe('redis://user:password@host:6379/0, as ${env:…} or ${file:…}; rediss:// for TLS'),
  sentinels: z
    .array(server(26_379))
    .nonempty()
    .optional()
    .describe('Sentinels, instead of url: they know which server is the master'),
  sentinel_name: z.string().min(1).optional().describe('What the Sentinels call the master'),
  sentinel_username: z.string().min(1).optional().describe('User at the Sentinels'),
  sentinel_password: secret(1).optional().describe('Password at the Sentinels, as ${env:…} or ${file:…}'),
  cluster: z
    .array(server(6379))
    .nonempty()
    .optional()
    .describe('Some nodes of a Redis Cluster, instead of url; the others are learnt from them'),
  username: z.string().min(1).optional().describe('User (ACL) at Redis; one in url otherwise'),
  password: secret(1).optional().describe('Its password, as ${env:…} or ${file:…}; the one in url otherwise'),
  database: z.int().min(0).max(65_535).optional().describe('Number of the database; a cluster has only 0'),
  tls: z
    .strictObject({
      ...tlsFiles('Redis’'),
      server_name: z.string().min(1).optional().describe('Name in Redis’ certificate where it differs from the host'),
    })
    .optional()
    .describe('TLS to Redis and the Sentinels; on without this section where url begins with rediss://'),
  key_prefix: z
    .string()
    .regex(/^[^{}\s]{0,100}$/, 'up to 100 characters without spaces or braces')
    .default('vestibule:')
    .describe('What all keys begin with, where others use the same database'),
  timeout: duration
    .pipe(z.number().max(10, 'at most 10s'))
    .prefault('1s')
    .describe('How long an answer is waited for; then the request is refused'),
});
