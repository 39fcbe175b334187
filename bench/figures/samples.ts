import type { FlowId } from '../client/flows.ts';
import { median, quantile } from '../report/statistics.ts';
import type { Started } from '../servers/server.ts';
import type { SubjectId } from '../servers/subject.ts';

/** A flow, or the password login without the CPU time of its hash. */
export type Measured = FlowId | 'login-beside-hash';

/** What one round found for one flow at one server. */
export interface FlowSample {
  flows: number;
  cpuMs: number;
  seconds: number;
  readonly latencies: number[];
}

/** What one round found at one server. */
export interface RoundSample {
  readonly started: Started;
  idleRss: number;
  loadedRss: number;
  readonly flows: Map<Measured, FlowSample>;
}

/** By server, one entry a round. */
export type Samples = Map<SubjectId, RoundSample[]>;

export interface FlowFigures {
  readonly cpuMs: number;
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
  readonly perSecond: number;
  readonly flows: number;
}

/** Medians over the rounds. */
export function flowFigures(rounds: readonly RoundSample[], flow: Measured): FlowFigures | undefined {
  const found = rounds.flatMap((round) => round.flows.get(flow) ?? []);
  if (found.length === 0) return undefined;
  const latency = (share: number) => median(found.map(({ latencies }) => quantile(latencies, share)));
  return {
    cpuMs: median(found.map(cpuOfOne)),
    p50: latency(0.5),
    p95: latency(0.95),
    p99: latency(0.99),
    perSecond: median(found.map(({ flows, seconds }) => flows / seconds)),
    flows: found.reduce((sum, { flows }) => sum + flows, 0),
  };
}

/** Median over the rounds of one server's figure against another's of the same round: what disturbs both cancels out. */
export function ratio(ours: readonly RoundSample[], theirs: readonly RoundSample[], of: (round: RoundSample) => number | undefined) {
  const ratios = ours.flatMap((round, index) => {
    const other = theirs[index];
    const a = of(round);
    const b = other && of(other);
    return a === undefined || !b ? [] : [a / b];
  });
  return ratios.length === 0 ? undefined : median(ratios);
}

export const cpuOf =
  (flow: Measured) =>
  (round: RoundSample): number | undefined => {
    const sample = round.flows.get(flow);
    return sample && cpuOfOne(sample);
  };

const cpuOfOne = ({ cpuMs, flows }: FlowSample): number => cpuMs / flows;
