import { availableParallelism } from 'node:os';
import type { Flood } from '../figures/flood.ts';
import type { Weight } from '../figures/page.ts';
import {
  cpuRatio,
  type FlowFigures,
  flowFigures,
  type Measured,
  type RoundSample,
  roundRatio,
  type Samples,
} from '../figures/samples.ts';
import type { Options } from '../options.ts';
import type { SubjectId } from '../servers/subject.ts';
import { median } from './statistics.ts';
import { judge, type Verdict } from './targets.ts';

export interface ServerFigures {
  readonly flows: Readonly<Partial<Record<Measured, FlowFigures>>>;
  /** Start → first 200 of discovery, and the CPU time until then. */
  readonly startMs: number;
  readonly startCpuMs: number;
  readonly idleRssBytes: number;
  /** After a round's load. */
  readonly loadedRssBytes: number | undefined;
}

/** Vestibule against another server: medians of what was measured one after the other. */
export interface Ratios {
  readonly flows: Readonly<Partial<Record<Measured, number>>>;
  readonly start: number | undefined;
  readonly startCpu: number | undefined;
  readonly idleRss: number | undefined;
  readonly loadedRss: number | undefined;
}

export interface Results {
  readonly date: string;
  readonly machine: { readonly cores: number; readonly node: string; readonly platform: string };
  readonly mode: 'full' | 'quick' | 'partial';
  readonly rounds: number;
  readonly clients: number;
  /** CPU milliseconds of one password hash, alone. */
  readonly hashCpuMs: number;
  readonly servers: Readonly<Partial<Record<SubjectId, ServerFigures>>>;
  readonly ratios: Readonly<Partial<Record<SubjectId, Ratios>>>;
  readonly flood: Flood | undefined;
  readonly firstPage: Weight | undefined;
  readonly targets: readonly Verdict[];
}

export const FLOW_LABELS: Readonly<Record<Measured, string>> = {
  sso: 'single sign-on',
  'login-beside-hash': 'password login beside the hash',
  login: 'password login',
  refresh: 'refresh',
  'client-credentials': 'client credentials',
  discovery: 'discovery',
};
const MEASURED = Object.keys(FLOW_LABELS) as Measured[];

export function summarise(
  samples: Samples,
  options: Options,
  extra: Pick<Results, 'hashCpuMs' | 'flood' | 'firstPage'>,
): Results {
  const ours = samples.get('vestibule') ?? [];
  const servers = Object.fromEntries([...samples].map(([id, rounds]) => [id, figuresOf(rounds)])) as Results['servers'];
  const others = [...samples].filter(([id]) => id !== 'vestibule');
  const ratios = Object.fromEntries(others.map(([id, rounds]) => [id, ratiosOf(ours, rounds)])) as Results['ratios'];
  const full = options.complete && !options.quick;
  const results: Omit<Results, 'targets'> = {
    date: new Date().toISOString().slice(0, 16),
    machine: { cores: availableParallelism(), node: process.version, platform: `${process.platform} ${process.arch}` },
    mode: full ? 'full' : options.complete ? 'quick' : 'partial',
    rounds: options.rounds,
    clients: options.clients,
    servers,
    ratios,
    ...extra,
  };
  return { ...results, targets: judge(results) };
}

function figuresOf(rounds: readonly RoundSample[]): ServerFigures {
  const loaded = rounds.filter(isLoaded).map(({ loadedRss }) => loadedRss);
  return {
    flows: byFlow((flow) => flowFigures(rounds, flow)),
    startMs: median(rounds.map(({ started }) => started.startMs)),
    startCpuMs: median(rounds.map(({ started }) => started.startCpuMs)),
    idleRssBytes: median(rounds.map(({ idleRss }) => idleRss)),
    loadedRssBytes: loaded.length > 0 ? median(loaded) : undefined,
  };
}

function ratiosOf(ours: readonly RoundSample[], theirs: readonly RoundSample[]): Ratios {
  const of = (value: (round: RoundSample) => number) => roundRatio(ours, theirs, value);
  return {
    flows: byFlow((flow) => cpuRatio(ours, theirs, flow)),
    start: of(({ started }) => started.startMs),
    startCpu: of(({ started }) => started.startCpuMs),
    idleRss: of(({ idleRss }) => idleRss),
    loadedRss: ours.some(isLoaded) ? of(({ loadedRss }) => loadedRss) : undefined,
  };
}

const isLoaded = ({ flows }: RoundSample): boolean => flows.size > 0;

const byFlow = <T>(of: (flow: Measured) => T | undefined): Partial<Record<Measured, T>> =>
  Object.fromEntries(
    MEASURED.flatMap((flow) => {
      const value = of(flow);
      return value === undefined ? [] : [[flow, value]];
    }),
  ) as Partial<Record<Measured, T>>;
