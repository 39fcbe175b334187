import { OperatorError, VestibuleError } from '../kernel/errors.ts';

/** What went wrong with an upstream, for the log: a person is told none of it (but see `level` and `cancelled`). */
export type UpstreamReason =
  /** The person turned back there (`access_denied`). */
  | 'cancelled'
  /** It answered with another error. */
  | 'refused'
  /** It vouches for less than was demanded, or can't vouch for that at all. */
  | 'level'
  /** It did not ask the person anew though it was told to. */
  | 'authentication_time'
  /** Its answer through the browser is malformed: a parameter twice, no code, too long. */
  | 'parameters'
  | 'state'
  /** RFC 9207: the answer is somebody else's. */
  | 'issuer'
  /** Single use, other browser, other provider, other purpose. */
  | 'transaction'
  /** Too late. */
  | 'expired'
  /** An address that this server doesn't fetch from. */
  | 'address'
  | 'unreachable'
  | 'too_slow'
  | 'too_large'
  | 'redirected'
  | 'metadata'
  | 'keys'
  | 'pushed_request'
  | 'token_endpoint'
  | 'id_token'
  | 'userinfo'
  | 'subject'
  | 'logout_token'
  /** None of the above: a fault of ours. */
  | 'internal';

/**
 * A sign-in at an upstream that comes to nothing. Neither the reason nor the message holds a secret, a token or
 * anything about a person, so both may be logged; there is no cause, because those of the libraries hold all three.
 */
export class UpstreamError extends Error {
  readonly reason: UpstreamReason;

  constructor(reason: UpstreamReason, message: string) {
    super(message);
    this.name = 'UpstreamError';
    this.reason = reason;
  }

  /** The person turned back: no failure, but one plain sentence. */
  get cancelled(): boolean {
    return this.reason === 'cancelled';
  }
}

/**
 * What a person is told of it: that it did not work, or took too long. What exactly was wrong is the cause, for the log.
 *
 * @param provider name of its file
 * @returns `external_expired` (400); `external_failed`: 400 where the browser's own request was out of turn, else 502
 */
export function refusal(provider: string, { reason, message }: UpstreamError): VestibuleError {
  const cause = new Error(`${provider}: ${reason}: ${message}`);
  if (reason === 'expired') return new VestibuleError('external_expired', 400, { cause });
  return new VestibuleError('external_failed', BROWSERS_OWN.includes(reason) ? 400 : 502, { cause });
}
const BROWSERS_OWN: readonly UpstreamReason[] = ['transaction', 'state', 'parameters'];

/**
 * What a library threw, as an error of ours.
 *
 * @param reason what was being done; an `UpstreamError` anywhere among the causes wins
 * @returns an `UpstreamError`; or, when it was no fault of the upstream (a store that does not answer, a key sealed
 *   under another master key), the error that says so
 */
export function upstreamError(reason: UpstreamReason, thrown: unknown): Error {
  const chain = causesOf(thrown);
  const own = chain.find(
    (error) => error instanceof UpstreamError || error instanceof VestibuleError || error instanceof OperatorError,
  );
  if (own) return own;
  if (chain.some(({ name }) => name === 'TimeoutError' || name === 'AbortError')) {
    return new UpstreamError('too_slow', 'the upstream did not answer in time');
  }
  const told = chain.findLast((error) => SAFE_CODE.test(codeOf(error)));
  if (!told) return new UpstreamError(reason, codeOf(chain[0]) || (chain[0]?.name ?? 'unknown error'));
  // The word of the upstream, such as invalid_grant: what it may consist of is in RFC 6749 §5.2, its length is not.
  const { error: word } = told as { error?: unknown };
  return new UpstreamError(reason, typeof word === 'string' ? `${told.message} (${wordOf(word)})` : told.message);
}

/** An error code from outside, cut down to what can't do harm in a log. */
export const wordOf = (word: string): string => word.replace(/[^\w.-]/g, '_').slice(0, 64);

/** Of openid-client and jose, whose messages are fixed sentences with names of claims, never with values. */
const SAFE_CODE = /^(?:OAUTH_|ERR_J)/;

const codeOf = (error: unknown): string => {
  const { code } = (error ?? {}) as { code?: unknown };
  return typeof code === 'string' ? code : '';
};

/** The error and its causes, outermost first. */
function causesOf(thrown: unknown): Error[] {
  const chain: Error[] = [];
  for (let error = thrown; error instanceof Error && chain.length < 8; error = error.cause) chain.push(error);
  return chain;
}
