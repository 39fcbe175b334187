import type { Random } from '../kernel/random.ts';
import { isSameText } from '../kernel/same-text.ts';
import type { SecretBox } from '../kernel/secret-box.ts';
import type { Account } from '../storage/ports.ts';

/** Accounts one browser remembers; with one more, the one that is longest ago is forgotten. */
const MOST = 5;
const SEPARATOR = '.';

/** Whoever signs an account out everywhere starts another generation: no browser is known from before. */
type Who = Pick<Account, 'id' | 'generation'>;

/**
 * Browsers that an account was signed in with before. Such a browser has tries of its own at the password, so
 * that strangers who guess can't shut the owner out; and a sign-in with another one is told by mail.
 *
 * Nothing is stored: the browser keeps a random id for each account, signed (OWASP, "Slow Down Online Guessing
 * Attacks with Device Cookies"). It opens nothing and takes nobody's place in a sign-in.
 */
export interface KnownDevices {
  /** @param held what the browser sent, untrusted @returns its id for this account; undefined when it is not known */
  idOf(account: Who | undefined, held: string | undefined): string | undefined;
  /** @returns what the browser is to hold from now on */
  remember(account: Who, held: string | undefined): string;
}

export function createKnownDevices({ secretBox, random }: { secretBox: SecretBox; random: Random }): KnownDevices {
  const signature = (account: Who | undefined, id: string): string =>
    secretBox.keyedHash('known device', `${account?.id ?? 'nobody'} ${account?.generation ?? 0} ${id}`);

  /** Ids and signatures in turn. */
  const pairs = (held: string | undefined): (readonly [id: string, signature: string])[] => {
    const parts = held?.split(SEPARATOR, 2 * MOST) ?? [];
    return parts.flatMap((id, at) => (at % 2 === 0 ? [[id, parts[at + 1] ?? ''] as const] : []));
  };

  return {
    idOf(account, held) {
      return pairs(held).find(([id, signed]) => isSameText(signed, signature(account, id)))?.[0];
    },
    remember(account, held) {
      const id = random.id();
      const others = pairs(held).slice(0, MOST - 1);
      return [[id, signature(account, id)], ...others].flat().join(SEPARATOR);
    },
  };
}
