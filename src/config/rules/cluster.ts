import type { Rule, ServerSubject } from './rule.ts';

/** What serves one server only, and what would become of people if several had it. */
export const clusterRules: readonly Rule<ServerSubject>[] = [
  {
    reads: ['cluster', 'storage.durable'],
    *check({ settings: { cluster, storage } }) {
      if (!cluster || storage.durable.engine !== 'sqlite') return;
      yield {
        path: ['storage', 'durable', 'engine'],
        message:
          'must be mongodb with cluster: true. A SQLite file belongs to one machine: who is added, suspended or changes their password at one server would not be, have been or have done so at the others',
      };
    },
  },
  {
    reads: ['cluster', 'storage.ephemeral'],
    *check({ settings: { cluster, storage } }) {
      if (!cluster || storage.ephemeral.engine !== 'sqlite') return;
      yield {
        path: ['storage', 'ephemeral', 'engine'],
        message:
          'must be redis with cluster: true. A SQLite file belongs to one machine: a sign-in begun at one server would be unknown at the next, and each would count wrong passwords for itself',
      };
    },
  },
];
