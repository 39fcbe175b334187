import type { Config } from '../config/index.ts';
import { type Standing, type StandingKey, signingRetention, UPSTREAM_RETENTION } from '../keys/index.ts';
import type { DurableStorage, KeyStore } from '../storage/ports.ts';

/** The option by which a command about keys means the other ones. */
export const UPSTREAM_OPTION = { upstream: { type: 'boolean' } } as const;
export const UPSTREAM_USAGE = '--upstream       the keys towards external providers instead (/external/jwks)';

export const whichKeys = (
  upstream: boolean | undefined,
  config: Config,
  durable: DurableStorage,
): { readonly store: KeyStore; readonly retention: number; readonly purpose: 'upstream' | 'signing' } =>
  upstream
    ? { store: durable.upstreamKeys, retention: UPSTREAM_RETENTION, purpose: 'upstream' }
    : { store: durable.keys, retention: signingRetention(config), purpose: 'signing' };

const SAYS: Readonly<Record<Standing, string>> = {
  announced: 'announced',
  current: 'in use',
  retired: 'verifies',
  ended: 'ended',
};

export const timeOf = (seconds: number): string => new Date(seconds * 1000).toISOString();

export const keysAsJson = (all: readonly StandingKey[]): string =>
  JSON.stringify(
    all.map(({ key: { alg, kid, createdAt }, standing, until }) => ({
      alg,
      kid,
      signs: standing === 'current',
      standing,
      created_at: timeOf(createdAt),
      ...(until === undefined ? {} : { until: timeOf(until) }),
    })),
    null,
    2,
  );

export function keysAsText(all: readonly StandingKey[]): string {
  const widest = Math.max(...all.map(({ key }) => key.alg.length));
  return all
    .map(({ key: { alg, kid, createdAt }, standing, until }) => {
      const end = until === undefined ? '' : `  until ${timeOf(until)}`;
      return `${alg.padEnd(widest)}  ${kid}  ${SAYS[standing].padEnd(9)}  ${timeOf(createdAt)}${end}`;
    })
    .join('\n');
}
