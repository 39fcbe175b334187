import { generateKeyPairSync, randomBytes } from 'node:crypto';
import type { JWK } from 'oidc-provider';
import { serverSchema } from '../../src/config/schema/server.ts';
import { type Argon2id, CLIENTS, type World } from './subject.ts';

/** People who sign in; one for each concurrent client, so that nobody's tries are counted together. */
const PEOPLE = 32;

export function createWorld(): World {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  return {
    people: Array.from({ length: PEOPLE }, (_, number) => ({
      username: `person-${number}`,
      password: `password-of-person-${number}-${randomBytes(4).toString('hex')}`,
    })),
    clients: CLIENTS,
    signingKey: { ...privateKey.export({ format: 'jwk' }), kid: 'bench', alg: 'RS256', use: 'sig' } as JWK,
    argon2id: defaultArgon2id(),
  };
}

/** What Vestibule uses unless told otherwise. */
function defaultArgon2id(): Argon2id {
  const { memory_kib, iterations, parallelism } = serverSchema.parse({ issuer: 'http://localhost:3000' }).passwords
    .argon2id;
  return { memory: memory_kib, passes: iterations, parallelism };
}
