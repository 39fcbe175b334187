import type { Account } from '../account.ts';
import type { Act, Actor } from '../actor.ts';
import { browserOf, type Scene } from '../scene.ts';
import { signInAs } from '../signing-in.ts';

const CONSENT = 'consent given';
/** One more at a time: each is asked about once. */
const SCOPES = ['openid', 'email', 'phone', 'address', 'profile'];

/** Allows third parties more and more; what was allowed once is never asked about again. */
export function consents(actor: Actor, scene: Scene, account: Account): Act {
  const { strangers, ledger } = scene;
  const allowed = (client: string): Set<string> => account.consents.get(client) ?? new Set();
  return {
    weight: 2,
    async perform() {
      const next = [...strangers].find(([client]) => allowed(client).size < SCOPES.length);
      if (!next) return;
      const [client, stranger] = next;
      const scopes = SCOPES.slice(0, allowed(client).size + 1);
      const asked = { scope: scopes.join(' ') };
      const browser = browserOf(scene);
      // Allowed already by an answer that never came.
      if ((await signInAs(browser, stranger, account, asked)) === 'consent') {
        const answer = await browser.decisive(() => browser.submit());
        if (!answer) return ledger.unknown(CONSENT);
        if (answer.status !== 303) throw new Error(`the consent was not taken: ${answer.describe()}`);
        ledger.acknowledged(CONSENT);
      }
      account.consents.set(client, new Set(scopes));
      actor.later(
        CONSENT,
        async () => {
          const all = { scope: [...allowed(client)].join(' ') };
          if ((await signInAs(browserOf(scene), stranger, account, all)) === 'consent')
            throw new Error(`what ${account.username} allowed ${client} is forgotten`);
        },
        `consent of ${account.username} for ${client}`,
      );
    },
  };
}
