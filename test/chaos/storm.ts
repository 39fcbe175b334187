import { setTimeout as wait } from 'node:timers/promises';
import { type Account, addressOf, newAccount, newPassword } from './account.ts';
import { Actor } from './actor.ts';
import { redeemsTwice, signsIn } from './acts/codes.ts';
import { consents } from './acts/consents.ts';
import { addsPasskey, setsUpApp } from './acts/factors.ts';
import { forges, guesses } from './acts/intrusion.ts';
import { addsPeople } from './acts/operator.ts';
import { changesPassword } from './acts/passwords.ts';
import { refreshes } from './acts/refresh-tokens.ts';
import { signsOut } from './acts/sessions.ts';
import { Unavailable } from './browser.ts';
import { DISRUPTIONS, type Kind, kindsOf, type Plan } from './disruptions.ts';
import { type Ground, prepareGround, TRIES } from './ground.ts';
import { Ledger } from './ledger.ts';
import { inSomeOrder } from './order.ts';
import { browserOf, type Scene, Supply } from './scene.ts';
import { granted, signInAs } from './signing-in.ts';

/** The service is back that soon after what it needs. */
const BACK_WITHIN_MS = 5_000;
const GIVEN_UP_AFTER_MS = 20_000;
const CALM_MS = 300;
const MAILED_WITHIN_MS = 30_000;

/** What must have happened for the rest to mean anything. */
const DONE = ['login', 'code redeemed', 'password changed', 'refresh token replaced', 'consent given', 'signed out'];

/** Those take requests with them. */
const KILLS_NODES: readonly Kind[] = ['node killed', 'both nodes killed'];

export interface Return {
  readonly kind: Kind;
  /** From the return of what was away to the first whole sign-in. */
  readonly milliseconds: number;
}

export interface Outcome {
  readonly ledger: Ledger;
  readonly returns: readonly Return[];
  readonly proxy: Ground['proxy']['observed'];
}

export interface StormOptions {
  readonly plan: Plan;
  readonly people: number;
  /** Accounts of each kind that are for one use only. */
  readonly supply: number;
  /** No further disruption is begun after this long. */
  readonly mostMilliseconds: number;
  readonly say: (line: string) => void;
}

/** People sign in and change things without end while one server after the other is killed or stopped. */
export async function storm({ plan, people, supply, mostMilliseconds, say }: StormOptions): Promise<Outcome> {
  const cast = castOf(people, supply);
  const ground = await prepareGround(
    cast.everybody.map((account) => ({
      username: account.username,
      password: account.password,
      email: addressOf(account),
      emailVerified: true,
    })),
  );
  const { issuer, portal, app, strangers, proxy, nodes } = ground;
  const ledger = new Ledger();
  const scene: Scene = { server: { issuer }, portal, app, strangers, ledger, progress: 0 };
  const returns: Return[] = [];
  try {
    const actors = actorsOf(scene, ground, cast, supply);
    const living = Promise.all(actors.map((actor) => actor.live()));
    const kinds = inSomeOrder(kindsOf(plan));
    const endBy = performance.now() + mostMilliseconds;
    for (const [done, kind] of kinds.entries()) {
      if (performance.now() > endBy) {
        ledger.fault(`no time for the last ${kinds.length - done} disruptions`);
        break;
      }
      scene.progress = done / kinds.length;
      await wait(CALM_MS * (1 + Math.random()));
      const lostBefore = proxy.observed.lost;
      const { rest } = await DISRUPTIONS[kind](ground);
      const milliseconds = await backAfter(scene, cast.probe, kind);
      returns.push({ kind, milliseconds });
      await rest;
      await Promise.all(actors.map((actor) => actor.compare()));
      const lost = proxy.observed.lost - lostBefore;
      if (lost > 0 && !KILLS_NODES.includes(kind)) ledger.fault(`${kind}: a node gave no answer, ${lost} times`);
      say(`${done + 1}/${kinds.length} ${kind}: back after ${Math.round(milliseconds)} ms`);
      if (ledger.faults.length > 20) break;
    }
    for (const actor of actors) actor.finish();
    await living;
    await expectNotices(ground, cast.people, ledger);
    for (const fault of proxy.observed.faults) ledger.fault(`answered ${fault}`);
    for (const { complaints } of nodes) if (complaints !== '') ledger.fault(`a node complained: ${complaints}`);
    for (const what of untried({ ledger, returns, proxy: proxy.observed })) ledger.fault(what);
    return { ledger, returns, proxy: proxy.observed };
  } finally {
    await ground.stop();
  }
}

interface Cast {
  readonly probe: Account;
  readonly people: readonly Account[];
  readonly victims: readonly Account[];
  readonly withApps: readonly (readonly Account[])[];
  readonly withPasskeys: readonly (readonly Account[])[];
  readonly everybody: readonly Account[];
}

function castOf(count: number, supply: number): Cast {
  const some = (name: string, length: number): Account[] =>
    Array.from({ length }, (_, n) => newAccount(`${name}-${n}`, newPassword()));
  const people = some('person', count);
  const withApps = people.map((_, n) => some(`app-${n}`, supply));
  const withPasskeys = people.map((_, n) => some(`passkey-${n}`, supply));
  const victims = some('victim', 2 * supply);
  const probe = newAccount('probe', newPassword());
  const everybody = [probe, ...people, ...victims, ...withApps.flat(), ...withPasskeys.flat()];
  return { probe, people, victims, withApps, withPasskeys, everybody };
}

function actorsOf(scene: Scene, { nodes }: Ground, cast: Cast, supply: number): Actor[] {
  const people = cast.people.map((account, n) => {
    const actor = new Actor(account.username, scene.ledger);
    actor.acts.push(
      ...[signsIn, redeemsTwice, changesPassword, refreshes, consents, signsOut].map((act) =>
        act(actor, scene, account),
      ),
      setsUpApp(actor, scene, new Supply(scene, cast.withApps[n] ?? [])),
      addsPasskey(actor, scene, new Supply(scene, cast.withPasskeys[n] ?? [])),
    );
    return actor;
  });
  const intruder = new Actor('intruder', scene.ledger);
  intruder.acts.push(guesses(intruder, scene, new Supply(scene, cast.victims), TRIES), forges(intruder, scene));
  const operator = new Actor('operator', scene.ledger);
  const command = async (args: readonly string[], input: string): Promise<number> =>
    (await nodes[0]?.command(args, input))?.code ?? 1;
  operator.acts.push(addsPeople(operator, scene, command, supply));
  return [...people, intruder, operator];
}

/** @returns milliseconds until somebody has signed in from the portal to the tokens */
async function backAfter(scene: Scene, probe: Account, kind: Kind): Promise<number> {
  const since = performance.now();
  const passed = (): number => performance.now() - since;
  let last = '';
  while (passed() < GIVEN_UP_AFTER_MS) {
    try {
      const browser = browserOf(scene);
      await signInAs(browser, scene.portal, probe);
      const answer = await granted(scene.portal.exchange(browser.left));
      if (!('tokens' in answer)) throw new Error(`a code that was handed out is ${answer.refused}`);
      if (passed() > BACK_WITHIN_MS) scene.ledger.fault(`${kind}: back after ${Math.round(passed())} ms only: ${last}`);
      return passed();
    } catch (error) {
      if (!(error instanceof Unavailable)) throw error;
      last = error.message;
      await wait(20);
    }
  }
  scene.ledger.fault(`${kind}: never back: ${last}`);
  return passed();
}

/** @returns what a run did not put to the test: without it, no fault would mean nothing */
function untried({ ledger, proxy }: Outcome): string[] {
  const missing = DONE.filter((what) => !ledger.tallies.get(what)?.acknowledged);
  return [
    ...missing.map((what) => `never acknowledged: ${what}`),
    ...(proxy.refusals === 0 ? ['storage was never away while people were there'] : []),
  ];
}

/** The outbox loses no mail: for each acknowledged change of a password its owner was told. */
async function expectNotices({ mail, nodes }: Ground, people: readonly Account[], ledger: Ledger): Promise<void> {
  const told = (account: Account): number =>
    mail.to(addressOf(account)).filter(({ subject }) => /password of your account was changed/.test(subject)).length;
  const deadline = performance.now() + MAILED_WITHIN_MS;
  while (performance.now() < deadline && people.some((account) => told(account) < account.changes)) {
    // What a killed node was sending is due again when its lease has ended; nobody waits for that here.
    for (const node of nodes) await node.advanceClock(60);
    await wait(1000);
  }
  for (const account of people) {
    if (told(account) < account.changes)
      ledger.fault(`${account.username} was told of ${told(account)} of ${account.changes} changes of the password`);
    else ledger.compared('notices of changed passwords');
  }
}
