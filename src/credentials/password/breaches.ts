import { createHash } from 'node:crypto';
import type { Logger } from '../../kernel/logger.ts';

export interface BreachLookupSettings {
  /** Range API of Have I Been Pwned, or a mirror of it. */
  readonly url: string;
  /** Seconds. */
  readonly timeout: number;
  /** What becomes of a password that could not be looked up. */
  readonly on_failure: 'accept' | 'refuse';
}

/** @returns why a password is refused; undefined when it is in no known breach */
export type BreachLookup = (password: string) => Promise<'password_breached' | 'breach_lookup_failed' | undefined>;

/** Of the SHA-1 in hex: what leaves this server. A thousand and more known passwords share each. */
const PREFIX_LENGTH = 5;
/** Bytes; a usual answer has 40,000. */
const MAX_ANSWER = 1_000_000;
const LINE = /^([0-9A-F]{35}):(\d+)$/i;

/** A reason that is safe to log; messages of other errors may quote the address and with it the prefix. */
class LookupFailure extends Error {}

/** Asks for all breached passwords whose hash begins alike (k-anonymity), and looks for this one among them. */
export function createBreachLookup(settings: BreachLookupSettings, logger: Logger): BreachLookup {
  const base = settings.url.replace(/\/+$/, '');

  const isKnown = async (password: string): Promise<boolean> => {
    const hash = createHash('sha1').update(password).digest('hex').toUpperCase();
    const prefix = hash.slice(0, PREFIX_LENGTH);
    const answer = await fetch(`${base}/${prefix}`, {
      // Padded, so that its length doesn't tell an eavesdropper which range it is.
      headers: { accept: 'text/plain', 'add-padding': 'true' },
      redirect: 'error',
      signal: AbortSignal.timeout(settings.timeout * 1000),
    });
    if (!answer.ok) {
      await answer.body?.cancel();
      throw new LookupFailure(`answered ${answer.status}`);
    }
    return holds(await bounded(answer), hash.slice(PREFIX_LENGTH));
  };

  return async (password) => {
    try {
      return (await isKnown(password)) ? 'password_breached' : undefined;
    } catch (error) {
      logger.warn({ event: 'password.breach_lookup.failed', reason: reasonOf(error) });
      return settings.on_failure === 'refuse' ? 'breach_lookup_failed' : undefined;
    }
  };
}

async function bounded(answer: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of answer.body ?? []) {
    bytes += chunk.length;
    // Leaving the loop ends the transfer.
    if (bytes > MAX_ANSWER) throw new LookupFailure('answered too much');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('latin1');
}

function holds(answer: string, suffix: string): boolean {
  const lines = answer.split(/\r?\n/).filter((line) => line !== '');
  // Such as the page of a proxy that wants somebody to sign in.
  if (!lines.every((line) => LINE.test(line))) throw new LookupFailure('answered something else');
  return lines.some((line) => {
    const [, found, count] = LINE.exec(line) ?? [];
    // Padding has a count of 0.
    return found?.toUpperCase() === suffix && Number(count) > 0;
  });
}

function reasonOf(error: unknown): string {
  if (error instanceof LookupFailure) return error.message;
  const { name, cause } = error as { name?: string; cause?: { code?: string } };
  return name === 'TimeoutError' ? 'timed out' : (cause?.code ?? name ?? 'unknown');
}
