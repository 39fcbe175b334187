import { createLocalJWKSet, errors, type JSONWebKeySet, type JWTPayload, jwtVerify } from 'jose';
import type { Portal } from './portal.ts';
import type { Person } from './seed.ts';
import { Visitor, type VisitorOptions } from './visitor.ts';

/** People who sign in all the time, each one after the other, at a portal that checks everything. */
export interface Load {
  /** Complete sign-ins so far. */
  readonly done: number;
  /** What went wrong, whatever it was. */
  readonly failures: readonly string[];
  /** How often a token was signed by a key that the portal didn't know yet. */
  readonly refetches: number;
  /** Resolves when so many more have been completed, or anything failed. */
  more(count: number): Promise<void>;
  /** Lets those under way finish; nobody begins until `go`. */
  pause(): Promise<void>;
  go(): void;
  stop(): Promise<void>;
}

interface Server extends VisitorOptions {
  now(): number;
}

export function startLoad(server: Server, portal: Portal, people: readonly Person[]): Load {
  const failures: string[] = [];
  const waiting = new Set<() => void>();
  let done = 0;
  let running = false;
  let turns: Promise<unknown> = Promise.resolve();
  const keys = portalKeys(server, String(portal.metadata.jwks_uri));

  const login = async (person: Person): Promise<void> => {
    const visitor = new Visitor(server);
    await visitor.visit(await portal.authorizationUrl());
    await visitor.submit({ username: person.username });
    await visitor.submit({ password: person.password });
    const tokens = await portal.exchange(visitor.left);
    const { sub } = await keys.verify(tokens.id_token ?? '');
    await portal.userinfo(tokens.access_token, sub);
    // Signed in already: no page.
    await visitor.visit(await portal.authorizationUrl({ prompt: 'none' }));
    await keys.verify((await portal.exchange(visitor.left)).id_token ?? '');
  };
  const tell = (): void => {
    for (const look of waiting) look();
  };
  const turn = async (person: Person): Promise<void> => {
    while (running) {
      try {
        await login(person);
        done += 1;
      } catch (error) {
        failures.push(describe(error));
        running = false;
      }
      tell();
    }
  };
  const load: Load = {
    get done() {
      return done;
    },
    failures,
    get refetches() {
      return keys.refetches;
    },
    more(count) {
      const wanted = done + count;
      return new Promise((resolve) => {
        const look = (): void => {
          if (done < wanted && failures.length === 0) return;
          waiting.delete(look);
          resolve();
        };
        waiting.add(look);
        look();
      });
    },
    async pause() {
      running = false;
      await turns;
    },
    go() {
      running = failures.length === 0;
      turns = Promise.all(people.map(turn));
    },
    stop: () => load.pause(),
  };
  load.go();
  return load;
}

/** The key set as a portal keeps it: for ever, and fetched again for a key that isn't in it. */
function portalKeys(server: Server, address: string) {
  let kept: JSONWebKeySet | undefined;
  let refetches = 0;
  const fetched = async (): Promise<JSONWebKeySet> => (await (await fetch(address)).json()) as JSONWebKeySet;
  const check = async (token: string, keys: JSONWebKeySet): Promise<JWTPayload> =>
    (await jwtVerify(token, createLocalJWKSet(keys), { issuer: server.issuer, currentDate: new Date(server.now()) }))
      .payload;
  return {
    get refetches() {
      return refetches;
    },
    async verify(token: string): Promise<JWTPayload & { sub: string }> {
      kept ??= await fetched();
      const payload = await check(token, kept).catch(async (error: unknown) => {
        if (!(error instanceof errors.JWKSNoMatchingKey)) throw error;
        refetches += 1;
        kept = await fetched();
        return check(token, kept);
      });
      return { ...payload, sub: String(payload.sub) };
    },
  };
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause === undefined ? error.message : `${error.message}: ${JSON.stringify(error.cause)}`;
}
