import type { CounterReading } from '../ports.ts';
import { STAMP_WIDTH, stamp } from './lifetime.ts';

/** A counter as one string: until, then the count, as `increment` of `scripts.ts` writes and reads it. */
export const recordOf = ({ count, resetsAt }: CounterReading): string => `${stamp(resetsAt)}${count}`;

/** Whatever its time. */
export const counterOf = (record: string): CounterReading => ({
  count: Number(record.slice(STAMP_WIDTH)),
  resetsAt: Number(record.slice(0, STAMP_WIDTH)),
});
