import type { ExternalFactor } from '../credentials/index.ts';
import type { Federation } from '../federation/index.ts';

/** Stands for every claim of an external provider that the client is released. */
export const EID_SCOPE = 'eid';

/** What clients are told of people that an external provider said (`release` of its file). */
export interface Releases {
  /** Every claim that some client is released; without one there is no scope `eid`. */
  readonly names: readonly string[];
  /** Those of one client, whoever has them. */
  of(clientId: string): readonly string[];
  /**
   * What is known of the person, by those names: as the first provider says, in the order of the buttons, and the identity
   * of it that was used last. Reads once, and only if the client is released one of them.
   */
  told(clientId: string, accountId: string, names: readonly string[]): Promise<Record<string, unknown>>;
}

const VERIFIED = '_verified';

export function createReleases(deps: {
  federation: Pick<Federation, 'releases'>;
  external: Pick<ExternalFactor, 'claims'>;
}): Releases {
  const { external } = deps;
  /** Client → each provider that it is released something of. */
  const table = new Map<string, { readonly provider: string; readonly claims: readonly string[] }[]>();
  for (const { provider, clients } of deps.federation.releases)
    for (const [clientId, claims] of Object.entries(clients))
      if (claims.length > 0) table.set(clientId, [...(table.get(clientId) ?? []), { provider, claims }]);
  const namesOf = new Map(
    [...table].map(([clientId, sources]) => [clientId, [...new Set(sources.flatMap(({ claims }) => claims))]]),
  );
  const of = (clientId: string): readonly string[] => namesOf.get(clientId) ?? [];

  return {
    names: [...new Set([...namesOf.values()].flat())],
    of,
    async told(clientId, accountId, wanted) {
      const names = new Set(wanted.filter((name) => of(clientId).includes(name)));
      if (names.size === 0) return {};
      const identities = await external.claims(accountId);
      const said = (table.get(clientId) ?? []).flatMap(({ provider, claims }) =>
        identities
          .filter((identity) => identity.provider === provider)
          .map((identity) => Object.entries(identity.claims).filter(([name]) => claims.includes(name))),
      );
      const told = new Map<string, unknown>();
      for (const claims of said) {
        // Whether something was verified is said of what the same identity says, never of another's.
        const isNew = ([name]: [string, unknown]) => !told.has(name) && !told.has(subjectOf(name));
        for (const [name, value] of claims.filter(isNew)) told.set(name, value);
      }
      const isTold = (name: string): boolean => names.has(name) && told.has(name);
      return Object.fromEntries([...told].filter(([name]) => isTold(name) && isTold(subjectOf(name))));
    },
  };
}

/** `phone_number` of `phone_number_verified`; of another name itself. */
const subjectOf = (name: string): string => (name.endsWith(VERIFIED) ? name.slice(0, -VERIFIED.length) : name);

/** What of a profile may stand beside it: what is called verified there is not what is told here. */
export const beside = (
  told: Readonly<Record<string, unknown>>,
  profile: Readonly<Record<string, unknown>>,
): Record<string, unknown> =>
  Object.fromEntries(Object.entries(profile).filter(([name]) => !Object.hasOwn(told, subjectOf(name))));
