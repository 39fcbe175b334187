import { timingSafeEqual } from 'node:crypto';
import { type Clock, epochSeconds } from '../../kernel/clock.ts';
import type { SecretBox } from '../../kernel/secret-box.ts';

/** Seconds between two looks at how many people have a passkey. */
const SHARE_AGE = 60;
const TAG_BYTES = 8;
/** What people have, as the widespread providers make it: bytes of the id, and how browsers reach it. */
const KINDS = [
  { size: 20, transports: ['hybrid', 'internal'] },
  { size: 32, transports: ['hybrid', 'internal'] },
  { size: 16, transports: ['hybrid', 'internal'] },
  { size: 32, transports: ['internal'] },
] as const;
/** Where a manufacturer has to vouch for the model, there are security keys alone. */
const ATTESTED_KINDS = [
  { size: 48, transports: ['nfc', 'usb'] },
  { size: 64, transports: ['usb'] },
] as const;
/** How many people have; one, mostly. */
const COUNTS = [1, 1, 2, 1, 1, 2, 1, 3] as const;

interface Kind {
  readonly size: number;
  readonly transports: readonly string[];
}

interface MadeUp {
  readonly id: string;
  readonly transports: string[];
}

export interface Decoys {
  /**
   * Whether a name that nobody has is treated as if it had a passkey: always the same for the same
   * name, and as often as for the names that people have (security-catalogue: enumeration).
   */
  hasPasskey(identifier: string): Promise<boolean>;
  /** Passkeys of such a name, as various as real ones; the same whenever they are asked for. */
  passkeys(identifier: string): MadeUp[];
  /** Whether `passkeys` made it: told from a deleted passkey's by us, and by nobody else. */
  isDecoy(credentialId: string): boolean;
}

/** @param share accounts with a passkey per account, 0 to 1 */
/** @param attested whether only models that a manufacturer vouches for are accepted here */
export function createDecoys(deps: {
  share(): Promise<number>;
  attested: boolean;
  secretBox: SecretBox;
  clock: Clock;
}): Decoys {
  const { secretBox, clock } = deps;
  const kinds: readonly Kind[] = deps.attested ? ATTESTED_KINDS : KINDS;
  const hash = (purpose: string, text: string) => Buffer.from(secretBox.keyedHash(purpose, text), 'base64url');
  const tagOf = (body: Buffer) => hash('passkey decoy tag', body.toString('base64url')).subarray(0, TAG_BYTES);

  let known: { share: number; until: number } | undefined;
  const currentShare = async (): Promise<number> => {
    const now = epochSeconds(clock);
    if (!known || known.until <= now) known = { share: await deps.share(), until: now + SHARE_AGE };
    return known.share;
  };

  return {
    async hasPasskey(identifier) {
      const place = hash('passkey decoy', identifier).readUInt32BE(0) / 2 ** 32;
      return place < (await currentShare());
    },

    passkeys(identifier) {
      const seed = hash('passkey decoy count', identifier);
      return Array.from({ length: pick(COUNTS, seed[0]) }, (_, n) => {
        const { size, transports } = pick<Kind>(kinds, hash('passkey decoy id', `${n} ${identifier}`)[0]);
        const bytes = ['first', 'second'].map((half) => hash('passkey decoy body', `${half} ${n} ${identifier}`));
        const body = Buffer.concat(bytes).subarray(0, size - TAG_BYTES);
        return { id: Buffer.concat([body, tagOf(body)]).toString('base64url'), transports: [...transports] };
      });
    },

    isDecoy(credentialId) {
      const bytes = Buffer.from(credentialId, 'base64url');
      if (!kinds.some(({ size }) => size === bytes.length)) return false;
      return timingSafeEqual(tagOf(bytes.subarray(0, -TAG_BYTES)), bytes.subarray(-TAG_BYTES));
    },
  };
}

const pick = <Choice>(choices: readonly Choice[], byte = 0): Choice => choices[byte % choices.length] as Choice;
