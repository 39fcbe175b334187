import type { PublicKeyCredentialCreationOptionsJSON } from '@simplewebauthn/server';
import { SoftwareAuthenticator } from '../../support/authenticator/index.ts';
import { PasskeyBrowser } from '../../support/passkeys.ts';
import { codeOf, keyOn, STEP } from '../../support/second-factor.ts';
import type { Account } from '../account.ts';
import type { Act, Actor } from '../actor.ts';
import { type Browser, Unavailable } from '../browser.ts';
import { browserOf, type Scene, type Supply } from '../scene.ts';
import { identifyAs, signInAs, standOf } from '../signing-in.ts';

const APP = 'authenticator app set up';
const CODE = 'one-time code used twice';
const PASSKEY = 'passkey added';

const now = { now: () => Date.now() };
const stepNow = (): number => Math.floor(Date.now() / 1000 / STEP);

/** Sets up an authenticator app; from then on the password alone opens nothing, and each code opens once. */
export function setsUpApp(actor: Actor, scene: Scene, supply: Supply): Act {
  const { portal, ledger } = scene;
  let guarded: Account | undefined;

  const isDemanded = (account: Account) => async (): Promise<void> => {
    const stand = await signInAs(browserOf(scene), portal, account);
    if (account.app) account.app = stand === 'code' ? { ...account.app, certain: true } : undefined;
  };

  const setUp = async (account: Account): Promise<void> => {
    const browser = browserOf(scene);
    await browser.visit('/account/two-factor/app');
    await identifyAs(browser, account);
    const secret = keyOn(browser.page);
    const lastStep = stepNow();
    const code = await codeOf(now, secret);
    account.app = { secret, certain: false, lastStep };
    const answer = await browser.decisive(() => browser.submit({ code }));
    if (!answer) ledger.unknown(APP);
    else {
      if (answer.status !== 303) throw new Error(`the app was not set up: ${answer.describe()}`);
      account.app = { secret, certain: true, lastStep };
      ledger.acknowledged(APP);
      guarded = account;
    }
    actor.later(APP, isDemanded(account), `app of ${account.username}`);
  };

  /** Two browsers, one code, at the same moment on two nodes. */
  const useTwice = async (account: Account): Promise<void> => {
    const { app } = account;
    if (!app || app.lastStep >= stepNow()) return;
    const browsers = [browserOf(scene), browserOf(scene)];
    for (const browser of browsers) await signInAs(browser, portal, account);
    app.lastStep = stepNow();
    const code = await codeOf(now, app.secret);
    const submit = async (browser: Browser): Promise<boolean> => {
      const page = await browser.submit({ code });
      return standOf(page) === 'arrived';
    };
    const outcomes = await Promise.allSettled(browsers.map(submit));
    const surprise = outcomes.find((each) => each.status === 'rejected' && !(each.reason instanceof Unavailable)) as
      | PromiseRejectedResult
      | undefined;
    if (surprise) throw surprise.reason;
    const arrived = outcomes.filter((each) => each.status === 'fulfilled' && each.value).length;
    if (arrived > 1) throw new Error(`a one-time code of ${account.username} opened twice`);
    if (arrived === 1) ledger.acknowledged(CODE);
    else ledger.unknown(CODE);
  };

  return {
    weight: 2,
    async perform() {
      const account = supply.next();
      if (account) await setUp(account);
      else if (guarded) await useTwice(guarded);
    },
  };
}

/** Adds a passkey, which from then on opens. */
export function addsPasskey(actor: Actor, scene: Scene, supply: Supply): Act {
  const { portal, ledger, server } = scene;
  return {
    weight: 1,
    async perform() {
      const account = supply.next();
      if (!account) return;
      const browser = browserOf(scene);
      await browser.visit('/account/passkeys/add');
      await identifyAs(browser, account);
      // Synced: such a passkey counts no uses, so a use whose answer never came does not make it look copied.
      const device = new SoftwareAuthenticator({ origin: server.issuer, synced: true });
      const hand = new PasskeyBrowser(browser, server.issuer, device);
      const credential = await device.create(await hand.options<PublicKeyCredentialCreationOptionsJSON>());
      const answer = await browser.decisive(() => hand.hand(credential));
      if (!answer) return ledger.unknown(PASSKEY);
      if (answer.status !== 200) throw new Error(`the passkey was not added: ${answer.status} ${answer.body}`);
      account.passkeys.push(device);
      ledger.acknowledged(PASSKEY);
      actor.later(
        PASSKEY,
        async () => {
          const other = browserOf(scene);
          const owner = new PasskeyBrowser(other, server.issuer, device);
          await other.visit(await portal.authorizationUrl());
          await other.submit({ username: account.username });
          if (other.page.step !== 'passkey') throw new Error(`a passkey of ${account.username} is lost`);
          await owner.use();
          if (standOf(other.page) !== 'arrived') throw new Error(`a passkey of ${account.username} opens nothing`);
        },
        `passkey of ${account.username}`,
      );
    },
  };
}
