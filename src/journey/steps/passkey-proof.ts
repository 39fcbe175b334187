import type { Wanted } from '../../credentials/index.ts';
import { epochSeconds } from '../../kernel/clock.ts';
import { passwordSuffices } from '../next-step.ts';
import type { JourneyState, Proof } from '../state.ts';
import { offerAfter } from './offer.ts';
import type { StepContext, StepOutcome, StepServices } from './step.ts';

/** What a passkey's challenge is bound to: it answers this journey and no other. */
export const bindingOf = ({ uid }: JourneyState): string => `interaction ${uid}`;

/** Where one factor is not enough, fingerprint, face or PIN must be part of it. */
const needsVerifiedUser = ({ demand }: StepContext): boolean => !passwordSuffices(demand);

export const beginPasskey = (
  wanted: Wanted,
  state: JourneyState,
  context: StepContext,
  { credentials }: StepServices,
): Promise<unknown> => credentials.passkey.begin(bindingOf(state), wanted, needsVerifiedUser(context));

/**
 * Signs in with a passkey: of the person named before, or of whoever chose one where nobody was.
 * @param response JSON of the browser's response
 */
export async function provePasskey(
  response: string,
  state: JourneyState,
  context: StepContext,
  { accounts, credentials, attempts, clock }: StepServices,
): Promise<StepOutcome> {
  const attempt = await attempts.beginFrom(context.address);
  const outcome = await credentials.passkey
    .verify({
      binding: bindingOf(state),
      verified: needsVerifiedUser(context),
      response,
      ...(state.username === undefined ? {} : { owner: { accountId: state.accountId } }),
    })
    .catch(async (error: unknown) => {
      await attempt.takeBack();
      throw error;
    });
  const account = outcome.proven ? await accounts.find(outcome.accountId) : undefined;
  // Suspended: as if there were no such passkey.
  if (!outcome.proven || account?.state !== 'active') {
    const reason = outcome.proven ? 'suspended' : outcome.reason;
    const code = outcome.proven ? 'passkey_refused' : outcome.problem;
    const who = outcome.accountId === undefined ? {} : { accountId: outcome.accountId };
    return {
      problem: { code },
      events: [{ event: 'login.failed', details: { factor: 'passkey', reason }, ...who }],
    };
  }

  const proof: Proof = {
    factor: 'passkey',
    amr: outcome.amr,
    at: epochSeconds(clock),
    ...(outcome.attested ? { attested: true } : {}),
  };
  const proofs = [...state.proofs, proof];
  return {
    facts: {
      username: state.username ?? account.username,
      accountId: account.id,
      proofs,
      offer: outcome.crossDevice
        ? await offerAfter(proofs, 'this-device', account.id, context, credentials)
        : undefined,
    },
    events: [{ event: 'login.succeeded', accountId: account.id, details: { factor: 'passkey' } }],
    settle: attempt.succeeded,
  };
}
