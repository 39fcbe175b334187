import { may } from '../../accounts/index.ts';
import type { Wanted } from '../../credentials/index.ts';
import { epochSeconds } from '../../kernel/clock.ts';
import { suffices, withAccount } from '../next-step.ts';
import type { JourneyState, Proof } from '../state.ts';
import { enrolledOf } from './enrolled.ts';
import { offerAfter } from './offer.ts';
import type { StepContext, StepOutcome, StepServices } from './step.ts';

/** What a passkey's challenge is bound to: it answers this journey and no other. */
export const bindingOf = ({ uid }: JourneyState): string => `interaction ${uid}`;

/** Where a touch is not enough with what was proven before, fingerprint, face or PIN must be part of it. */
const needsVerifiedUser = (state: JourneyState, { demand }: StepContext, { ladder }: StepServices): boolean =>
  !suffices({ ladder, demand: withAccount({ ladder, demand, state }) }, [...state.proofs, { amr: ['hwk', 'user'] }]);

export const beginPasskey = (
  wanted: Wanted,
  state: JourneyState,
  context: StepContext,
  services: StepServices,
): Promise<unknown> =>
  services.credentials.passkey.begin(bindingOf(state), wanted, needsVerifiedUser(state, context, services));

/**
 * Signs in with a passkey: of the person named before, or of whoever chose one where nobody was.
 * @param response JSON of the browser's response
 */
export async function provePasskey(
  response: string,
  state: JourneyState,
  context: StepContext,
  services: StepServices,
): Promise<StepOutcome> {
  const { accounts, credentials, attempts, clock } = services;
  const attempt = await attempts.beginFrom(context.address);
  const outcome = await credentials.passkey
    .verify({
      binding: bindingOf(state),
      verified: needsVerifiedUser(state, context, services),
      response,
      ...(state.username === undefined ? {} : { owner: { accountId: state.accountId } }),
    })
    .catch(async (error: unknown) => {
      await attempt.takeBack();
      throw error;
    });
  const account = outcome.proven ? await accounts.find(outcome.accountId) : undefined;
  // Suspended: as if there were no such passkey.
  if (!outcome.proven || !account || !may(account, 'passkey')) {
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
  const [rest, offer] = await Promise.all([
    enrolledOf(account, context.device, services),
    outcome.crossDevice ? offerAfter(proofs, 'this-device', account.id, context, services) : undefined,
  ]);
  return {
    facts: {
      username: state.username ?? account.username,
      accountId: account.id,
      generation: account.generation,
      proofs,
      ...rest,
      offer,
    },
    events: [{ event: 'login.succeeded', accountId: account.id, details: { factor: 'passkey' } }],
    settle: attempt.succeeded,
  };
}
