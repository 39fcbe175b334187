import { setTimeout as wait } from 'node:timers/promises';
import { FLOWS, type FlowId } from '../client/flows.ts';
import { Load } from '../client/load.ts';
import type { Options, Times } from '../options.ts';
import { Server } from '../servers/server.ts';
import type { Subject, World } from '../servers/subject.ts';
import type { Measured, RoundSample, Samples } from './samples.ts';

/** Milliseconds after the start until memory counts as idle. */
const SETTLED_AFTER = 1000;
interface Contestant {
  readonly subject: Subject;
  readonly server: Server;
  readonly sample: RoundSample;
}

/**
 * Rounds: all servers are started anew, then take turns at each flow, in another order each
 * round. A busy moment of the machine meets all of them, and none is warmer or fuller than another
 * (the memory adapter's bookkeeping grows with use).
 */
export async function runRounds(
  subjects: readonly Subject[],
  {
    world,
    options,
    preload,
    progress,
  }: { world: World; options: Options; preload: string; progress(text: string): void },
): Promise<Samples> {
  const samples: Samples = new Map(subjects.map(({ id }) => [id, []]));
  const flows = (Object.keys(FLOWS) as FlowId[]).filter((flow) => options.figures.has(flow));
  for (let round = 0; round < options.rounds; round++) {
    progress(`round ${round + 1} of ${options.rounds}`);
    const contestants = await startAll(rotated(subjects, round), preload);
    const people = world.people.slice(0, options.clients);
    for (const flow of flows) await compare(contestants, flow, { people, options });
    for (const { subject, server, sample } of contestants) {
      sample.loadedRss = (await server.usage()).rssBytes;
      await server.stop();
      samples.get(subject.id)?.push(sample);
    }
  }
  return samples;
}

async function startAll(subjects: readonly Subject[], preload: string): Promise<Contestant[]> {
  const contestants: Contestant[] = [];
  for (const subject of subjects) {
    const { server, started } = await Server.start(subject, preload);
    contestants.push({ subject, server, sample: { started, idleRss: 0, loadedRss: 0, flows: new Map() } });
  }
  await wait(SETTLED_AFTER);
  for (const { server, sample } of contestants) sample.idleRss = (await server.usage()).rssBytes;
  return contestants;
}

interface Conditions {
  readonly people: World['people'];
  readonly options: Options;
}

async function compare(
  contestants: readonly Contestant[],
  flow: FlowId,
  { people, options }: Conditions,
): Promise<void> {
  const { times } = options;
  // Preparing signs in, too; its hashes would take most of the time.
  for (const { server } of contestants) await server.memoiseHashes(true);
  const loads: Load[] = [];
  for (const { subject } of contestants) loads.push(await Load.prepare(FLOWS[flow], subject.port, people));
  if (flow === 'login') {
    // The hash costs ten times all the rest, and its cost wavers by more than the differences sought.
    await takeTurns(contestants, loads, 'login-beside-hash', times['login-beside-hash']);
    for (const { server } of contestants) await server.memoiseHashes(false);
  }
  await takeTurns(contestants, loads, flow, times[flow]);
  for (const load of loads) load.close();
}

async function takeTurns(
  contestants: readonly Contestant[],
  loads: readonly Load[],
  measured: Measured,
  { warmUp, slice, slices }: Times,
): Promise<void> {
  if (warmUp) for (const load of loads) await load.run(warmUp);
  for (let turn = 0; turn < slices; turn++) {
    for (const [index, { server, sample }] of contestants.entries()) {
      const load = loads[index];
      if (!load) continue;
      const before = await server.usage();
      const from = performance.now();
      const latencies = await load.run({ seconds: slice });
      const seconds = (performance.now() - from) / 1000;
      const cpuMs = (await server.usage()).cpuMs - before.cpuMs;
      sample.flows.set(measured, [...(sample.flows.get(measured) ?? []), { cpuMs, seconds, latencies }]);
    }
  }
}

const rotated = <T>(list: readonly T[], by: number): T[] =>
  list.map((_, index) => list[(index + by) % list.length] as T);
