import { randomInt } from 'node:crypto';
import { join } from 'node:path';
import { freePort } from '../../test/support/ports.ts';
import { Browser } from '../client/browser.ts';
import { type FlowKind, signIn } from '../client/flows.ts';
import { Load } from '../client/load.ts';
import { median } from '../report/statistics.ts';
import { Server } from '../servers/server.ts';
import { CLIENT, type World } from '../servers/subject.ts';
import { vestibuleSubject } from '../servers/vestibule.ts';

const CLIENTS = 8;
/** Code is compiled and caches are full after as many. */
const WARM_UP = 2000;
/** Memory is looked at this often: garbage makes each look a guess. */
const LOOKS = 40;

export interface Memory {
  readonly logins: number;
  /** RSS after the warm-up and at the end: medians of the first and the last quarter of the looks. */
  readonly firstBytes: number;
  readonly lastBytes: number;
  readonly most: number;
  /** Slope of a line through all looks. */
  readonly bytesPerLogin: number;
}

/** A node's memory while people sign in, each with a browser that was never here. */
export async function memoryOverLogins(
  world: World,
  { directory, preload, logins }: { directory: string; preload: string; logins: number },
): Promise<Memory> {
  const subject = await vestibuleSubject(world, {
    program: undefined,
    nodeOptions: [],
    directory: join(directory, 'memory'),
    port: await freePort(),
    operationsPort: await freePort(),
  });
  const { server } = await Server.start(subject, preload);
  // The hash is native memory that comes and goes; what could be kept is everything else.
  await server.memoiseHashes(true);
  const somebody: FlowKind = async (connection) => async () => {
    const person = world.people[randomInt(world.people.length)];
    if (person) await signIn(new Browser(connection), person, CLIENT.web);
  };
  const load = await Load.prepare(somebody, subject.port, world.people.slice(0, CLIENTS));
  await load.run({ seconds: Number.POSITIVE_INFINITY, flows: WARM_UP });
  const looks: number[] = [];
  for (let look = 0; look < LOOKS; look++) {
    await load.run({ seconds: Number.POSITIVE_INFINITY, flows: Math.ceil(logins / LOOKS) });
    looks.push((await server.usage()).rssBytes);
  }
  load.close();
  await server.stop();
  const quarter = LOOKS / 4;
  return {
    logins,
    firstBytes: median(looks.slice(0, quarter)),
    lastBytes: median(looks.slice(-quarter)),
    most: Math.max(...looks),
    bytesPerLogin: slope(looks) / (logins / LOOKS),
  };
}

/** Of the least-squares line through values at 0, 1, 2 … */
function slope(values: readonly number[]): number {
  const middle = (values.length - 1) / 2;
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const [above, below] = values.reduce(
    ([products, squares], value, at) => [products + (at - middle) * (value - mean), squares + (at - middle) ** 2],
    [0, 0],
  );
  return above / below;
}
