/** One verb of a port that was called. */
export interface Operation {
  /** `durable` or `ephemeral`. */
  readonly half: string;
  readonly store: string;
  readonly verb: string;
  /** Kind of the artifact, where it is one. */
  readonly kind: string | undefined;
}

/** Counts what is asked of the storage, and how often somebody waited for it. */
export class Tally {
  #operations: Operation[] = [];
  #underWay = 0;
  #waits = 0;

  /** The same storage; whatever its stores are asked is counted. */
  counted<Half extends object>(half: string, storage: Half): Half {
    const stores = Object.entries(storage).map(([name, store]) => {
      if (typeof store === 'function' || typeof store !== 'object' || store === null) return [name, store];
      return [name, this.#watched(half, name, store)];
    });
    return Object.fromEntries(stores) as Half;
  }

  /** @returns what was counted since the last time; begins anew */
  take(): { readonly operations: readonly Operation[]; readonly waits: number } {
    const taken = { operations: this.#operations, waits: this.#waits };
    this.#operations = [];
    this.#waits = 0;
    return taken;
  }

  #watched(half: string, store: string, target: object): object {
    return new Proxy(target, {
      get: (_target, verb) => {
        const member: unknown = Reflect.get(target, verb, target);
        if (typeof member !== 'function') return member;
        return (...parameters: unknown[]) => {
          const kind = store === 'artifacts' ? String(parameters[0]) : undefined;
          this.#operations.push({ half, store, verb: String(verb), kind });
          // What is asked for at once is waited for once.
          if (this.#underWay === 0) this.#waits += 1;
          this.#underWay += 1;
          return (member.apply(target, parameters) as Promise<unknown>).finally(() => {
            this.#underWay -= 1;
          });
        };
      },
    });
  }
}

/** Of the server that this process starts next. */
export const tally = new Tally();
