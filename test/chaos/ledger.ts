/** What was asked for and how it was answered, for the figures at the end: all zero would prove nothing. */
export interface Tally {
  acknowledged: number;
  /** "Not now", or no answer: done or not. */
  unknown: number;
  /** Compared with the service after a server's return, and once more at the end. */
  compared: number;
}

/** The clients' own account of what they were told, and of every time the service said something else later. */
export class Ledger {
  readonly tallies = new Map<string, Tally>();
  readonly faults: string[] = [];
  readonly #started = performance.now();

  acknowledged(what: string): void {
    this.#tally(what).acknowledged += 1;
  }

  unknown(what: string): void {
    this.#tally(what).unknown += 1;
  }

  compared(what: string): void {
    this.#tally(what).compared += 1;
  }

  /** Something was lost, or granted that should not be. */
  fault(what: string): void {
    const seconds = ((performance.now() - this.#started) / 1000).toFixed(1);
    this.faults.push(`${seconds} s: ${what}`);
  }

  #tally(what: string): Tally {
    const tally = this.tallies.get(what) ?? { acknowledged: 0, unknown: 0, compared: 0 };
    this.tallies.set(what, tally);
    return tally;
  }
}
