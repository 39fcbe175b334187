import type { Config } from '../../src/config/config.ts';
import { serverSchema } from '../../src/config/schema/server.ts';
import type { Account } from '../../src/storage/ports.ts';

/** One connection, as by default. */
export const configOf = (smtpPort: number): Config => ({
  ...serverSchema.parse({
    issuer: 'https://login.example.org',
    mail: { host: '127.0.0.1', port: smtpPort, tls: 'none', from: 'no-reply@example.org' },
  }),
  directory: '/nowhere',
  masterKeys: [],
  clients: [],
  providers: [],
});

export const accountOf = (id: string): Account => ({
  id,
  username: id,
  email: `${id}@example.org`,
  emailVerified: true,
  state: 'active',
  profile: { name: `Somebody ${id}`, locale: 'fr-CH', zoneinfo: 'Europe/Zurich' },
  generation: 0,
  createdAt: 0,
  updatedAt: 0,
  version: 1,
});
