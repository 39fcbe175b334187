import { CITIZENS } from '../../examples/eid/citizens.ts';
import { Visitor } from '../../test/support/visitor.ts';
import { Browser } from '../client/browser.ts';
import { authorization, codeIn, exchange } from '../client/flows.ts';
import { Connection } from '../client/http.ts';
import { median } from '../report/statistics.ts';
import { EID } from '../servers/eid.ts';
import type { Server } from '../servers/server.ts';
import { CLIENT, type World } from '../servers/subject.ts';

/** Logins that are on their way together: no more than the eID's code, which is good for 30 s, allows. */
const BATCH = 40;
const CLIENTS = 8;
const LEVEL = 'substantial';

/** What a login by eID makes the server do, in the order in which a browser and a portal ask for it. */
const STAGES = ['page', 'leave', 'return', 'tokens'] as const;
type Stage = (typeof STAGES)[number];

export interface External {
  readonly logins: number;
  /** CPU milliseconds of the server's process in each stage of a login. */
  readonly cpuMs: Readonly<Record<Stage, number>>;
}

/** Ours: from the button to the redirect to the provider, and from its answer to the portal's code. */
export const bothLegs = ({ cpuMs }: External): number => cpuMs.leave + cpuMs.return;
export const wholeLogin = ({ cpuMs }: External): number => STAGES.reduce((sum, stage) => sum + cpuMs[stage], 0);

export interface FederatedServer {
  readonly server: Server;
  readonly port: number;
  readonly eidPort: number;
}

/**
 * What a login of somebody linked costs the server's process, stage by stage: of forty browsers that were never here each
 * stage is measured for all of them, so that none of it is the eID's time, or a guess.
 */
export async function externalLogins(
  at: FederatedServer,
  world: World,
  { warmUp, logins }: { readonly warmUp: number; readonly logins: number },
): Promise<External> {
  await linkEverybody(at, world);
  for (let done = 0; done < warmUp; done += BATCH) await batch(at);
  const costs: Record<Stage, number>[] = [];
  for (let done = 0; done < logins; done += BATCH) costs.push(await batch(at));
  const cpuMs = Object.fromEntries(STAGES.map((stage) => [stage, median(costs.map((cost) => cost[stage]))]));
  return { logins: costs.length * BATCH, cpuMs: cpuMs as Record<Stage, number> };
}

/** Once, as people do: by proving the account that they have. */
async function linkEverybody({ port, eidPort }: FederatedServer, { people }: World): Promise<void> {
  for (const [index, citizen] of CITIZENS.entries()) {
    const person = people[index];
    if (!person) throw new Error('there are fewer people than citizens');
    const visitor = new Visitor({ issuer: `http://localhost:${port}` });
    await visitor.visit(authorization(CLIENT.web));
    await visitor.choose(`external:${EID}`);
    const eid = new Visitor({ issuer: `http://localhost:${eidPort}` });
    const { url } = await eid.visit(visitor.left);
    await eid.visit(`${url.pathname}/${citizen.id}`);
    await eid.post(`${url.pathname}/${citizen.id}`, { level: LEVEL });
    await visitor.visit(eid.left);
    await visitor.submit();
    await visitor.submit({ username: person.username });
    await visitor.submit({ password: person.password });
    if (!visitor.left.searchParams.has('code')) throw new Error(`${citizen.id} was not linked`);
  }
}

/** @returns CPU milliseconds a login */
async function batch({ server, port, eidPort }: FederatedServer): Promise<Record<Stage, number>> {
  const [ours, theirs] = [port, eidPort].map((one) => Array.from({ length: CLIENTS }, () => new Connection(one)));
  const travellers = Array.from({ length: BATCH }, (_, n) => {
    const [here, there] = [ours?.[n % CLIENTS], theirs?.[n % CLIENTS]];
    if (!here || !there) throw new Error('there are fewer connections than clients');
    return new Traveller(here, there, CITIZENS[n % CITIZENS.length]?.id ?? '');
  });
  const cost = {} as Record<Stage, number>;
  const all = async (step: (traveller: Traveller) => Promise<void>): Promise<void> => {
    // One after the other on each connection, as many connections at once as elsewhere in the bench.
    const lane = async (first: number): Promise<void> => {
      for (let n = first; n < BATCH; n += CLIENTS) await step(travellers[n] as Traveller);
    };
    await Promise.all(Array.from({ length: CLIENTS }, (_, first) => lane(first)));
  };
  for (const stage of STAGES) {
    const before = await server.usage();
    await all((traveller) => traveller[stage]());
    cost[stage] = ((await server.usage()).cpuMs - before.cpuMs) / BATCH;
    if (stage === 'leave') await all((traveller) => traveller.confirm());
  }
  for (const connection of [...(ours ?? []), ...(theirs ?? [])]) connection.close();
  return cost;
}

/** Somebody linked, in a browser that was never here. */
class Traveller {
  readonly #here: Browser;
  readonly #there: Browser;
  readonly #citizen: string;
  #page: Awaited<ReturnType<Browser['open']>> | undefined;

  constructor(here: Connection, there: Connection, citizen: string) {
    this.#here = new Browser(here);
    this.#there = new Browser(there);
    this.#citizen = citizen;
  }

  /** The authorization request, to the first page. */
  async page(): Promise<void> {
    this.#page = await this.#here.open(authorization(CLIENT.web));
  }

  /** The button, to the redirect that leaves. */
  async leave(): Promise<void> {
    this.#page = await this.#here.press(this.#shown, `external:${EID}`);
  }

  /** At the eID, which is nobody's figure. */
  async confirm(): Promise<void> {
    const chooser = await this.#there.open(this.#target);
    const page = await this.#there.open(`${chooser.path}/${this.#citizen}`);
    this.#page = await this.#there.submit(page, { level: LEVEL });
  }

  /** The eID's answer, to the redirect with the portal's code. */
  async return(): Promise<void> {
    this.#page = await this.#here.open(this.#target);
    codeIn(this.#shown.location, this.#shown.body);
  }

  /** What the portal asks for then. */
  async tokens(): Promise<void> {
    await exchange(this.#here.connection, CLIENT.web, codeIn(this.#shown.location, this.#shown.body));
  }

  get #shown() {
    if (!this.#page) throw new Error('no page was opened');
    return this.#page;
  }

  /** Path of the other server to which the last answer leads. */
  get #target(): string {
    const { location, body } = this.#shown;
    if (location === undefined) throw new Error(`not sent on:\n${body.slice(0, 2000)}`);
    const { pathname, search } = new URL(location);
    return pathname + search;
  }
}
