import { z } from 'zod';
import { tlsFiles } from './tls.ts';
import { duration, secret } from './values.ts';

export const mongodb = z.strictObject({
  engine: z
    .literal('mongodb')
    .describe('MongoDB 5 or later, a replica set of one server or more: for any number of servers'),
  url: secret(1)
    .regex(/^mongodb(\+srv)?:\/\//, 'an address that begins with mongodb:// or mongodb+srv://')
    .describe('mongodb://user:password@host:27017/?replicaSet=rs0&authSource=admin, as ${env:…} or ${file:…}'),
  // What MongoDB forbids in a name, and what it would tell apart from another name on some systems only.
  database: z
    .string()
    .regex(/^[a-z0-9][a-z0-9_-]{0,62}$/, 'a name of up to 63 lower-case letters, digits, hyphens and underscores')
    .refine((name) => !['admin', 'local', 'config'].includes(name), 'another name: that one is MongoDB’s own')
    .default('vestibule')
    .describe('Database; nobody else’s'),
  tls: z
    .strictObject(tlsFiles('MongoDB’s'))
    .optional()
    .describe('TLS to MongoDB; on without this section with mongodb+srv:// or tls=true in url'),
  connections: z.int().min(2).max(1000).default(50).describe('Most connections to each server of MongoDB'),
  timeout: duration
    .pipe(z.number().max(10, 'at most 10s'))
    .prefault('1s')
    .describe('How long an answer is waited for; then the request is refused'),
});
