import type { Account } from '../account.ts';
import type { Act, Actor } from '../actor.ts';
import { browserOf, type Scene } from '../scene.ts';
import { granted, grantedOf, signInAs } from '../signing-in.ts';

const LOGIN = 'login';
const TWICE = 'code redeemed';
const AT_ONCE = 3;

type Claims = () => { readonly sub: string } | undefined;

/** Nobody is ever taken for somebody else. */
function knows(subjects: Map<string, string>, account: Account, claims: Claims): void {
  const sub = claims()?.sub ?? '';
  const known = subjects.get(account.username) ?? sub;
  subjects.set(account.username, known);
  if (sub === '' || sub !== known) throw new Error(`${account.username} is ${sub} now, and was ${known}`);
}

/** Signs in at the portal; whoever has a code that was handed out gets tokens for it. */
export function signsIn(_actor: Actor, scene: Scene, account: Account): Act {
  const { portal, ledger } = scene;
  const subjects = new Map<string, string>();
  return {
    weight: 5,
    async perform() {
      const browser = browserOf(scene);
      await signInAs(browser, portal, account);
      const answer = await granted(portal.exchange(browser.left)).catch((error: unknown) => {
        ledger.unknown(LOGIN);
        throw error;
      });
      if (!('tokens' in answer)) throw new Error(`a code that was handed out is ${answer.refused}`);
      const { tokens } = answer;
      knows(subjects, account, () => tokens.claims());
      ledger.acknowledged(LOGIN);
      // Signed in once, the next portal asks nothing.
      await browser.visit(await portal.authorizationUrl());
      const silent = await granted(portal.exchange(browser.left));
      if (!('tokens' in silent)) throw new Error(`a code of a session is ${silent.refused}`);
      knows(subjects, account, () => silent.tokens.claims());
      ledger.acknowledged('single sign-on');
    },
  };
}

/** Redeems a code several times at once, on several nodes, and again after the return. */
export function redeemsTwice(actor: Actor, scene: Scene, account: Account): Act {
  const { portal, ledger } = scene;
  return {
    weight: 3,
    async perform() {
      const browser = browserOf(scene);
      await signInAs(browser, portal, account);
      const callback = browser.left;
      let redeemed = 0;
      const redeem = async (times: number): Promise<boolean> => {
        const { tokens, isUncertain } = await grantedOf(Array.from({ length: times }, () => portal.exchange(callback)));
        redeemed += tokens.length;
        if (redeemed > 1) throw new Error(`a code of ${account.username} was redeemed ${redeemed} times`);
        return isUncertain;
      };
      const isUncertain = await redeem(AT_ONCE);
      if (isUncertain && redeemed === 0) ledger.unknown(TWICE);
      else ledger.acknowledged(TWICE);
      actor.later(TWICE, async () => void (await redeem(1)));
    },
  };
}
