import { createHash } from 'node:crypto';
import { type Clock, epochSeconds } from '../kernel/clock.ts';
import { type Random, systemRandom } from '../kernel/random.ts';
import { isSameText } from '../kernel/same-text.ts';
import type { SecretBox } from '../kernel/secret-box.ts';
import type { ArtifactStore } from '../storage/ports.ts';
import { UpstreamError } from './errors.ts';
import type { RequestSecrets } from './relying-party.ts';

const TRANSACTION = 'FederationTransaction';
const ANSWER = 'FederationAnswer';
const SEALED_AS = { transaction: 'federation transaction', answer: 'federation answer' } as const;

/** Seconds from the button to the way back: an app to install, a card to find. */
export const TRANSACTION_LIFETIME = 600;
/** Seconds it is known afterwards that there was one: whoever comes late is led back to where they began. */
const REMEMBERED = 3600;
/** Characters of what an upstream may send through the browser. */
const LONGEST_ANSWER = 16_384;

/** One person on the way to an upstream and back. */
export interface Transaction {
  /** `Upstream.id` */
  readonly provider: string;
  /** What for: a sign-in, a link, a step-up … what was begun for one is not redeemed for another. */
  readonly purpose: string;
  /** What only the same browser has: the interaction or the session it began in. */
  readonly binding: string;
  /** Where that is proven: a path of this server, to which whoever brings the answer is sent. */
  readonly resume: string;
  readonly secrets: RequestSecrets;
}

export interface RedeemedTransaction extends Transaction {
  /** What the upstream sent through the browser. Nothing in it was checked. */
  readonly parameters: URLSearchParams;
}

/**
 * Kept server-side under the hash of `state`, sealed, for ten minutes, and used once. The answer is put beside it where it
 * arrives, by whatever browser, and taken by the one that both began and brought it: it began shows by the binding, that it
 * brought it by a ticket. Refusals are `UpstreamError('transaction')`.
 */
export interface Transactions {
  /** @returns the state: all that leaves the server until there is an answer */
  begin(transaction: Transaction): Promise<string>;
  /**
   * Puts down what arrived at a provider's callback, once: the same again is taken for a reloaded page, another is refused.
   * What comes too late is not kept, and said to be so where it is taken.
   * @returns where to send the browser: `resume` with `answer`, which no other browser learns
   * @throws UpstreamError `transaction`, `parameters` when it is too long
   */
  deliver(provider: string, state: string, parameters: URLSearchParams): Promise<string>;
  /**
   * Takes transaction and answer. Of any number of callers one gets it; whoever lacks binding or ticket changes nothing.
   * @param answer as `deliver` gave it to the browser
   * @throws UpstreamError `transaction`, `expired`
   */
  redeem(answer: string, expected: Pick<Transaction, 'provider' | 'purpose' | 'binding'>): Promise<RedeemedTransaction>;
}

/** What is put down of an answer. */
interface Answer {
  readonly parameters: string;
  /** Given to the browser that brought it, and to no other. */
  readonly ticket: string;
}

/** @param deps.store the ephemeral artifacts */
export function createTransactions(deps: {
  store: ArtifactStore;
  secretBox: SecretBox;
  clock: Clock;
  random?: Random;
}): Transactions {
  const { store, secretBox, clock, random = systemRandom } = deps;
  const refused = (why: string) => new UpstreamError('transaction', why);
  const keyOf = (state: string): string => createHash('sha256').update(state).digest('base64url');

  const keep = (text: string, as: keyof typeof SEALED_AS, expiresAt: number) => ({
    payload: { sealed: secretBox.seal(SEALED_AS[as], text) },
    expiresAt,
  });
  const find = async (key: string) => {
    const kept = await store.find(TRANSACTION, key);
    if (!kept) throw refused('unknown');
    if (kept.consumedAt !== undefined) throw refused('used before');
    const sealed = secretBox.open(SEALED_AS.transaction, String(kept.payload.sealed));
    const endsAt = kept.expiresAt - REMEMBERED;
    return { transaction: JSON.parse(sealed) as Transaction, endsAt, isLate: epochSeconds(clock) >= endsAt };
  };
  const answerTo = async (key: string): Promise<Answer | undefined> => {
    const kept = await store.find(ANSWER, key);
    return kept && (JSON.parse(secretBox.open(SEALED_AS.answer, String(kept.payload.sealed))) as Answer);
  };
  const wayBack = ({ resume, secrets }: Transaction, ticket: string): string =>
    `${resume}?${new URLSearchParams({ answer: `${secrets.state}.${ticket}` })}`;

  return {
    async begin(transaction) {
      const { state } = transaction.secrets;
      const expiresAt = epochSeconds(clock) + TRANSACTION_LIFETIME + REMEMBERED;
      const kept = keep(JSON.stringify(transaction), 'transaction', expiresAt);
      if (!(await store.insertOnly(TRANSACTION, keyOf(state), kept))) throw refused('begun before');
      return state;
    },

    async deliver(provider, state, given) {
      const parameters = given.toString();
      if (parameters.length > LONGEST_ANSWER) throw new UpstreamError('parameters', 'the answer is too long');
      const key = keyOf(state);
      const { transaction, endsAt, isLate } = await find(key);
      if (transaction.provider !== provider) throw refused('of another provider');
      if (isLate) return wayBack(transaction, '');
      const answer: Answer = { parameters, ticket: random.bytes(32).toString('hex') };
      if (await store.insertOnly(ANSWER, key, keep(JSON.stringify(answer), 'answer', endsAt)))
        return wayBack(transaction, answer.ticket);
      const before = await answerTo(key);
      // Loaded again: whoever has the code itself is the browser that it was given to.
      if (before?.parameters !== parameters) throw refused('answered before');
      return wayBack(transaction, before.ticket);
    },

    async redeem(brought, expected) {
      const [state = '', ticket = ''] = brought.split('.');
      const key = keyOf(state);
      const { transaction, isLate } = await find(key);
      if (transaction.provider !== expected.provider) throw refused('of another provider');
      if (transaction.purpose !== expected.purpose) throw refused('for another purpose');
      if (transaction.binding !== expected.binding) throw refused('of another browser');
      if (isLate) throw new UpstreamError('expired', 'too late');
      const answer = await answerTo(key);
      if (answer === undefined) throw refused('not answered yet');
      // Who began may have sent somebody else there, to be signed in as them: the answer came to that browser, not to this.
      if (!isSameText(answer.ticket, ticket)) throw refused('brought by another browser');
      // The mark stays until it would have expired; the code need not. Both at once: whoever comes second has no use for it.
      const [isFirst] = await Promise.all([
        store.consumeOnce(TRANSACTION, key, epochSeconds(clock)),
        store.remove(ANSWER, key),
      ]);
      if (!isFirst) throw refused('used before');
      return { ...transaction, parameters: new URLSearchParams(answer.parameters) };
    },
  };
}
