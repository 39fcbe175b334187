import { setTimeout as wait } from 'node:timers/promises';
import { newAccount, newPassword } from '../account.ts';
import type { Act, Actor } from '../actor.ts';
import type { Scene } from '../scene.ts';
import { tryPassword } from '../signing-in.ts';

const ADDED = 'account added';

/** Runs a command of the server. @returns its exit code */
export type Command = (args: readonly string[], input: string) => Promise<number>;

/** Adds so many people on the command line, whatever is away; who was added can sign in. */
export function addsPeople(actor: Actor, scene: Scene, command: Command, people: number): Act {
  const { ledger } = scene;
  let added = 0;
  return {
    weight: 1,
    async perform() {
      if (added > scene.progress * people) return void (await wait(100));
      const account = newAccount(`added-${added}`, newPassword());
      added += 1;
      if ((await command(['people', 'add', account.username, '--password-stdin'], `${account.password}\n`)) !== 0)
        return ledger.unknown(ADDED);
      ledger.acknowledged(ADDED);
      const exists = async (): Promise<void> => {
        const stand = await tryPassword(scene, account, account.password);
        if (stand !== 'arrived') throw new Error(`the added account ${account.username} is lost (${stand})`);
      };
      actor.later(ADDED, exists, account.username);
    },
  };
}
