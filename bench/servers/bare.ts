import { argon2Sync, randomBytes } from 'node:crypto';
import { join } from 'node:path';
import type { BarePerson, BareSettings } from '../bare/settings.ts';
import type { BareId, Subject, World } from './subject.ts';

const LABELS = {
  memory: 'bare, memory',
  sqlite: 'bare, SQLite',
  'sqlite-full': 'bare, SQLite FULL',
} as const;

/** @param program the bare server as JavaScript */
export function bareSubject(
  id: BareId,
  world: World,
  options: { program: string; directory: string; port: number },
): Subject {
  const { program, directory, port } = options;
  const settings: BareSettings = {
    port,
    issuer: `http://localhost:${port}`,
    store:
      id === 'memory'
        ? 'memory'
        : { path: join(directory, `${id}.db`), synchronous: id === 'sqlite' ? 'NORMAL' : 'FULL' },
    cookieKey: randomBytes(32).toString('base64url'),
    signingKey: world.signingKey,
    // `client_name` included: the same metadata for all.
    clients: world.clients,
    people: barePeople(world),
  };
  return { id, label: LABELS[id], port, program: [program, JSON.stringify(settings)], env: {} };
}

function barePeople({ people, argon2id }: World): BarePerson[] {
  return people.map(({ username, password }) => {
    const nonce = randomBytes(16);
    const tag = argon2Sync('argon2id', { message: password, nonce, tagLength: 32, ...argon2id });
    return { username, salt: nonce.toString('base64'), hash: tag.toString('base64'), parameters: argon2id };
  });
}
