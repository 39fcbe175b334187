import type { FlowId } from '../client/flows.ts';
import { median, quantile } from '../report/statistics.ts';
import type { Started } from '../servers/server.ts';
import type { SubjectId } from '../servers/subject.ts';

/** A flow, or the password login without the CPU time of its hash. */
export type Measured = FlowId | 'login-beside-hash';

/** What one server did with one flow while it was its turn. */
export interface Slice {
  readonly cpuMs: number;
  readonly seconds: number;
  /** Milliseconds each flow took. */
  readonly latencies: readonly number[];
}

/** What one round found at one server. */
export interface RoundSample {
  readonly started: Started;
  idleRss: number;
  loadedRss: number;
  readonly flows: Map<Measured, Slice[]>;
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

/** CPU and rate: medians of the slices. Latencies: medians of the rounds, which have enough of them for a p99. */
export function flowFigures(rounds: readonly RoundSample[], flow: Measured): FlowFigures | undefined {
  const slices = slicesOf(rounds, flow);
  if (slices.length === 0) return undefined;
  const latencies = rounds.map((round) => slicesOf([round], flow).flatMap((slice) => slice.latencies));
  const latency = (share: number) => median(latencies.map((round) => quantile(round, share)));
  return {
    cpuMs: median(slices.map(cpuOf)),
    p50: latency(0.5),
    p95: latency(0.95),
    p99: latency(0.99),
    perSecond: median(slices.map(({ latencies: { length }, seconds }) => length / seconds)),
    flows: latencies.flat().length,
  };
}

/**
 * One server's CPU against another's, slice by slice, and the median of that: what disturbs the
 * machine disturbs slices that follow each other alike, and cancels out.
 */
export function cpuRatio(
  ours: readonly RoundSample[],
  theirs: readonly RoundSample[],
  flow: Measured,
): number | undefined {
  return ratio(slicesOf(ours, flow).map(cpuOf), slicesOf(theirs, flow).map(cpuOf));
}

/** The same for what is measured once a round. */
export const roundRatio = (
  ours: readonly RoundSample[],
  theirs: readonly RoundSample[],
  of: (round: RoundSample) => number,
): number | undefined => ratio(ours.map(of), theirs.map(of));

function ratio(ours: readonly number[], theirs: readonly number[]): number | undefined {
  const ratios = ours.flatMap((value, index) => {
    const other = theirs[index];
    return other ? [value / other] : [];
  });
  return ratios.length === 0 ? undefined : median(ratios);
}

const slicesOf = (rounds: readonly RoundSample[], flow: Measured): Slice[] =>
  rounds.flatMap((round) => round.flows.get(flow) ?? []);

const cpuOf = ({ cpuMs, latencies }: Slice): number => cpuMs / latencies.length;
