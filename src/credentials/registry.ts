import type { Enrolled, Factor } from './factor.ts';
import { createKnownDevices, type KnownDevices } from './known-devices.ts';
import { createNewPassword, type NewPassword } from './new-password.ts';
import { createPasskeyFactor, type PasskeyFactor } from './passkey/index.ts';
import { createPasswordFactor, createPasswordRules, type PasswordFactor } from './password/index.ts';
import { createRecoveryCodes, type RecoveryCodes } from './recovery-codes/index.ts';
import type { CredentialServices } from './services.ts';
import { createSmsFactor, type SmsFactor } from './sms/index.ts';
import { createTotpFactor, type TotpFactor } from './totp/index.ts';
import { createTrustedDevices, type TrustedDevices } from './trusted-devices.ts';

export interface Credentials {
  readonly password: PasswordFactor;
  readonly passkey: PasskeyFactor;
  readonly totp: TotpFactor;
  readonly sms: SmsFactor;
  readonly recoveryCodes: RecoveryCodes;
  readonly trustedDevices: TrustedDevices;
  readonly knownDevices: KnownDevices;
  readonly newPassword: NewPassword;
  /** All of them. */
  readonly factors: readonly Factor[];
  /** Ids of those that sign somebody in by themselves. */
  readonly waysIn: readonly string[];
  /** Of each factor the account has enrolled, what it could show (RFC 8176). */
  potential(accountId: string): Promise<Enrolled[]>;
  close(): Promise<void>;
}

/** Every factor there is: one line each. */
export function createCredentials(given: Omit<CredentialServices, 'changed'>): Credentials {
  const { store, clock, config, logger } = given;
  const trustedDevices = createTrustedDevices({ store, clock, settings: config.trusted_devices });
  const services: CredentialServices = { ...given, changed: trustedDevices.forgetAll };
  const password = createPasswordFactor(services);
  const passkey = createPasskeyFactor(services);
  const totp = createTotpFactor(services);
  const sms = createSmsFactor({ ...services, replacedBy: totp });
  const recoveryCodes = createRecoveryCodes(services);
  const factors: readonly Factor[] = [password, passkey, totp, sms, recoveryCodes];
  const rules = createPasswordRules({ settings: config.passwords, logger });
  const potential = async (accountId: string): Promise<Enrolled[]> => {
    const kept = await store.all(accountId);
    const each = await Promise.all(
      factors.map(async (factor) => ({ factor: factor.id, amr: await factor.potential(accountId, kept) })),
    );
    return each.filter(({ amr }) => amr.length > 0);
  };
  return {
    password,
    passkey,
    totp,
    sms,
    recoveryCodes,
    trustedDevices,
    knownDevices: createKnownDevices(given),
    newPassword: createNewPassword({ ...given, rules, brand: config.branding.name, potential }),
    factors,
    waysIn: [password.id, passkey.id],
    potential,
    async close() {
      await Promise.all([password.close(), rules.close()]);
    },
  };
}
