import { bothLegs, wholeLogin } from '../figures/external.ts';
import type { Subject, SubjectId } from '../servers/subject.ts';
import { FLOW_LABELS } from './results.ts';
import type { Results } from './shape.ts';
import { megabytes, number, table } from './table.ts';

type Flow = keyof typeof FLOW_LABELS;

/** Everything measured, for people. */
export function print(results: Results, subjects: readonly Subject[]): string {
  const { machine, rounds, clients, date } = results;
  const { cores, node, loadBefore } = machine;
  const head = `Vestibule bench · ${date} · ${cores} cores (load before: ${number(loadBefore, 1)}) · node ${node} · medians of ${rounds} rounds · ${clients} clients`;
  return [
    head,
    flows(results, subjects),
    latencies(results, subjects),
    starts(results, subjects),
    crowd(results),
    mails(results),
    kindsOfNames(results),
    storm(results),
    federated(results),
    keys(results),
    engines(results),
    page(results),
    verdicts(results),
  ]
    .filter(Boolean)
    .join('\n\n');
}

const labels = (subjects: readonly Subject[]): string[] => subjects.map(({ label }) => label);
const otherIds = (subjects: readonly Subject[]): SubjectId[] =>
  subjects.map(({ id }) => id).filter((id) => id !== 'vestibule');
const against = (subjects: readonly Subject[]): string[] => otherIds(subjects).map((id) => `× ${id}`);

function measured({ servers }: Results): Flow[] {
  return (Object.keys(FLOW_LABELS) as Flow[]).filter((flow) => servers.vestibule?.flows[flow]);
}

function flows(results: Results, subjects: readonly Subject[]): string {
  const found = measured(results);
  if (found.length === 0) return '';
  const row = (flow: Flow): string[] => [
    FLOW_LABELS[flow],
    ...subjects.map(({ id }) => number(results.servers[id]?.flows[flow]?.cpuMs)),
    ...otherIds(subjects).map((id) => number(results.ratios[id]?.flows[flow])),
  ];
  const hash = [
    `  the hash in it (alone: ${number(results.hashCpuMs, 1)})`,
    ...subjects.map(({ id }) => {
      const found = results.servers[id]?.flows;
      return number((found?.login?.cpuMs ?? Number.NaN) - (found?.['login-beside-hash']?.cpuMs ?? Number.NaN));
    }),
    ...otherIds(subjects).map(() => ''),
  ];
  return table([
    ['CPU of the server, ms a flow', ...labels(subjects), ...against(subjects)],
    ...found.flatMap((flow) => (flow === 'login' ? [row(flow), hash] : [row(flow)])),
  ]);
}

function latencies(results: Results, subjects: readonly Subject[]): string {
  const found = measured(results).filter((flow) => flow !== 'login-beside-hash');
  if (found.length === 0) return '';
  const cell = (flow: Flow, id: SubjectId): string => {
    const figures = results.servers[id]?.flows[flow];
    return figures ? [figures.p50, figures.p95, figures.p99].map((value) => number(value, 0)).join(' / ') : '–';
  };
  return table([
    ['Time of a flow, ms (p50 / p95 / p99)', ...labels(subjects)],
    ...found.map((flow) => [FLOW_LABELS[flow], ...subjects.map(({ id }) => cell(flow, id))]),
  ]);
}

function starts({ servers, ratios }: Results, subjects: readonly Subject[]): string {
  const of = (
    what: string,
    cell: (id: SubjectId) => string,
    compared: (id: SubjectId) => number | undefined,
  ): string[] => [what, ...subjects.map(({ id }) => cell(id)), ...otherIds(subjects).map((id) => number(compared(id)))];
  return table([
    ['Start and memory', ...labels(subjects), ...against(subjects)],
    of(
      'start → first 200, ms',
      (id) => number(servers[id]?.startMs, 0),
      (id) => ratios[id]?.start,
    ),
    of(
      'CPU until then, ms',
      (id) => number(servers[id]?.startCpuMs, 0),
      (id) => ratios[id]?.startCpu,
    ),
    of(
      'memory idle, MB',
      (id) => megabytes(servers[id]?.idleRssBytes),
      (id) => ratios[id]?.idleRss,
    ),
    of(
      'memory after load, MB',
      (id) => megabytes(servers[id]?.loadedRssBytes),
      (id) => ratios[id]?.loadedRss,
    ),
  ]);
}

function crowd({ flood }: Results): string {
  if (!flood) return '';
  const rate = number(flood.passwords / flood.seconds, 0);
  return table([
    [
      `While 32 clients hammer passwords (${rate} a second, ${flood.refused} refused), ms`,
      'p50',
      'p99',
      'max',
      'requests',
    ],
    ...Object.entries(flood.probes).map(([probe, { p50, p99, max, requests }]) => [
      probe,
      number(p50, 1),
      number(p99, 1),
      number(max, 1),
      String(requests),
    ]),
  ]);
}

function mails({ outbox }: Results): string {
  if (!outbox) return '';
  return table([
    ['Outbox to a local SMTP server, killed once', 'mails', 'a second', 'sent twice'],
    ['notices', String(outbox.mails), number(outbox.perSecond, 0), String(outbox.duplicates)],
  ]);
}

function kindsOfNames({ names }: Results): string {
  if (!names) return '';
  const kinds = Object.keys(Object.values(names.medians)[0] ?? {});
  return table([
    [`Time of an answer by the kind of name, ms (medians of ${names.requests})`, ...kinds],
    ...Object.entries(names.medians).map(([what, of]) => [what, ...kinds.map((kind) => number(of[kind]))]),
  ]);
}

function storm({ storm: found }: Results): string {
  if (!found) return '';
  const { quiet, stormy, asked, refused, logins } = found;
  return table([
    [`Time of a sign-in, ms (${logins}), while one address asks for ${asked} mails (${refused} refused)`, 'p50', 'p99'],
    ['quiet', number(quiet.p50, 1), number(quiet.p99, 1)],
    ['in the storm', number(stormy.p50, 1), number(stormy.p99, 1)],
  ]);
}

function federated({ external }: Results): string {
  if (!external) return '';
  const { page: first, leave, return: back, tokens } = external.cpuMs;
  return table([
    [`Login by external identity (${external.logins}), CPU of the server, ms`, ''],
    ['authorization request → first page', number(first)],
    ['button → redirect to the provider', number(leave)],
    ['its answer → the portal’s code', number(back)],
    ['both legs', number(bothLegs(external))],
    ['code → tokens', number(tokens)],
    ['all of it', number(wholeLogin(external))],
  ]);
}

function keys({ externalJwks }: Results): string {
  if (!externalJwks) return '';
  const { perSecond, requests, p50, p99, max, lateP99 } = externalJwks;
  return table([
    [
      `Our keys for providers, fetched ${perSecond} times a second, ms`,
      'p50',
      'p99',
      'max',
      'requests',
      'sent late, p99',
    ],
    ['/external/jwks', number(p50, 1), number(p99, 1), number(max, 1), String(requests), number(lateP99, 1)],
  ]);
}

function engines({ sharedStorage }: Results): string {
  if (!sharedStorage) return '';
  const { servers, ratios } = sharedStorage;
  const compared = [undefined, ratios.redis, ratios.mongodb];
  return table([
    ['Single sign-on by storage engine', 'CPU of the node, ms', '× SQLite alone', 'p50, ms', 'p99, ms'],
    ...Object.entries(servers).map(([label, { cpuMs, p50, p99 }], at) => [
      label,
      number(cpuMs),
      compared[at] === undefined ? '' : number(compared[at]),
      number(p50, 1),
      number(p99, 1),
    ]),
  ]);
}

function page({ firstPage }: Results): string {
  if (!firstPage) return '';
  const parts = [...firstPage.parts, { what: 'all', bytes: firstPage.bytes }];
  return table([
    ['First page over the wire (brotli, headers included)', 'bytes'],
    ...parts.map(({ what, bytes }) => [what, String(bytes)]),
  ]);
}

function verdicts({ targets }: Results): string {
  if (targets.length === 0) return '';
  return table([
    ['Targets', 'measured', 'at most', ''],
    ...targets.map(({ figure, value, limit, unit, reached }) => [
      figure,
      number(value),
      `${limit} ${unit}`,
      reached ? 'reached' : 'NOT REACHED',
    ]),
  ]);
}
