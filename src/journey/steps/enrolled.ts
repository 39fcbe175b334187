import { requiredLevel } from '../assurance.ts';
import type { Facts, StepServices } from './step.ts';

/**
 * What may be asked of somebody once it is known who they are: what they have enrolled, what their account
 * demands, and whether this browser stands in for their second factor.
 */
export async function enrolledOf(
  account: { readonly id: string; readonly minimumAcr?: string | undefined },
  device: string | undefined,
  { credentials, ladder }: Pick<StepServices, 'credentials' | 'ladder'>,
): Promise<Pick<Facts, 'enrolled' | 'required' | 'trusted'>> {
  const [enrolled, trusted] = await Promise.all([
    credentials.potential(account.id),
    credentials.trustedDevices.isTrusted(account.id, device),
  ]);
  const hasSecond = enrolled.some(({ factor }) => factor === 'totp' || factor === 'sms');
  return { enrolled, required: requiredLevel(ladder, hasSecond, account.minimumAcr), trusted };
}
