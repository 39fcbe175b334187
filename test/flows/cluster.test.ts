import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { decodeJwt } from 'jose';
import { type Cluster, startCluster } from '../support/cluster.ts';
import { EvilUpstream } from '../support/evil-upstream.ts';
import { CLIENT_ID, claimsAt, link, providerFile, SUBSTANTIAL, signInAs } from '../support/external.ts';
import { type Load, startLoad } from '../support/load.ts';
import { linkIn, type MailSink, startMailSink } from '../support/mail-sink.ts';
import { clientFile, Portal } from '../support/portal.ts';
import { requires } from '../support/requirements.ts';
import { codeOf, crowd, MFA, passPassword, withApp } from '../support/second-factor.ts';
import type { Vestibule } from '../support/vestibule.ts';
import { Visitor } from '../support/visitor.ts';
import { chooseNewPassword, giveUsernameAndPassword, lockOut, signIn, signInSilently, until } from './arrange.ts';
import { addressOf, reachable } from './mails.ts';

const DAY = 86_400;
/** Seconds. Longer than a node goes without looking for other keys. */
const LOOKED = 31;
const NEW = 'salt-lantern-orbit-meadow';
const OFFLINE = { scope: 'openid email offline_access', prompt: 'consent' };

const people = crowd({ plain: {}, app: withApp });
const mutuelle = clientFile('mutuelle', {
  vestibule: { first_party: true, refresh_token_without_offline_access: true },
});
const stranger = clientFile('stranger', { vestibule: {} });

requires('mongodb', 'redis')('two nodes, and a different one at every request', () => {
  let cluster: Cluster;
  let evil: EvilUpstream;
  let mail: MailSink;
  let listening: Server;
  let heard: Record<string, unknown>[] = [];
  let portal: Portal;
  let visitor: Visitor;
  let before: readonly number[] = [];

  beforeAll(async () => {
    evil = await EvilUpstream.start(CLIENT_ID, () => cluster?.now() ?? Date.now());
    mail = await startMailSink();
    listening = createServer(async (request, response) => {
      heard.push(decodeJwt(new URLSearchParams(await text(request)).get('logout_token') ?? ''));
      response.end();
    });
    await new Promise<void>((resolve) => listening.listen(0, '127.0.0.1', resolve));
    const origin = `http://127.0.0.1:${(listening.address() as AddressInfo).port}`;
    cluster = await startCluster({
      clients: [mutuelle, stranger, clientFile('listening', { backchannel_logout_uri: `${origin}/` })],
      providers: { evil: providerFile(evil) },
      people: reachable(people.everybody),
      settings: {
        mail: mail.settings,
        passkeys: { offer: { enabled: false } },
        development: { logout_origins: [origin] },
      },
    });
    portal = await Portal.discover(cluster, mutuelle);
  }, 180_000);
  afterAll(async () => {
    await cluster?.stop();
    await evil?.stop();
    await mail?.close();
    listening?.close();
  });
  beforeEach(() => {
    visitor = new Visitor(cluster);
    heard = [];
    before = [...cluster.requests];
  });
  // Otherwise nothing was shown.
  afterEach(() => {
    const asked = cluster.requests.map((requests, node) => requests - (before[node] ?? 0));
    expect(Math.min(...asked)).toBeGreaterThan(1);
  });

  describe('goes unnoticed by whoever', () => {
    test('signs in with a password, stays signed in, refreshes, and signs out everywhere', async () => {
      const person = people.next('plain');
      const other = await Portal.discover(cluster, clientFile('listening'));
      await signIn(visitor, other, {}, person);
      const { sub } = (await other.exchange(visitor.left)).claims() ?? {};
      const tokens = await portal.exchange(await signInSilently(visitor, portal));
      expect(tokens.claims()?.sub).toBe(sub);
      const refreshed = await portal.refresh(tokens.refresh_token ?? '');
      expect((await portal.userinfo(refreshed.access_token)).sub).toBe(sub);
      await visitor.visit(portal.endSessionUrl({ id_token_hint: tokens.id_token ?? '' }));
      expect(visitor.page.step).toBe('signed-out');
      expect(heard).toMatchObject([{ sub, aud: 'listening' }]);
      await visitor.visit(await portal.authorizationUrl());
      expect(visitor.page.step).toBe('identify');
    });

    test('gives a second factor', async () => {
      await visitor.visit(await portal.authorizationUrl({ acr_values: MFA }));
      await passPassword(visitor, people.next('app'));
      expect(visitor.page.step).toBe('totp');
      await visitor.submit({ code: await codeOf(cluster) });
      expect((await portal.exchange(visitor.left)).claims()).toMatchObject({ acr: MFA });
    });

    test('allows a portal something', async () => {
      const third = await Portal.discover(cluster, stranger);
      await visitor.visit(await third.authorizationUrl(OFFLINE));
      await passPassword(visitor, people.next('plain'));
      expect(visitor.page.step).toBe('consent');
      await visitor.submit();
      const tokens = await third.exchange(visitor.left);
      expect((await third.refresh(tokens.refresh_token ?? '')).access_token).toBeDefined();
    });

    test('forgot the password, and gets one mail', async () => {
      const person = people.next('plain');
      await visitor.visit(await portal.authorizationUrl());
      await visitor.choose('recovery');
      await visitor.choose('forgot-password');
      await visitor.submit({ username: person.username });
      await visitor.visit(linkIn(await mail.next(addressOf(person), /new password/), '/recovery/password/new'));
      await chooseNewPassword(visitor, NEW);
      expect((await portal.exchange(visitor.left)).claims()).toMatchObject({ amr: ['pwd'] });
      await mail.next(addressOf(person), /was changed/);
      expect(mail.to(addressOf(person)).filter(({ subject }) => /new password/.test(subject))).toHaveLength(1);
    });

    test('comes by an external eID', async () => {
      const place = { vestibule: cluster, portal, evil };
      const citizen = { sub: 'citizen-of-both', acr: 'substantial' };
      const linked = await claimsAt(place, await link(place, citizen, people.next('plain')));
      const claims = await claimsAt(place, await signInAs(place, citizen));
      expect(claims).toMatchObject({ sub: linked?.sub, acr: SUBSTANTIAL });
      expect(evil.faults).toEqual([]);
    });

    test('changes the password in the account area, and is signed out of every other browser', async () => {
      const person = people.next('plain');
      const elsewhere = new Visitor(cluster);
      await portal.exchange(await signIn(elsewhere, portal, {}, person));
      await visitor.visit('/account/password');
      await passPassword(visitor, person);
      const passwords = { current_password: person.password, new_password: NEW, new_password_again: NEW };
      await visitor.submit({ ...passwords, sign_out_others: 'yes' });
      expect([visitor.page.status, visitor.page.error]).toEqual([200, undefined]);
      await elsewhere.visit(await portal.authorizationUrl());
      expect(elsewhere.page.step).toBe('identify');
      await portal.exchange(await giveUsernameAndPassword(elsewhere, { ...person, password: NEW }));
    });

    test('guesses: five tries in all, not five at each node', async () => {
      await visitor.visit(await portal.authorizationUrl());
      await lockOut(visitor, people.next('plain').username);
    });
  });

  test('a node that is told to stop says so first, and answers who comes meanwhile, each for the last time', async () => {
    const node = cluster.nodes[1] as Vestibule;
    node.signal('SIGTERM');
    const readiness = async () => (await fetch(`${node.operationsUrl}/health/ready`)).status;
    await until(
      async () => (await readiness()) === 503,
      () => 'the node is still ready',
    );
    const answer = await fetch(`http://127.0.0.1:${node.port}/jwks`);
    expect([answer.status, answer.headers.get('connection')]).toEqual([200, 'close']);
    await portal.exchange(await signIn(visitor, portal, {}, people.next('plain')));
    expect(await node.ended()).toBe(0);
    await node.restart();
    const sent = cluster.requests[1] ?? 0;
    await until(
      async () => {
        await portal.exchange(await signInSilently(visitor, portal));
        return (cluster.requests[1] ?? 0) > sent + 1;
      },
      () => 'the node is sent nothing',
    );
  });

  describe('under load no sign-in fails', () => {
    let load: Load;
    const crowded = (): Load =>
      startLoad(
        cluster,
        portal,
        [1, 2, 3].map(() => people.next('plain')),
      );
    /** Something happens while people sign in. */
    const during = async (work: () => Promise<void>): Promise<void> => {
      load = crowded();
      try {
        await load.more(2);
        await work();
        await load.more(4);
      } finally {
        await load.stop();
      }
      expect(load.failures).toEqual([]);
    };
    /** All nodes have logged an event that they hadn't before. */
    const loggedByAll = (event: string): (() => Promise<unknown>) => {
      const seen = cluster.nodes.map(({ logs }) => new Set(logs));
      return () => Promise.all(cluster.nodes.map((node, at) => node.logged(event, (line) => !seen[at]?.has(line))));
    };

    test('when one node after the other is restarted, not even one that was begun before', async () => {
      await visitor.visit(await portal.authorizationUrl());
      const person = people.next('plain');
      await visitor.submit({ username: person.username });
      await during(async () => {
        for (const node of cluster.nodes) {
          const pid = node.pid;
          await node.restart();
          expect(node.pid).not.toBe(pid);
          await load.more(3);
        }
      });
      await visitor.submit({ password: person.password });
      await portal.exchange(visitor.left);
    }, 240_000);

    test('when the files are read again', async () => {
      const newcomer = clientFile('newcomer');
      await during(async () => {
        await cluster.configure({ clients: [newcomer], settings: { lifetimes: { access_token: '20m' } } });
        const reloaded = loggedByAll('config.reloaded');
        cluster.signal('SIGHUP');
        await reloaded();
      });
      const tokens = await (async () => {
        const fresh = await Portal.discover(cluster, newcomer);
        return fresh.exchange(await signIn(visitor, fresh, {}, people.next('plain')));
      })();
      expect(tokens.expires_in).toBe(1200);
    }, 180_000);

    test('when the signing keys change, and a portal never meets one it can’t have', async () => {
      let announced: (() => Promise<unknown>) | undefined;
      await during(async () => {
        announced = loggedByAll('keys.changed');
        const { code, stderr } = (await cluster.nodes[0]?.command(['keys', 'rotate'])) ?? {};
        expect([code, stderr]).toEqual([0, '']);
        await cluster.advanceClock(LOOKED);
        await announced();
      });
      // A day later, but for a moment: the jump would end what is under way.
      const changed = loggedByAll('keys.changed');
      await cluster.advanceClock(DAY - 2 * LOOKED - 10);
      const kids = await signingKids();
      await during(async () => {
        for (let moved = 0; moved < 2; moved += 1) {
          await cluster.advanceClock(LOOKED);
          await load.more(2);
        }
        await cluster.advanceClock(LOOKED);
        await changed();
      });
      // The portal of this load had its keys from before.
      expect(load.refetches).toBe(0);
      expect(await signingKids()).toEqual(kids.toReversed());
    }, 240_000);

    const signingKids = async (): Promise<readonly string[]> => {
      const { keys } = (await (await fetch(`${cluster.issuer}/jwks`)).json()) as {
        keys: { alg: string; kid: string }[];
      };
      return keys.filter(({ alg }) => alg === 'RS256').map(({ kid }) => kid);
    };
  });
});
