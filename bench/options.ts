import { parseArgs } from 'node:util';
import type { Measured } from './figures/samples.ts';

const FIGURES = [
  'sso',
  'login',
  'refresh',
  'client-credentials',
  'discovery',
  'start',
  'flood',
  'page',
  'passkey',
  'totp',
  'outbox',
  'names',
  'storm',
  'external',
  'external-jwks',
  'redis',
] as const;
export type Figure = (typeof FIGURES)[number];

/** Only when asked for by name: they take minutes, and are about sizes and not about speed. */
const SCALE_FIGURES = ['scale', 'accounts', 'memory'] as const;
export type ScaleFigure = (typeof SCALE_FIGURES)[number];

export const USAGE = `Usage: npm run bench [-- <options>]

  --quick             one short round: an impression in a minute
  --only <figures>    some of: ${FIGURES.join(', ')};
                      or what decides the size of an installation: ${SCALE_FIGURES.join(', ')}
  --logins <n>        of the figure memory (default 10000)
  --rounds <n>        rounds (default 3); figures are their medians
  --full              also a bare server with synchronous=FULL
  --program <file>    Vestibule's command line (default src/cli/bin.js)
  --server-options=<options>  for node, given to Vestibule: "--cpu-prof --cpu-prof-dir=/tmp/profile"
  --help

The results stand in bench/results/latest.json; those of a quick or partial run in partial.json.`;

/** Load of one round on one server; the servers take turns after each slice. */
export interface Times {
  /** Until the code is compiled: the CPU time of a flow halves within its first thousand. */
  readonly warmUp?: { readonly flows: number; readonly seconds: number };
  /** Seconds. */
  readonly slice: number;
  readonly slices: number;
}

export interface Options {
  readonly figures: ReadonlySet<Figure>;
  /** Whether that is all of them. */
  readonly complete: boolean;
  readonly quick: boolean;
  readonly rounds: number;
  readonly full: boolean;
  readonly program: string | undefined;
  readonly serverOptions: readonly string[];
  /** Concurrent clients. */
  readonly clients: number;
  readonly times: Readonly<Record<Measured, Times>>;
  readonly floodSeconds: number;
  /** Through the outbox. */
  readonly mails: number;
  /** Of each kind, whose answers are timed. */
  readonly names: number;
  /** Sign-ins in the quiet, and in the storm. */
  readonly stormLogins: number;
  /** By eID. */
  readonly externalLogins: { readonly warmUp: number; readonly logins: number };
  /** Of our keys for providers being fetched. */
  readonly keysSeconds: number;
  readonly scale: {
    readonly figures: ReadonlySet<ScaleFigure>;
    /** How many accounts are compared, in how many slices of a second each. */
    readonly accounts: { readonly few: number; readonly many: number; readonly slices: number };
    readonly logins: number;
  };
}

const TIMES: Options['times'] = {
  sso: { warmUp: { flows: 1000, seconds: 6 }, slice: 0.4, slices: 5 },
  'login-beside-hash': { warmUp: { flows: 800, seconds: 8 }, slice: 0.4, slices: 5 },
  login: { slice: 1.2, slices: 2 },
  refresh: { warmUp: { flows: 400, seconds: 1 }, slice: 0.3, slices: 3 },
  'client-credentials': { warmUp: { flows: 400, seconds: 0.5 }, slice: 0.3, slices: 3 },
  discovery: { warmUp: { flows: 500, seconds: 0.5 }, slice: 0.2, slices: 3 },
};

/** Not all code is compiled then, which is to our disadvantage: we have more of it. */
const QUICK: Options['times'] = {
  sso: { warmUp: { flows: 300, seconds: 2 }, slice: 0.3, slices: 4 },
  'login-beside-hash': { warmUp: { flows: 200, seconds: 2 }, slice: 0.3, slices: 4 },
  login: { slice: 1, slices: 1 },
  refresh: { slice: 0.2, slices: 2 },
  'client-credentials': { slice: 0.2, slices: 2 },
  discovery: { slice: 0.1, slices: 2 },
};

/** @returns undefined when only help was asked for @throws TypeError on a wrong option */
export function readOptions(args: readonly string[]): Options | undefined {
  const { values } = parseArgs({
    args: [...args],
    options: {
      quick: { type: 'boolean', default: false },
      only: { type: 'string' },
      rounds: { type: 'string' },
      logins: { type: 'string' },
      full: { type: 'boolean', default: false },
      program: { type: 'string' },
      'server-options': { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return undefined;
  const { quick } = values;
  const named = values.only?.split(',').map((name) => name.trim()) ?? [...FIGURES];
  const scale = SCALE_FIGURES.filter((name) => named.includes(name));
  const figures = named.filter((name) => !scale.some((one) => one === name)).map(figure);
  const rounds = Number(values.rounds ?? (quick ? 1 : 3));
  if (!Number.isInteger(rounds) || rounds < 1 || rounds > 50) throw new TypeError('--rounds is a number from 1 to 50');
  const logins = Number(values.logins ?? (quick ? 2000 : 10_000));
  if (!Number.isInteger(logins) || logins < 400 || logins > 1_000_000)
    throw new TypeError('--logins is a number from 400 to 1000000');
  return {
    figures: new Set(figures),
    complete: values.only === undefined,
    quick,
    rounds,
    full: values.full,
    program: values.program,
    serverOptions: values['server-options']?.split(' ').filter(Boolean) ?? [],
    clients: 8,
    times: quick ? QUICK : TIMES,
    floodSeconds: quick ? 4 : 10,
    mails: quick ? 1000 : 10_000,
    names: quick ? 10 : 50,
    stormLogins: quick ? 50 : 300,
    externalLogins: quick ? { warmUp: 160, logins: 160 } : { warmUp: 600, logins: 600 },
    keysSeconds: quick ? 4 : 10,
    scale: {
      figures: new Set(scale),
      accounts: { few: 1000, many: quick ? 100_000 : 1_000_000, slices: quick ? 4 : 12 },
      logins,
    },
  };
}

function figure(name: string): Figure {
  const known = FIGURES.find((one) => one === name);
  if (!known) throw new TypeError(`--only ${name}: there is ${[...FIGURES, ...SCALE_FIGURES].join(', ')}`);
  return known;
}
