import { runInNewContext } from 'node:vm';
import { describe, expect, test } from '@jest/globals';
import { repositoryFile } from '../support/containers.ts';

const SCRIPT = repositoryFile('examples/compose/mongodb-init.js');

/** What changes something, in the order of a first run. */
const STEPS = ['initiate', 'createUser admin', 'createUser vestibule'] as const;
type Step = (typeof STEPS)[number];

class Killed extends Error {}

/** The first member of a replica set, as far as the script asks it. */
class Member {
  readonly done: Step[] = [];
  isPrimary = true;
  /** Whether it has read which set it is in. */
  isAwake = true;
  /** Users it doesn't know of yet, though the primary does. */
  behind: readonly string[] = [];
  #signedIn = false;

  /** Runs the script on a connection of its own. @throws Killed after that step */
  run(killedAfter?: Step): void {
    this.#signedIn = false;
    const lines: string[] = [];
    const change = (step: Step): void => {
      this.done.push(step);
      if (step === killedAfter) throw new Killed(step);
    };
    const users = (): string[] =>
      this.done.flatMap((step) => (step.startsWith('createUser ') ? [step.slice('createUser '.length)] : []));
    const known = (): string[] => users().filter((name) => !this.behind.includes(name));
    const admin = {
      auth: (name: string, password: string) => {
        if (!known().includes(name) || password !== `password of ${name}`) throw new Error('Authentication failed');
        this.#signedIn = true;
        return { ok: 1 };
      },
      getUser: (name: string) => {
        if (!this.#signedIn) throw new Error('not authorized');
        return known().includes(name) ? { user: name } : null;
      },
      createUser: ({ user }: { user: string }) => {
        if (!this.isPrimary) throw new Error('not primary');
        if (!this.#signedIn && users().length > 0) throw new Error('not authorized');
        if (users().includes(user)) throw new Error('there already');
        change(`createUser ${user}` as Step);
      },
    };
    const isInitiated = (): boolean => this.done.includes('initiate');
    const context = {
      Date,
      db: {
        getSiblingDB: () => admin,
        hello: () =>
          isInitiated() && this.isAwake
            ? { setName: 'vestibule', primary: 'one of them', isWritablePrimary: this.isPrimary }
            : { isWritablePrimary: false },
      },
      rs: {
        initiate: () => {
          if (isInitiated()) throw Object.assign(new Error('again'), { codeName: 'AlreadyInitialized' });
          change('initiate');
        },
      },
      // Whoever waits sees it awake, then preferred, and with all that the others have.
      sleep: () => Object.assign(this, { isAwake: true, isPrimary: true, behind: [] }),
      print: (line: string) => lines.push(line),
      quit: (code: number) => {
        throw new Error(`quit with ${code}: ${lines.join()}`);
      },
      require: () => ({ readFileSync: (path: string) => `password of ${/(\w+)\.password$/.exec(path)?.[1]}\n` }),
    };
    runInNewContext(SCRIPT, context);
    expect(lines).toEqual(['the replica set is ready']);
  }
}

describe('what makes the replica set and its users', () => {
  test('does each thing once, and nothing when it is run again', () => {
    const member = new Member();
    member.run();
    expect(member.done).toEqual(STEPS);
    member.run();
    expect(member.done).toEqual(STEPS);
  });

  test('is content with another primary once everything is there', () => {
    const member = new Member();
    member.run();
    member.isPrimary = false;
    member.run();
    expect(member.isPrimary).toBe(false);
  });

  describe.each(STEPS)('killed after “%s”', (step) => {
    test.each<[string, Partial<Pick<Member, 'isPrimary' | 'isAwake' | 'behind'>>]>([
      ['still primary', {}],
      ['another one is primary', { isPrimary: false }],
      ['another one is primary and this one lags behind', { isPrimary: false, behind: ['admin', 'vestibule'] }],
      ['it has just started', { isAwake: false, isPrimary: false }],
    ])('goes on where it was: %s', (_what, state) => {
      const member = new Member();
      expect(() => member.run(step)).toThrow(Killed);
      Object.assign(member, state);
      member.run();
      expect(member.done).toEqual(STEPS);
    });
  });
});
