import type { Person } from '../servers/subject.ts';
import type { Flow, FlowKind } from './flows.ts';
import { Connection } from './http.ts';

/** A few clients that each run one flow after the other, on a connection of their own. */
export class Load {
  readonly #connections: Connection[];
  readonly #flows: readonly Flow[];

  /** @param people one for each client */
  static async prepare(kind: FlowKind, port: number, people: readonly Person[]): Promise<Load> {
    const connections = people.map(() => new Connection(port));
    const flows: Flow[] = [];
    for (const [index, person] of people.entries()) {
      const connection = connections[index];
      if (connection) flows.push(await kind(connection, person));
    }
    return new Load(connections, flows);
  }

  private constructor(connections: Connection[], flows: readonly Flow[]) {
    this.#connections = connections;
    this.#flows = flows;
  }

  /** Runs until the time or the number of flows is reached; flows begun are finished. @returns milliseconds each took */
  async run({ seconds, flows = Number.POSITIVE_INFINITY }: { seconds: number; flows?: number }): Promise<number[]> {
    const until = performance.now() + seconds * 1000;
    const taken: number[] = [];
    const client = async (flow: Flow): Promise<void> => {
      for (let from = performance.now(); from < until && taken.length < flows; ) {
        await flow();
        const to = performance.now();
        taken.push(to - from);
        from = to;
      }
    };
    await Promise.all(this.#flows.map(client));
    return taken;
  }

  close(): void {
    for (const connection of this.#connections) connection.close();
  }
}
