import { type Account, newPassword } from '../account.ts';
import type { Act, Actor } from '../actor.ts';
import { browserOf, type Scene } from '../scene.ts';
import { identifyAs, tryPassword } from '../signing-in.ts';

const CHANGE = 'password changed';
const UNCERTAIN = 'password of unknown outcome';

/** Changes it in the account area; afterwards the new one opens and the old one does not. */
export function changesPassword(actor: Actor, scene: Scene, account: Account): Act {
  const { ledger } = scene;

  const opens = async (password: string): Promise<boolean> => {
    const stand = await tryPassword(scene, account, password);
    if (stand === 'locked') throw new Error(`${account.username} is locked without having guessed`);
    return stand !== 'refused';
  };

  /** Of a change whose outcome is unknown: one of the two it is, and from here on it is known which. */
  const settle = async (): Promise<void> => {
    const { proposed } = account;
    if (proposed !== undefined && (await opens(proposed))) {
      account.former.push(account.password);
      account.password = proposed;
    }
    account.proposed = undefined;
  };

  const holds = async (): Promise<void> => {
    await settle();
    const old = account.former.at(-1);
    if (old !== undefined && (await opens(old))) throw new Error(`a replaced password of ${account.username} opens`);
    if (!(await opens(account.password))) throw new Error(`the acknowledged password of ${account.username} is lost`);
  };

  return {
    weight: 2,
    async perform() {
      if (account.proposed !== undefined) return;
      const browser = browserOf(scene);
      await browser.visit('/account/password');
      await identifyAs(browser, account);
      const next = newPassword();
      account.proposed = next;
      const answer = await browser.decisive(() =>
        browser.submit({ current_password: account.password, new_password: next, new_password_again: next }),
      );
      if (!answer) {
        ledger.unknown(CHANGE);
        actor.later(UNCERTAIN, holds);
        return;
      }
      account.proposed = undefined;
      if (answer.status !== 303) throw new Error(`the password was not changed: ${answer.describe()}`);
      account.former.push(account.password);
      account.password = next;
      account.changes += 1;
      ledger.acknowledged(CHANGE);
      actor.later(CHANGE, holds, `password of ${account.username}`);
    },
  };
}
