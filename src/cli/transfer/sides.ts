import type { Clock } from '../../kernel/clock.ts';
import type { TransferPort } from '../../storage/ports.ts';

/** Told how far it is, often. @param rows dealt with in this phase so far */
export type Report = (phase: 'copying' | 'comparing', collection: string, rows: number) => void;

/** One half on its way. */
export interface Sides {
  readonly source: TransferPort;
  readonly target: TransferPort;
  readonly clock: Clock;
  readonly report: Report;
}
