import { setTimeout as wait } from 'node:timers/promises';
import { Connection } from '../client/http.ts';
import { quantile } from '../report/statistics.ts';

const PER_SECOND = 200;
/** As many providers, say; none waits for another's answer. */
const CONNECTIONS = 20;
const WARM_UP_SECONDS = 2;

export interface KeysUnderLoad {
  readonly perSecond: number;
  readonly requests: number;
  /** Milliseconds from when a request was due. */
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
  /** By how much the bench itself was late in sending: on a busy machine most of the above. */
  readonly lateP99: number;
}

/**
 * How long our keys for providers take to fetch at 200 requests a second, each sent when it is due, whether or not those
 * before were answered: a server that falls behind can't slow down those who ask.
 */
export async function keysUnderLoad(port: number, seconds: number): Promise<KeysUnderLoad> {
  const connections = Array.from({ length: CONNECTIONS }, () => new Connection(port));
  await load(connections, WARM_UP_SECONDS);
  const { taken, late } = await load(connections, seconds);
  for (const connection of connections) connection.close();
  const [p50, p99, max] = [0.5, 0.99, 1].map((share) => quantile(taken, share)) as [number, number, number];
  return { perSecond: PER_SECOND, requests: taken.length, p50, p99, max, lateP99: quantile(late, 0.99) };
}

async function load(connections: readonly Connection[], seconds: number) {
  const start = performance.now();
  const underWay: Promise<number>[] = [];
  const late: number[] = [];
  for (let n = 0; n < seconds * PER_SECOND; n += 1) {
    const due = start + (n * 1000) / PER_SECOND;
    const early = due - performance.now();
    if (early > 0) await wait(early);
    const sent = performance.now();
    late.push(Math.max(0, sent - due));
    const connection = connections[n % connections.length];
    if (connection) underWay.push(fetchKeys(connection, Math.min(due, sent)));
  }
  return { taken: await Promise.all(underWay), late };
}

/** @param since when it was due @returns milliseconds */
async function fetchKeys(connection: Connection, since: number): Promise<number> {
  const { status, body } = await connection.send('GET', '/external/jwks', { accept: 'application/json' });
  const taken = performance.now() - since;
  if (status !== 200 || !body.includes('"keys"')) throw new Error(`our keys were answered with ${status}`);
  return taken;
}
