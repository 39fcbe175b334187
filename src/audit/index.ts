/**
 * What happened to whom, kept for the account's owner and for administrators. A record is
 * committed before the answer leaves, so an event that was acknowledged is never lost.
 */
import { isIPv6 } from 'node:net';
import type { Clock } from '../kernel/clock.ts';
import type { Random } from '../kernel/random.ts';
import type { AuditEvent, AuditStore, OutboxEntry } from '../storage/ports.ts';

export type AuditEntry = Omit<AuditEvent, 'id' | 'at'>;

export interface Audit {
  /** @param mails owed from the same moment @throws when the store can't commit it: the caller then grants nothing */
  record(entry: AuditEntry, mails?: readonly OutboxEntry[]): Promise<void>;
}

export function createAudit(deps: { store: AuditStore; clock: Clock; random: Random }): Audit {
  return {
    record: (entry, mails) => deps.store.append({ id: deps.random.id(), at: deps.clock.now(), ...entry }, mails),
  };
}

/**
 * The network an address belongs to: an IPv4 address as it is, an IPv6 address cut to its /64,
 * as one household or attacker holds at least a /64 (RFC 6177). Limits are counted and audit
 * records kept by it.
 */
export function addressPrefix(address: string): string {
  // Some proxies name the port as well (`192.0.2.7:4711`, `[2001:db8::1]:4711`): each would count apart.
  const [, bracketed, dotted] = /^(?:\[([^\]]*)\]|(\d+\.\d+\.\d+\.\d+))(?::\d+)?$/.exec(address) ?? [];
  const bare = (bracketed ?? dotted ?? address).replace(/%.*$/, '');
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(bare);
  if (mapped?.[1]) return mapped[1];
  if (!isIPv6(bare)) return bare;
  const [head = '', tail] = bare.toLowerCase().split('::');
  const front = head === '' ? [] : head.split(':');
  const back = tail === undefined || tail === '' ? [] : tail.split(':');
  const groups = tail === undefined ? front : [...front, ...Array(8 - front.length - back.length).fill('0'), ...back];
  return `${groups
    .slice(0, 4)
    .map((group) => group.replace(/^0+(?=.)/, ''))
    .join(':')}::/64`;
}
