import { bothLegs } from '../figures/external.ts';
import { spread } from '../figures/names.ts';
import type { Results, Verdict } from './shape.ts';

type Facts = Omit<Results, 'targets'>;

interface Target {
  readonly figure: string;
  readonly limit: number;
  readonly unit: string;
  readonly value: (facts: Facts) => number | undefined;
}

/** "Figures to reach" of the issue. */
const TARGETS: readonly Target[] = [
  {
    figure: 'single sign-on, CPU',
    limit: 1.3,
    unit: '× bare in memory',
    value: ({ ratios }) => ratios.memory?.flows.sso,
  },
  {
    figure: 'password login beside the hash, CPU',
    limit: 7,
    unit: 'ms',
    value: ({ servers }) => servers.vestibule?.flows['login-beside-hash']?.cpuMs,
  },
  {
    figure: 'password login beside the hash, CPU',
    limit: 1.15,
    unit: '× bare on SQLite',
    value: ({ ratios }) => ratios.sqlite?.flows['login-beside-hash'],
  },
  { figure: 'start → first 200', limit: 1.5, unit: '× bare in memory', value: ({ ratios }) => ratios.memory?.start },
  { figure: 'idle memory (RSS)', limit: 1.4, unit: '× bare in memory', value: ({ ratios }) => ratios.memory?.idleRss },
  ...(['discovery', 'token', 'userinfo'] as const).map(
    (probe): Target => ({
      figure: `${probe}, p99 while 32 clients hammer passwords`,
      limit: 50,
      unit: 'ms',
      value: ({ flood }) => flood?.probes[probe].p99,
    }),
  ),
  { figure: 'assertion of a passkey, CPU', limit: 1, unit: 'ms', value: ({ assertionCpuMs }) => assertionCpuMs },
  { figure: 'six-digit code beside the storage, CPU', limit: 1, unit: 'ms', value: ({ codeCpuMs }) => codeCpuMs },
  {
    figure: 'a mail from the outbox to a local server',
    limit: 20,
    unit: 'ms',
    value: ({ outbox }) => outbox && 1000 / outbox.perSecond,
  },
  {
    figure: 'mails sent twice, their sender killed once',
    limit: 1,
    unit: '',
    value: ({ outbox }) => outbox?.duplicates,
  },
  {
    figure: 'known, unknown, suspended, invited name: slowest median above the fastest',
    limit: 5,
    unit: '%',
    value: ({ names }) => names && spread(names) * 100,
  },
  {
    figure: 'sign-in of others in a storm of recovery requests, p99',
    limit: 2,
    unit: '× quiet',
    value: ({ storm }) => storm && storm.stormy.p99 / storm.quiet.p99,
  },
  {
    figure: 'federated login, both legs without the provider, CPU',
    limit: 12,
    unit: 'ms',
    value: ({ external }) => external && bothLegs(external),
  },
  {
    figure: 'our keys for providers at 200 requests a second, p99',
    limit: 10,
    unit: 'ms',
    value: ({ externalJwks }) => externalJwks?.p99,
  },
  {
    figure: 'single sign-on with Redis, CPU',
    limit: 1.6,
    unit: '× SQLite alone',
    value: ({ sharedStorage }) => sharedStorage?.ratios.redis,
  },
  {
    figure: 'script of a page with passkeys, compressed',
    limit: 20,
    unit: 'KB',
    value: ({ firstPage }) => firstPage && firstPage.scriptBytes / 1000,
  },
  {
    figure: 'first page with all it loads',
    limit: 30,
    unit: 'KB',
    value: ({ firstPage }) => firstPage && firstPage.bytes / 1000,
  },
];

/** Targets whose figure was measured. */
export function judge(facts: Facts): Verdict[] {
  return TARGETS.flatMap(({ figure, limit, unit, value: of }) => {
    const value = of(facts);
    return value === undefined ? [] : [{ figure, value, limit, unit, reached: value <= limit }];
  });
}
