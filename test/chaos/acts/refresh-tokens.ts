import type { Account } from '../account.ts';
import type { Act, Actor } from '../actor.ts';
import { browserOf, type Scene } from '../scene.ts';
import { granted, grantedOf, signInAs } from '../signing-in.ts';

const REFRESH = 'refresh token replaced';
const TWICE = 'refresh token used twice';
const OFFLINE = { scope: 'openid offline_access', prompt: 'consent' };

/** Refreshes as a public client: each token is replaced at its use, and using one again ends all of them. */
export function refreshes(actor: Actor, scene: Scene, account: Account): Act {
  const { app, ledger } = scene;
  /** Acknowledged last, and never sent. */
  let latest: string | undefined;
  /** Sent, and its successor acknowledged. */
  let spent: string | undefined;
  let isWatched = false;

  const obtain = async (): Promise<void> => {
    const browser = browserOf(scene);
    if ((await signInAs(browser, app, account, OFFLINE)) === 'consent') await browser.submit();
    const answer = await granted(app.exchange(browser.left));
    if (!('tokens' in answer)) throw new Error(`a code that was handed out is ${answer.refused}`);
    latest = answer.tokens.refresh_token;
    spent = undefined;
  };

  /** @throws when a token that was handed out and never used is refused */
  const replace = async (): Promise<void> => {
    const token = latest ?? '';
    // Without an answer nobody knows which token is the right one: a new family, then.
    latest = undefined;
    const answer = await granted(app.refresh(token)).catch((error: unknown) => {
      ledger.unknown(REFRESH);
      mayBeUsedOnce(token);
      throw error;
    });
    if (!('tokens' in answer)) throw new Error(`an acknowledged refresh token of ${account.username} is lost`);
    latest = answer.tokens.refresh_token;
    spent = token;
    ledger.acknowledged(REFRESH);
  };

  const mayBeUsedOnce = (token: string): void => {
    let used = 0;
    actor.later(REFRESH, async () => {
      const { tokens } = await grantedOf([app.refresh(token), app.refresh(token)]);
      used += tokens.length;
      if (used > 1) throw new Error(`a refresh token of ${account.username} was redeemed twice`);
    });
  };

  const twice = async (): Promise<void> => {
    const token = latest ?? '';
    latest = undefined;
    const { tokens, isUncertain } = await grantedOf([app.refresh(token), app.refresh(token)]);
    if (tokens.length > 1) throw new Error(`a refresh token of ${account.username} was redeemed twice at once`);
    if (isUncertain) ledger.unknown(TWICE);
    else ledger.acknowledged(TWICE);
    const used = tokens.length;
    actor.later(TWICE, async () => {
      const again = await grantedOf([app.refresh(token)]);
      if (used + again.tokens.length > 1) throw new Error(`a refresh token of ${account.username} was redeemed again`);
    });
  };

  /** The latest one works; the one before does not, and ends them all. */
  const holds = async (): Promise<void> => {
    isWatched = false;
    if (latest === undefined) return;
    await replace();
    const [old, successor] = [spent ?? '', latest ?? ''];
    latest = undefined;
    const again = await granted(app.refresh(old));
    if ('tokens' in again) throw new Error(`a spent refresh token of ${account.username} was redeemed again`);
    const next = await granted(app.refresh(successor));
    if ('tokens' in next) throw new Error(`the family of a stolen refresh token of ${account.username} lives on`);
  };

  return {
    weight: 3,
    async perform() {
      if (latest === undefined) await obtain();
      else if (Math.random() < 0.2) await twice();
      else await replace();
      if (isWatched) return;
      isWatched = true;
      actor.later('refresh tokens in hand', holds);
    },
  };
}
