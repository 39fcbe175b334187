import { setTimeout as wait } from 'node:timers/promises';
import { Unavailable } from './browser.ts';
import type { Ledger } from './ledger.ts';
import { inSomeOrder } from './order.ts';

/** After "not now" people wait a moment. */
const PAUSE_MS = 100;
/** A service that is back has this long for what it still refuses. */
const PATIENCE_MS = 5_000;

export interface Act {
  /** How often, compared with the others; whole. */
  readonly weight: number;
  perform(): Promise<void>;
}

type Check = () => Promise<void>;

interface Due {
  readonly what: string;
  readonly check: Check;
}

/** Somebody who does one thing after another, and compares what came of it when asked to. */
export class Actor {
  readonly name: string;
  readonly acts: Act[] = [];
  readonly #ledger: Ledger;
  /** For the next comparison. */
  #due: Due[] = [];
  /** For the last comparison: the latest of each key. */
  readonly #lasting = new Map<string, Due>();
  #deck: Act[] = [];
  #asked: (() => void) | undefined;
  #isDone = false;

  constructor(name: string, ledger: Ledger) {
    this.name = name;
    this.#ledger = ledger;
  }

  /** @param key of what must still hold at the very end; the same key again replaces it */
  later(what: string, check: Check, key?: string): void {
    this.#due.push({ what, check });
    if (key !== undefined) this.#lasting.set(key, { what, check });
  }

  /** Until `finish`. */
  async live(): Promise<void> {
    while (!this.#isDone) {
      if (this.#asked) {
        const done = this.#asked;
        const due = this.#due;
        this.#due = [];
        for (const each of due) await this.#compare(each);
        this.#asked = undefined;
        done();
      }
      await this.#act();
    }
    for (const each of [...this.#due, ...this.#lasting.values()]) await this.#compare(each);
  }

  /** Resolves when what was due is compared, before the next act. */
  compare(): Promise<void> {
    return new Promise((done) => {
      this.#asked = done;
    });
  }

  /** The last act, then the last comparison. */
  finish(): void {
    this.#isDone = true;
  }

  async #act(): Promise<void> {
    try {
      await this.#pick().perform();
    } catch (error) {
      if (!(error instanceof Unavailable)) this.#ledger.fault(`${this.name}: ${String(error)}`);
      await wait(PAUSE_MS);
    }
  }

  async #compare({ what, check }: Due): Promise<void> {
    const giveUpAt = performance.now() + PATIENCE_MS;
    for (;;) {
      try {
        await check();
        return this.#ledger.compared(what);
      } catch (error) {
        if (!(error instanceof Unavailable)) return this.#ledger.fault(`${this.name}, ${what}: ${String(error)}`);
        if (performance.now() > giveUpAt)
          return this.#ledger.fault(`${this.name}, ${what}: still unavailable, ${error.message}`);
        await wait(PAUSE_MS);
      }
    }
  }

  /** Each as often as its weight says before any comes again: in a short run, too, everything is done. */
  #pick(): Act {
    if (this.#deck.length === 0) this.#deck = inSomeOrder(this.acts.flatMap((act) => Array<Act>(act.weight).fill(act)));
    const next = this.#deck.pop();
    if (!next) throw new Error(`${this.name} has nothing to do`);
    return next;
  }
}
