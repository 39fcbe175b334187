import { type Adapter, type AdapterFactory, type AdapterPayload, errors } from 'oidc-provider';

/** Most records of one kind: what strangers can make the program remember. */
const KEPT = 1000;

interface Row {
  payload: AdapterPayload;
  readonly expiresAt: number;
}

/** What the protocol library remembers, in memory: a restart forgets everybody. */
export function inMemory(): AdapterFactory {
  const kinds = new Map<string, Map<string, Row>>();
  return (kind) => {
    const rows = kinds.get(kind) ?? new Map<string, Row>();
    kinds.set(kind, rows);
    return adapterOf(rows, kind);
  };
}

function adapterOf(rows: Map<string, Row>, kind: string): Adapter {
  const find = (id: string): AdapterPayload | undefined => {
    const row = rows.get(id);
    return row && row.expiresAt > Date.now() ? row.payload : undefined;
  };
  const removeOldest = (): void => {
    const [oldest] = rows.keys();
    if (oldest !== undefined && rows.size >= KEPT) rows.delete(oldest);
  };

  return {
    async upsert(id, payload, expiresIn = Number.POSITIVE_INFINITY) {
      if (kind === 'ReplayDetection' && find(id)) throw new errors.InvalidClientAuth('replay detected');
      if (!rows.has(id)) removeOldest();
      rows.set(id, { payload, expiresAt: Date.now() + expiresIn * 1000 });
    },
    find: async (id) => find(id),
    findByUid: async (uid) => [...rows.keys()].map(find).find((payload) => payload?.uid === uid),
    // The device flow is off.
    findByUserCode: async () => undefined,
    async consume(id) {
      const row = rows.get(id);
      // Of two simultaneous redemptions one wins: the library looked before either was marked.
      if (!row || row.payload.consumed) throw new errors.InvalidGrant('already used');
      row.payload = { ...row.payload, consumed: Math.floor(Date.now() / 1000) };
    },
    async destroy(id) {
      rows.delete(id);
    },
    async revokeByGrantId(grantId) {
      for (const [id, { payload }] of rows) if (payload.grantId === grantId) rows.delete(id);
    },
  };
}
