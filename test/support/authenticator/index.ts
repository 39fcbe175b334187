/**
 * A software WebAuthn authenticator together with the browser in front of it: what the person's
 * device and `navigator.credentials` do, in the JSON shapes of https://www.w3.org/TR/webauthn-3/
 * (the sections named in this folder are its own). It is honest unless a `tamper` says otherwise.
 *
 *     const phone = new SoftwareAuthenticator({ origin: vestibule.issuer, synced: true });
 *     const registration = await phone.create(options);
 *     const assertion = await phone.get(options, { origin: 'https://evil.example' });
 */
export { AttestationAuthority } from './attestation-authority.ts';
export { type Attestation, type AuthenticatorOptions, SoftwareAuthenticator } from './authenticator.ts';
export type { FlagName } from './authenticator-data.ts';
export type { StoredCredential } from './stored-credential.ts';
export type { AssertionTamper, CreationTamper } from './tamper.ts';
