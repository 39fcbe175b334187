import { setTimeout as wait } from 'node:timers/promises';
import { Browser } from '../client/browser.ts';
import { authorization, FLOWS, signIn } from '../client/flows.ts';
import { Connection } from '../client/http.ts';
import { quantile } from '../report/statistics.ts';
import { CLIENT, type Person, type World } from '../servers/subject.ts';

/** Milliseconds. */
const THINKING = 5;
const UNTIL_FULL = 1500;

export type Probe = 'discovery' | 'token' | 'userinfo';

export interface Flood {
  readonly seconds: number;
  /** Passwords checked, right and wrong. */
  readonly passwords: number;
  /** Answers "busy". */
  readonly refused: number;
  readonly probes: Readonly<
    Record<Probe, { readonly p50: number; readonly p99: number; readonly max: number; readonly requests: number }>
  >;
}

/**
 * How fast the other endpoints stay while everybody in `world` tries passwords, without a pause,
 * wrong and right in turn. The load generator runs on the same cores, so the truth is a little better.
 */
export async function flood(port: number, world: World, seconds: number): Promise<Flood> {
  const [first] = world.people;
  if (!first) throw new Error('nobody is there');
  const connections: Connection[] = [];
  const connect = (): Connection => {
    const connection = new Connection(port);
    connections.push(connection);
    return connection;
  };
  const probes = await prepareProbes(connect, first);

  const tally = { passwords: 0, refused: 0, counting: false, over: false };
  const crowd = Promise.all(world.people.map((person) => hammer(connect(), person, tally)));
  // Heard of below, when it is waited for.
  crowd.catch(() => {});
  await wait(UNTIL_FULL);
  tally.counting = true;
  const until = performance.now() + seconds * 1000;
  const latencies = await Promise.all(probes.map(async ([name, probe]) => [name, await repeat(probe, until)] as const));
  tally.counting = false;
  tally.over = true;
  await crowd;
  for (const connection of connections) connection.close();

  const figures = latencies.map(([name, taken]) => {
    const [p50, p99, max] = [0.5, 0.99, 1].map((share) => quantile(taken, share)) as [number, number, number];
    return [name, { p50, p99, max, requests: taken.length }] as const;
  });
  return {
    seconds,
    passwords: tally.passwords,
    refused: tally.refused,
    probes: Object.fromEntries(figures) as Flood['probes'],
  };
}

async function prepareProbes(
  connect: () => Connection,
  person: Person,
): Promise<(readonly [Probe, () => Promise<void>])[]> {
  const { accessToken } = await signIn(new Browser(connect()), person, CLIENT.web);
  const connection = connect();
  const userinfo = async (): Promise<void> => {
    const { status } = await connection.send('GET', '/me', { authorization: `Bearer ${accessToken}` });
    if (status !== 200) throw new Error(`userinfo answered ${status}`);
  };
  return [
    ['discovery', await FLOWS.discovery(connect(), person)],
    ['token', await FLOWS.refresh(connect(), person)],
    ['userinfo', userinfo],
  ];
}

async function repeat(probe: () => Promise<void>, until: number): Promise<number[]> {
  const taken: number[] = [];
  while (performance.now() < until) {
    const from = performance.now();
    await probe();
    taken.push(performance.now() - from);
    await wait(THINKING);
  }
  return taken;
}

interface Tally {
  passwords: number;
  refused: number;
  counting: boolean;
  over: boolean;
}

/** One of the crowd: to the password page, a wrong one, the right one, and again. */
async function hammer(connection: Connection, person: Person, tally: Tally): Promise<void> {
  while (!tally.over) {
    const browser = new Browser(connection);
    let page = await browser.open(authorization(CLIENT.web));
    page = await browser.submit(page, { username: person.username });
    for (const password of [`${person.password}x`, person.password]) {
      if (tally.over) return;
      const answer = await browser.submit(page, { password });
      if (tally.counting) tally.passwords += 1;
      if (answer.status === 503) {
        if (tally.counting) tally.refused += 1;
        await wait(THINKING);
      } else if (answer.location === undefined) page = answer;
    }
  }
}
