import { timingSafeEqual } from 'node:crypto';
import { type Clock, epochSeconds } from '../../kernel/clock.ts';
import type { SecretBox } from '../../kernel/secret-box.ts';

/** Seconds between two looks at how many people have a passkey. */
const SHARE_AGE = 60;
const TAG_BYTES = 8;
/** Bytes, as the widespread providers make them. */
const SIZES = [16, 20, 32] as const;

export interface Decoys {
  /**
   * Whether a name that nobody has is treated as if it had a passkey: always the same for the same
   * name, and as often as for the names that people have (security-catalogue: enumeration).
   */
  hasPasskey(identifier: string): Promise<boolean>;
  /** Credential ids for such a name; the same whenever it is asked for. */
  credentialIds(identifier: string): string[];
  /** Whether `credentialIds` made it: told from a deleted passkey's by us, and by nobody else. */
  isDecoy(credentialId: string): boolean;
}

/** @param share accounts with a passkey per account, 0 to 1 */
export function createDecoys(deps: { share(): Promise<number>; secretBox: SecretBox; clock: Clock }): Decoys {
  const { secretBox, clock } = deps;
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

    credentialIds(identifier) {
      const seed = hash('passkey decoy id', identifier);
      const size = SIZES[(seed[0] ?? 0) % SIZES.length] as number;
      const body = hash('passkey decoy body', identifier).subarray(0, size - TAG_BYTES);
      return [Buffer.concat([body, tagOf(body)]).toString('base64url')];
    },

    isDecoy(credentialId) {
      const bytes = Buffer.from(credentialId, 'base64url');
      if (!SIZES.some((size) => size === bytes.length)) return false;
      return timingSafeEqual(tagOf(bytes.subarray(0, -TAG_BYTES)), bytes.subarray(-TAG_BYTES));
    },
  };
}
