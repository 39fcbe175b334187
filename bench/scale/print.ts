import { megabytes, number, table } from '../report/table.ts';
import type { AccountsCost } from './accounts.ts';
import type { FlowCount } from './flows.ts';
import type { Memory } from './memory.ts';
import type { Operations } from './operations.ts';
import type { Size } from './sizes.ts';

export interface ScaleResults {
  readonly operations: readonly Operations[] | undefined;
  readonly accounts: AccountsCost | undefined;
  readonly memory: Memory | undefined;
}

/** Operations of the protocol library's own adapter, counted with a bare server; the issue's limits. */
const LISTED: Readonly<Record<string, number>> = {
  'single sign-on: request → code': 4,
  'offline: code → tokens': 5,
  'offline: userinfo': 2,
  'offline: refresh': 3,
};
const MOST_FOR_MANY = 1.2;
/** What counts as flat: garbage alone makes a tenth. */
const MOST_GROWTH = 1.1;

const verdict = (reached: boolean): string => (reached ? 'reached' : 'NOT REACHED');

export function printScale({ operations, accounts, memory }: ScaleResults): string {
  return [...(operations ?? []).flatMap(counts), accounts && costs(accounts), memory && flatness(memory)]
    .filter(Boolean)
    .join('\n\n');
}

function counts({ engines, flows, grown, atRest, logins }: Operations): string[] {
  return [
    table([
      [`Operations of a flow, ${engines}`, 'protocol', 'others', 'all', 'waits', 'listed', ''],
      ...flows.map(flowRow),
    ]),
    ...flows.map(({ flow, operations: all }) => `${flow}: ${all.map(operationText).join(', ')}`),
    sizes(`What a login leaves, ${engines} (of ${logins})`, grown, logins),
    sizes(
      `At rest, ${engines}`,
      atRest.filter(({ records }) => records > 0),
      1,
    ),
  ];
}

const operationText = ({ half, store, verb, kind }: FlowCount['operations'][number]): string =>
  `${half[0]}.${store}.${verb}${kind === undefined ? '' : ` ${kind}`}`;

function flowRow({ flow, operations, waits }: FlowCount): string[] {
  const protocol = operations.filter(({ store }) => store === 'artifacts').length;
  const listed = LISTED[flow];
  const limit = listed === undefined ? '' : String(listed);
  const said = listed === undefined ? '' : verdict(protocol <= listed);
  return [flow, protocol, operations.length - protocol, operations.length, waits, limit, said].map(String);
}

function sizes(head: string, found: readonly Size[], per: number): string {
  return table([
    [head, 'records each', 'bytes a record', 'bytes each', 'lives, s'],
    ...found.map(({ where, what, records, bytes, lives }) => [
      `${where} ${what}`,
      number(records / per),
      number(bytes / records, 0),
      number(bytes / per, 0),
      lives === undefined ? '' : number(lives, 0),
    ]),
  ]);
}

function costs({ few, many, cpuMs, p50, ratio, seeding, bytes }: AccountsCost): string {
  return table([
    ['Login beside the hash, SQLite', `${few} accounts`, `${many} accounts`, '×', 'at most', ''],
    [
      'CPU of the server, ms',
      number(cpuMs.few),
      number(cpuMs.many),
      number(ratio.cpu),
      String(MOST_FOR_MANY),
      verdict(ratio.cpu <= MOST_FOR_MANY),
    ],
    ['time seen by 4 clients, p50, ms', number(p50.few, 1), number(p50.many, 1), number(ratio.time), '', ''],
    [
      `the larger file: ${megabytes(bytes)} MB, ${number(bytes / many, 0)} bytes an account (filled in ${number(seeding, 0)} s)`,
    ],
  ]);
}

function flatness({ logins, firstBytes, lastBytes, most, bytesPerLogin }: Memory): string {
  const growth = lastBytes / firstBytes;
  return table([
    [
      `Memory of a node over ${logins} logins`,
      'after warm-up, MB',
      'at the end, MB',
      'most, MB',
      '×',
      'bytes a login',
      '',
    ],
    [
      'RSS',
      megabytes(firstBytes),
      megabytes(lastBytes),
      megabytes(most),
      number(growth),
      number(bytesPerLogin, 0),
      verdict(growth <= MOST_GROWTH),
    ],
  ]);
}
