import { setTimeout as wait } from 'node:timers/promises';
import type { Ground } from './ground.ts';

export type Kind =
  | 'node killed'
  | 'both nodes killed'
  | 'node paused'
  | `${'Redis' | 'MongoDB'} ${'killed' | 'paused'}`;

/** How often each: the whole test, and what `npm test` has time for. */
export type Plan = Readonly<Record<Kind, number>>;

export const WHOLE: Plan = {
  'node killed': 45,
  'both nodes killed': 5,
  'node paused': 5,
  'Redis killed': 10,
  'Redis paused': 5,
  'MongoDB killed': 10,
  'MongoDB paused': 5,
};

export const SHORT: Plan = {
  'node killed': 2,
  'both nodes killed': 0,
  'node paused': 1,
  'Redis killed': 1,
  'Redis paused': 1,
  'MongoDB killed': 1,
  'MongoDB paused': 1,
};

/** How long something is away. */
const AWAY_MS = [200, 1500] as const;
/** How long it says nothing: shorter than an answer is waited for, or longer. */
const SILENT_MS = [500, 2500] as const;

/** Each kind as often as planned. */
export const kindsOf = (plan: Plan): Kind[] =>
  (Object.entries(plan) as [Kind, number][]).flatMap(([kind, times]) => Array<Kind>(times).fill(kind));

/** Resolves when the service has all it needs again; what it still waits for goes on meanwhile. */
type Disruption = (ground: Ground) => Promise<{ readonly rest: Promise<unknown> }>;

const over = async () => ({ rest: Promise.resolve() });

const storage = (server: 'redis' | 'mongodb', down: 'kill' | 'pause', up: 'restart' | 'resume'): Disruption => {
  const times = down === 'kill' ? AWAY_MS : SILENT_MS;
  return async ({ servers }) => {
    await servers.do(server, down);
    await someTime(times);
    await servers.do(server, up);
    return over();
  };
};

export const DISRUPTIONS: Readonly<Record<Kind, Disruption>> = {
  // The other one is there: nothing to wait for.
  'node killed': async ({ nodes }) => {
    const node = oneOf(nodes);
    await node.kill();
    const rest = someTime([0, 500]).then(() => node.restart());
    // Whoever waits for it hears of a failure; until then it is nobody's.
    rest.catch(() => undefined);
    return { rest };
  },
  'both nodes killed': async ({ nodes }) => {
    await Promise.all(nodes.map((node) => node.kill()));
    await Promise.all(nodes.map((node) => node.restart()));
    return over();
  },
  'node paused': async ({ nodes, servers }) => {
    const { pid } = oneOf(nodes);
    if (pid === undefined) throw new Error('the node has no process');
    await servers.signal(pid, 'pause');
    await someTime(SILENT_MS);
    await servers.signal(pid, 'resume');
    return over();
  },
  'Redis killed': storage('redis', 'kill', 'restart'),
  'Redis paused': storage('redis', 'pause', 'resume'),
  'MongoDB killed': storage('mongodb', 'kill', 'restart'),
  'MongoDB paused': storage('mongodb', 'pause', 'resume'),
};

const someTime = ([least, most]: readonly [number, number]): Promise<void> =>
  wait(least + Math.random() * (most - least));

function oneOf<Each>(all: readonly Each[]): Each {
  const chosen = all[Math.floor(Math.random() * all.length)];
  if (chosen === undefined) throw new Error('there is nothing to choose from');
  return chosen;
}
