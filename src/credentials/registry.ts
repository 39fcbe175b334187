import type { WaysIn } from '../storage/ports.ts';
import { createExternalFactor, type ExternalFactor } from './external/index.ts';
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
import { isLastWayIn } from './ways-in.ts';

export interface Credentials {
  readonly password: PasswordFactor;
  readonly passkey: PasskeyFactor;
  readonly totp: TotpFactor;
  readonly sms: SmsFactor;
  readonly recoveryCodes: RecoveryCodes;
  readonly external: ExternalFactor;
  readonly trustedDevices: TrustedDevices;
  readonly knownDevices: KnownDevices;
  readonly newPassword: NewPassword;
  /** All of them. */
  readonly factors: readonly Factor[];
  /** Which of its credentials sign an account in. @param isOn whether an external provider can be used */
  waysIn(accountId: string, isOn: (provider: string) => boolean): Promise<WaysIn>;
  /** Whether nothing but that credential would sign the account in. */
  isLastWayIn(accountId: string, credential: { kind: string; id: string }, waysIn: WaysIn): Promise<boolean>;
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
  const external = createExternalFactor(services);
  const factors: readonly Factor[] = [password, passkey, totp, sms, recoveryCodes, external];
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
    external,
    trustedDevices,
    knownDevices: createKnownDevices(given),
    newPassword: createNewPassword({ ...given, rules, brand: config.branding.name, potential }),
    factors,
    async waysIn(accountId, isOn) {
      // Whoever keeps nothing but the identity of a provider that is switched off is locked out.
      const off = (await external.list(accountId)).filter(({ provider }) => !isOn(provider));
      return { kinds: [password.id, passkey.id, external.id], except: off.map(({ id }) => id) };
    },
    isLastWayIn: (accountId, credential, waysIn) => isLastWayIn(store, { accountId, ...credential }, waysIn),
    potential,
    async close() {
      await Promise.all([password.close(), rules.close()]);
    },
  };
}
