import type { Outcome } from './storm.ts';

const median = (sorted: readonly number[]): number => sorted[Math.floor(sorted.length / 2)] ?? 0;

function table(heads: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  const all = [heads, ...rows].map((row) => row.map(String));
  const widths = heads.map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0)));
  return all
    .map((row) =>
      row
        .map((cell, column) => (column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0)))
        .join('  '),
    )
    .join('\n');
}

/** The figures of a run, for a terminal. */
export function report({ ledger, returns, proxy }: Outcome): string {
  const kinds = [...new Set(returns.map(({ kind }) => kind))].toSorted();
  const recovery = kinds.map((kind) => {
    const times = returns
      .filter((each) => each.kind === kind)
      .map(({ milliseconds }) => Math.round(milliseconds))
      .toSorted((one, other) => one - other);
    return [kind, times.length, median(times), times.at(-1) ?? 0];
  });
  const tallies = [...ledger.tallies]
    .toSorted(([one], [other]) => one.localeCompare(other))
    .map(([what, { acknowledged, unknown, compared }]) => [what, acknowledged, unknown, compared]);
  const { answers, refusals, lost } = proxy;
  return [
    table(['back after (ms)', 'times', 'median', 'worst'], recovery),
    table(['the clients’ ledger', 'acknowledged', 'unknown', 'compared'], tallies),
    `${answers} answers, ${refusals} of them 503 with Retry-After; ${lost} requests lost with their node`,
    ledger.faults.length === 0 ? 'Nothing was lost, nothing was granted twice.' : ledger.faults.join('\n'),
  ].join('\n\n');
}
