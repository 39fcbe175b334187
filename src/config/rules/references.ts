import { nearest } from '../nearest.ts';
import type { Finding, Rule, ServerSubject } from './rule.ts';

/** Settings of `vestibule.yaml` that name something which must exist elsewhere. */
export const referenceRules: readonly Rule<ServerSubject>[] = [
  {
    reads: ['languages'],
    *check({ settings: { languages } }) {
      if (!languages.offered.includes(languages.default)) {
        yield { path: ['languages', 'default'], message: 'must be one of languages.offered' };
      }
    },
  },
  {
    reads: ['resource_servers'],
    *check({ settings, clientIds }): Generator<Finding> {
      for (const [resource, { clients = [] }] of Object.entries(settings.resource_servers)) {
        for (const [index, id] of clients.entries()) {
          if (clientIds.has(id)) continue;
          const close = nearest(id, clientIds);
          yield {
            path: ['resource_servers', resource, 'clients', index],
            message: `names no client in clients/${close ? `; did you mean ${close}?` : ''}`,
          };
        }
      }
    },
  },
  // A level named twice has two places in the order, and satisfies itself or not by accident.
  {
    reads: ['assurance'],
    *check({ settings: { assurance } }): Generator<Finding> {
      const names = assurance.levels.map(({ acr }) => acr);
      for (const [index, name] of names.entries()) {
        if (names.indexOf(name) !== index)
          yield { path: ['assurance', 'levels', index, 'acr'], message: 'is named twice: each level has one place' };
      }
    },
  },
];
