import { setTimeout as wait } from 'node:timers/promises';
import type { Account } from '../account.ts';
import type { Act, Actor } from '../actor.ts';
import { browserOf, type Scene, type Supply } from '../scene.ts';
import { identify, standOf, tryPassword } from '../signing-in.ts';

const LOCK = 'locked';
const WRONG = 'wrong password';
/** Strangers are few. */
const PAUSE_MS = 200;

/**
 * Guesses the passwords of one account after the other, in a new browser each time.
 * @param tries how many are looked at before there is a lock
 */
export function guesses(actor: Actor, scene: Scene, supply: Supply, tries: number): Act {
  const { portal, ledger } = scene;
  let victim: Account | undefined;
  /** Guesses that were told to be wrong: each was counted. */
  let told = 0;

  const staysLocked = (account: Account) => async (): Promise<void> => {
    const stand = await tryPassword(scene, account, account.password);
    if (stand !== 'locked') throw new Error(`the lock of ${account.username} is lost (${stand})`);
  };

  return {
    weight: 1,
    async perform() {
      if (!victim) {
        victim = supply.next();
        told = 0;
      }
      if (!victim) return void (await wait(PAUSE_MS));
      const browser = browserOf(scene);
      await browser.visit(await portal.authorizationUrl());
      const stand = await identify(browser, victim.username, `guess-${crypto.randomUUID()}`);
      if (stand === 'refused') {
        told += 1;
        ledger.acknowledged(WRONG);
        if (told >= tries) throw new Error(`${told} guesses at ${victim.username}, and no lock`);
      } else if (stand === 'locked') {
        ledger.acknowledged(LOCK);
        actor.later(LOCK, staysLocked(victim), `lock of ${victim.username}`);
        victim = undefined;
      } else throw new Error(`${victim.username} was let in with a wrong password`);
    },
  };
}

/** Comes without anything, or with codes and cookies of its own making. */
export function forges(_actor: Actor, scene: Scene): Act {
  const { portal, server, ledger } = scene;
  return {
    weight: 1,
    async perform() {
      await wait(PAUSE_MS);
      const browser = browserOf(scene);
      browser.cookies.store(new URL(server.issuer), [`vestibule_session=${crypto.randomUUID()}; Path=/`]);
      await browser.visit(await portal.authorizationUrl({ prompt: 'none' }));
      const error = browser.left.searchParams.get('error');
      if (browser.left.searchParams.has('code')) throw new Error('somebody without a session got a code');
      if (error === 'login_required') ledger.acknowledged('stranger turned away');
      else standOf(browser.page);
    },
  };
}
