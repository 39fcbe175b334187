/**
 * Passkeys (WebAuthn Level 3, https://www.w3.org/TR/webauthn-3/; § numbers in this folder are its):
 *
 *   factor.ts         the port's implementation, and what the account area asks for
 *   sign-in.ts        options and checks of a sign-in; creation.ts: of a new passkey
 *   challenges.ts     single use, five minutes, bound to a ceremony
 *   responses.ts      what a browser hands back, as far as it is believed to be well-formed
 *   decoys.ts         names that nobody has look as if they had passkeys
 *   record.ts         what is stored; names.ts: what it is called; offers.ts: who is offered one
 *   relying-party.ts  for whom passkeys are made; failure.ts: why one was refused; library.ts: its loading
 */
export { CEREMONY_LIFETIME } from './challenges.ts';
export type { Owner } from './creation.ts';
export { createPasskeyFactor, NAME_MAX_LENGTH, type PasskeyFactor } from './factor.ts';
export { platformOf } from './names.ts';
export type { SignInOutcome, Wanted } from './sign-in.ts';
