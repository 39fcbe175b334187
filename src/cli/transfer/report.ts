import { type Comparison, isSame } from './compare.ts';

/** What was found of one collection, in lines for an operator: one when both sides are the same, else what differs. */
export function comparisonText(comparison: Comparison): string {
  const { collection, source, target, differences } = comparison;
  const line = (rows: number, sha256: string, more = ''): string =>
    `  ${collection.padEnd(12)} ${String(rows).padStart(10)} rows  sha256 ${sha256}${more}\n`;
  if (isSame(comparison)) return line(source.rows, source.sha256);
  const listed = Object.entries(differences)
    .filter(([, { rows }]) => rows > 0)
    .map(
      ([difference, { rows, keys }]) =>
        `    ${rows} ${difference}: ${keys.map(shownKey).join(', ')}${rows > keys.length ? ' …' : ''}\n`,
    );
  return [line(source.rows, source.sha256, '  source'), line(target.rows, target.sha256, '  target'), ...listed].join(
    '',
  );
}

/** Its parts are set apart by a character that no terminal shows. */
const shownKey = (key: string): string => JSON.stringify(key.replaceAll('\0', '/'));
