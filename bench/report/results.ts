import { availableParallelism } from 'node:os';
import {
  cpuRatio,
  flowFigures,
  type Measured,
  type RoundSample,
  roundRatio,
  type Samples,
} from '../figures/samples.ts';
import type { Options } from '../options.ts';
import type { Ratios, Results, ServerFigures } from './shape.ts';
import { median } from './statistics.ts';
import { judge } from './targets.ts';

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
  {
    loadBefore,
    ...extra
  }: Pick<
    Results,
    | 'hashCpuMs'
    | 'assertionCpuMs'
    | 'codeCpuMs'
    | 'outbox'
    | 'names'
    | 'storm'
    | 'external'
    | 'externalJwks'
    | 'sharedStorage'
    | 'flood'
    | 'firstPage'
  > & {
    readonly loadBefore: number;
  },
): Results {
  const ours = samples.get('vestibule') ?? [];
  const servers = Object.fromEntries([...samples].map(([id, rounds]) => [id, figuresOf(rounds)])) as Results['servers'];
  const others = [...samples].filter(([id]) => id !== 'vestibule');
  const ratios = Object.fromEntries(others.map(([id, rounds]) => [id, ratiosOf(ours, rounds)])) as Results['ratios'];
  const full = options.complete && !options.quick;
  const results: Omit<Results, 'targets'> = {
    date: new Date().toISOString().slice(0, 16),
    machine: {
      cores: availableParallelism(),
      node: process.version,
      platform: `${process.platform} ${process.arch}`,
      loadBefore,
    },
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
