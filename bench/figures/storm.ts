import { startMailSink } from '../../test/support/mail-sink.ts';
import { Portal } from '../../test/support/portal.ts';
import { startVestibule, type Vestibule } from '../../test/support/vestibule.ts';
import { Visitor } from '../../test/support/visitor.ts';
import { quantile } from '../report/statistics.ts';
import { csrfOf } from './names.ts';

/** Milliseconds: a thousand requests a minute. */
const EVERY = 60;
const PASSWORD = 'three blue kettles sing';
const CLIENT = {
  client_id: 'portal',
  client_name: 'Portal',
  client_secret: 'a secret of the bench alone',
  redirect_uris: ['http://localhost:3001/callback'],
  vestibule: { first_party: true },
};
/** Of the network the storm comes from, and of somebody else. */
const [ATTACKER, OTHER] = ['203.0.113.66', '198.51.100.7'];

export interface Storm {
  readonly logins: number;
  /** Milliseconds of a sign-in, from the password sent to the portal's code. */
  readonly quiet: { readonly p50: number; readonly p99: number };
  readonly stormy: { readonly p50: number; readonly p99: number };
  /** Requests for a mail during the stormy half, and how many of them were turned away. */
  readonly asked: number;
  readonly refused: number;
}

/** Whether other people sign in as fast while one address asks for a thousand recovery mails a minute. */
export async function storm(logins: number): Promise<Storm> {
  const sink = await startMailSink();
  const vestibule = await startVestibule({
    clients: [CLIENT],
    settings: { mail: sink.settings, passwords: null, proxy: { trusted: ['127.0.0.1', '::1'] } },
    people: Array.from({ length: 20 }, (_, n) => ({
      username: `person-${n}`,
      password: PASSWORD,
      email: `person-${n}@example.org`,
      emailVerified: true,
    })),
  });
  try {
    const portal = await Portal.discover(vestibule, CLIENT);
    await signIns(vestibule, portal, Math.ceil(logins / 5));
    const quiet = await signIns(vestibule, portal, logins);
    const attack = attacking(vestibule);
    const stormy = await signIns(vestibule, portal, logins);
    const { asked, refused } = await attack.stop();
    return { logins, quiet: summary(quiet), stormy: summary(stormy), asked, refused };
  } finally {
    await vestibule.stop();
    await sink.close();
  }
}

const summary = (ms: readonly number[]) => ({ p50: quantile(ms, 0.5), p99: quantile(ms, 0.99) });

async function signIns(vestibule: Vestibule, portal: Portal, count: number): Promise<number[]> {
  const taken: number[] = [];
  for (let n = 0; n < count; n += 1) {
    const visitor = from(vestibule, OTHER);
    await visitor.visit(await portal.authorizationUrl({}));
    await visitor.submit({ username: `person-${n % 20}` });
    const before = performance.now();
    await visitor.submit({ password: PASSWORD });
    taken.push(performance.now() - before);
    if (!visitor.left.searchParams.has('code')) throw new Error('the sign-in did not end at the portal');
  }
  return taken;
}

/** One request each time the clock says so, whether or not the last one was answered. */
function attacking(vestibule: Vestibule): { stop(): Promise<{ asked: number; refused: number }> } {
  const visitor = from(vestibule, ATTACKER);
  const page = visitor.visit('/recovery/password');
  const underWay: Promise<void>[] = [];
  let refused = 0;
  const ask = async (n: number): Promise<void> => {
    const url = new URL('/recovery/password', vestibule.issuer);
    const body = new URLSearchParams({ _csrf: csrfOf(await page), username: `person-${n % 20}` }).toString();
    const { status } = await visitor.request('POST', url, body, { origin: vestibule.issuer });
    if (status === 429) refused += 1;
  };
  const timer = setInterval(() => underWay.push(ask(underWay.length)), EVERY);
  return {
    async stop() {
      clearInterval(timer);
      await Promise.all(underWay);
      return { asked: underWay.length, refused };
    },
  };
}

function from(vestibule: Vestibule, address: string): Visitor {
  const visitor = new Visitor(vestibule);
  visitor.headers = { 'x-forwarded-for': address };
  return visitor;
}
