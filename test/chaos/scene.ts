import type { Portal } from '../support/portal.ts';
import type { VisitorOptions } from '../support/visitor.ts';
import type { Account } from './account.ts';
import { Browser } from './browser.ts';
import type { Ledger } from './ledger.ts';

/** What everybody who acts in it shares. */
export interface Scene {
  readonly server: VisitorOptions;
  /** The operator's own, with a secret. */
  readonly portal: Portal;
  /** A public client: its refresh tokens are replaced at each use. */
  readonly app: Portal;
  /** Third parties: each is allowed what it may see by the person. */
  readonly strangers: ReadonlyMap<string, Portal>;
  readonly ledger: Ledger;
  /** How much of the run is over, 0 to 1. */
  progress: number;
}

export const browserOf = ({ server }: Scene): Browser => new Browser(server);

/** Accounts for what is done once to each: handed out evenly over the run. */
export class Supply {
  readonly #scene: Scene;
  readonly #accounts: readonly Account[];
  #given = 0;

  constructor(scene: Scene, accounts: readonly Account[]) {
    this.#scene = scene;
    this.#accounts = accounts;
  }

  /** @returns undefined while it is too early for the next one, and when all are given */
  next(): Account | undefined {
    if (this.#given > this.#scene.progress * this.#accounts.length) return undefined;
    const account = this.#accounts[this.#given];
    this.#given += 1;
    return account;
  }
}
