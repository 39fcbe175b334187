import type { Clock } from '../kernel/clock.ts';
import type { CommandIo } from './command.ts';

const WIDTH = 24;
/** Milliseconds between two pictures of the bar, and between two lines where there is no terminal. */
const PICTURE_EVERY = 100;
const LINE_EVERY = 10_000;
/** Back to the beginning of the line, and everything on it gone. */
const CLEAR = '\r\x1b[K';

/** How far something is: a bar that is drawn again and again on a terminal, now and then a line elsewhere. */
export class Progress {
  readonly #out: CommandIo['stderr'];
  readonly #clock: Clock;
  #shown: { readonly label: string; readonly at: number } | undefined;
  #isDrawn = false;

  constructor(out: CommandIo['stderr'], clock: Clock) {
    this.#out = out;
    this.#clock = clock;
  }

  /** @param label what is being done @param total expected; more may come */
  show(label: string, done: number, total: number): void {
    const now = this.#clock.now();
    const every = this.#out.isTTY ? PICTURE_EVERY : LINE_EVERY;
    if (this.#shown?.label === label && now - this.#shown.at < every) return;
    this.#shown = { label, at: now };
    const part = total === 0 ? 1 : Math.min(done / total, 1);
    const figures = `${label}, ${Math.floor(part * 100)} % of ${total} rows`;
    if (!this.#out.isTTY) {
      this.#out.write(`${figures}\n`);
      return;
    }
    const filled = Math.round(part * WIDTH);
    this.#out.write(`${CLEAR}[${'#'.repeat(filled)}${'.'.repeat(WIDTH - filled)}] ${figures}`);
    this.#isDrawn = true;
  }

  /** Takes the bar away, so that something else can be written. */
  clear(): void {
    if (this.#isDrawn) this.#out.write(CLEAR);
    this.#isDrawn = false;
    this.#shown = undefined;
  }
}
