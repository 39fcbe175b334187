import type { Account } from '../account.ts';
import type { Act, Actor } from '../actor.ts';
import { browserOf, type Scene } from '../scene.ts';
import { granted, signInAs } from '../signing-in.ts';

const SIGN_OUT = 'signed out';
let sessions = 0;

/** Signs out; whoever kept the cookies stays out. */
export function signsOut(actor: Actor, scene: Scene, account: Account): Act {
  const { portal, ledger } = scene;
  return {
    weight: 2,
    async perform() {
      const browser = browserOf(scene);
      await signInAs(browser, portal, account);
      const answer = await granted(portal.exchange(browser.left));
      if (!('tokens' in answer)) throw new Error(`a code that was handed out is ${answer.refused}`);
      const { id_token_hint } = { id_token_hint: answer.tokens.id_token ?? '' };
      const thief = browser.copy();
      const page = await browser.decisive(() => browser.visit(portal.endSessionUrl({ id_token_hint })));
      if (!page) return ledger.unknown(SIGN_OUT);
      if (page.status >= 400) throw new Error(`nobody was signed out: ${page.describe()}`);
      ledger.acknowledged(SIGN_OUT);
      sessions += 1;
      const staysOut = async (): Promise<void> => {
        const { step } = await thief.copy().visit('/account');
        if (step !== 'identify') throw new Error(`a session of ${account.username} outlived its end (${step})`);
      };
      actor.later(SIGN_OUT, staysOut, `session ${sessions % 50} of ${actor.name}`);
    },
  };
}
