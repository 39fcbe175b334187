/** A lock as one string, three numbers with spaces between them; `takeTry` and others of `scripts.ts` know it. */
export interface LockRecord {
  readonly count: number;
  readonly lockedUntil: number;
  /** When its tries are forgotten. */
  readonly expiresAt: number;
}

export const recordOf = ({ count, lockedUntil, expiresAt }: LockRecord): string =>
  `${count} ${lockedUntil} ${expiresAt}`;

/** Whatever its times. */
export function lockOf(record: string): LockRecord {
  const [count = 0, lockedUntil = 0, expiresAt = 0] = record.split(' ').map(Number);
  return { count, lockedUntil, expiresAt };
}
