import { X509Certificate } from 'node:crypto';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import {
  type AuthenticationResponseJSON,
  generateAuthenticationOptions,
  generateRegistrationOptions,
  type PublicKeyCredentialCreationOptionsJSON,
  type PublicKeyCredentialRequestOptionsJSON,
  type RegistrationResponseJSON,
  SettingsService,
  verifyAuthenticationResponse,
  verifyRegistrationResponse,
  type WebAuthnCredential,
} from '@simplewebauthn/server';
import {
  type AssertionTamper,
  AttestationAuthority,
  type AuthenticatorOptions,
  type CreationTamper,
  SoftwareAuthenticator,
} from '../../support/authenticator/index.ts';

const origin = 'https://login.example.org';
const rpId = 'login.example.org';
const otherChallenge = Buffer.from('another challenge').toString('base64url');
const model = '4a1e2f30-5b6c-4d7e-8f90-a1b2c3d4e5f6';
const otherModel = '00112233-4455-6677-8899-aabbccddeeff';

/** What `refusalOf` says of a response in which all is right but the signature. */
const NO_FIT = /^the signature does not fit$/;

const ALGORITHMS = [
  ['ES256', -7],
  ['EdDSA', -8],
  ['ES384', -35],
  ['ES512', -36],
  ['RS256', -257],
] as const;

const REFUSED_CREATIONS: readonly (readonly [what: string, tamper: CreationTamper, why: RegExp])[] = [
  ['another origin', { origin: 'https://evil.example' }, /origin/],
  ['another relying party', { rpId: 'evil.example' }, /RP ID hash/],
  ['another type', { type: 'webauthn.get' }, /response type/],
  ['another challenge', { challenge: otherChallenge }, /challenge/],
  ['an absent user', { flags: { up: false } }, /user was not present/],
  ['an unverified user', { flags: { uv: false } }, /could not be verified/],
  ['a backup of what has none', { flags: { be: false, bs: true } }, /backed up, which should be impossible/],
  ['attested data that no flag announces', { flags: { at: false } }, /Leftover bytes/],
  ['extension data that is missing', { flags: { ed: true } }, /No data/],
  ['authenticator data with more behind it', { excess: { authenticatorData: 8192 } }, /Leftover bytes/],
  ['no id', { id: '' }, /Missing credential ID/],
  ['a known algorithm nobody asked for', { algorithm: -39 }, /public key alg "-39"/],
  ['an unknown algorithm', { algorithm: -65000 }, /public key alg "-65000"/],
  ['an altered signature', { altered: 'signature' }, NO_FIT],
  ['altered authenticator data', { altered: 'authenticatorData' }, NO_FIT],
  ['altered client data', { altered: 'clientData' }, NO_FIT],
];

const REFUSED_ASSERTIONS: readonly (readonly [what: string, tamper: AssertionTamper, why: RegExp])[] = [
  ['another origin', { origin: 'https://evil.example' }, /origin/],
  ['another relying party', { rpId: 'evil.example' }, /RP ID hash/],
  ['another type', { type: 'webauthn.create' }, /response type/],
  ['another challenge', { challenge: otherChallenge }, /challenge/],
  ['a foreign page around it', { crossOrigin: true, topOrigin: 'https://evil.example' }, /cross-origin/],
  ['a page around it that is none', { topOrigin: 'https://evil.example' }, /non-cross-origin/],
  ['an absent user', { flags: { up: false } }, /not present/],
  ['an unverified user', { flags: { uv: false } }, /could not be verified/],
  ['a backup of what has none', { flags: { be: false, bs: true } }, /backed up, which should be impossible/],
  ['attested data that is missing', { flags: { at: true } }, /bounds/],
  ['authenticator data with more behind it', { excess: { authenticatorData: 8192 } }, /Leftover bytes/],
  ['an altered signature', { altered: 'signature' }, NO_FIT],
  ['altered authenticator data', { altered: 'authenticatorData' }, NO_FIT],
  ['altered client data', { altered: 'clientData' }, NO_FIT],
];

const createOptions = (algorithms: number[] = [-7], attestationType: 'none' | 'direct' = 'none') =>
  generateRegistrationOptions({
    rpName: 'Vestibule',
    rpID: rpId,
    userName: 'alice',
    userID: new Uint8Array(Buffer.from('alice-handle')),
    supportedAlgorithmIDs: algorithms,
    attestationType,
  });

const getOptions = (...ids: string[]) =>
  generateAuthenticationOptions({ rpID: rpId, allowCredentials: ids.map((id) => ({ id })) });

function verifyCreation(options: PublicKeyCredentialCreationOptionsJSON, response: RegistrationResponseJSON) {
  return verifyRegistrationResponse({
    response,
    expectedChallenge: options.challenge,
    expectedOrigin: origin,
    expectedRPID: rpId,
    supportedAlgorithmIDs: options.pubKeyCredParams.map(({ alg }) => alg),
  });
}

function verifyAssertion(
  options: PublicKeyCredentialRequestOptionsJSON,
  response: AuthenticationResponseJSON,
  credential: WebAuthnCredential,
) {
  return verifyAuthenticationResponse({
    response,
    expectedChallenge: options.challenge,
    expectedOrigin: origin,
    expectedRPID: rpId,
    credential,
  });
}

/** The reason why the library refuses; `accepted` if it doesn't. */
async function refusalOf(verification: Promise<{ readonly verified: boolean }>): Promise<string> {
  try {
    return (await verification).verified ? 'accepted' : 'the signature does not fit';
  } catch (error) {
    return String(error);
  }
}

/** Registers at a server that takes it. */
async function register(phone: SoftwareAuthenticator, algorithm = -7, tamper: CreationTamper = {}) {
  const options = await createOptions([algorithm], 'direct');
  const response = await phone.create(options, tamper);
  const { registrationInfo } = await verifyCreation(options, response);
  if (!registrationInfo) throw new Error('not verified');
  return { response, info: registrationInfo, credential: registrationInfo.credential };
}

async function signIn(phone: SoftwareAuthenticator, credential: WebAuthnCredential, tamper: AssertionTamper = {}) {
  const options = await getOptions(credential.id);
  const response = await phone.get(options, tamper);
  return { response, ...(await verifyAssertion(options, response, credential)) };
}

const device = (options: Partial<AuthenticatorOptions> = {}) => new SoftwareAuthenticator({ origin, ...options });

describe.each(ALGORITHMS)('a credential of algorithm %s', (_name, algorithm) => {
  let options: PublicKeyCredentialCreationOptionsJSON;
  let phone: SoftwareAuthenticator;
  let credential: WebAuthnCredential;

  beforeAll(async () => {
    phone = device({ algorithm, attestation: 'self' });
    credential = (await register(phone, algorithm)).credential;
  });

  beforeEach(async () => {
    options = await createOptions([algorithm], 'direct');
  });

  test('is taken at registration, and signs in', async () => {
    const { info } = await register(device({ algorithm, attestation: 'self' }), algorithm);
    expect(info.fmt).toBe('packed');
    expect(await signIn(phone, credential)).toMatchObject({ verified: true });
  });

  test.each(REFUSED_CREATIONS)('is refused at registration: %s', async (_what, tamper, why) => {
    const response = await device({ algorithm, attestation: 'self' }).create(options, tamper);
    expect(await refusalOf(verifyCreation(options, response))).toMatch(why);
  });

  test.each(REFUSED_ASSERTIONS)('is refused at sign-in: %s', async (_what, tamper, why) => {
    expect(await refusalOf(signIn(phone, { ...credential, counter: 0 }, tamper))).toMatch(why);
  });

  test('is refused at sign-in with a counter that stands still or falls', async () => {
    const { newCounter } = (await signIn(phone, { ...credential, counter: 0 })).authenticationInfo;
    const seen = { ...credential, counter: newCounter };
    for (const counter of [newCounter, newCounter - 1])
      expect(await refusalOf(signIn(phone, seen, { counter }))).toMatch(/counter value/);
    expect(await refusalOf(signIn(phone, seen, { counter: newCounter + 1 }))).toBe('accepted');
  });

  test('is refused at sign-in when another key has signed', async () => {
    const thief = device({ algorithm });
    await register(thief, algorithm);
    const [signedBy] = thief.credentials;
    if (!signedBy) throw new Error('no credential');
    expect(await refusalOf(signIn(phone, credential, { signedBy }))).toMatch(NO_FIT);
  });

  test('is refused at sign-in under the id of another', async () => {
    const other = (await register(device({ algorithm }), algorithm)).credential;
    const request = await getOptions();
    const response = await phone.get(request, { id: other.id });
    expect(response).toMatchObject({ id: other.id, rawId: other.id });
    expect(await refusalOf(verifyAssertion(request, response, other))).toMatch(NO_FIT);
  });
});

// A server that wants to refuse these has to look itself.
describe('tampers that the library lets pass', () => {
  const other = Buffer.from('somebody else').toString('base64url');

  test.each<readonly [what: string, tamper: CreationTamper]>([
    ['a response id other than the signed one', { id: other }],
    ['a credential id that another has', { credentialId: other }],
    ['a credential id longer than 1023 bytes', { credentialId: Buffer.alloc(1500, 1).toString('base64url') }],
    ['a foreign page around it', { crossOrigin: true, topOrigin: 'https://evil.example' }],
    ['an attestation that was not asked for', { attestation: new AttestationAuthority() }],
  ])('at registration: %s', async (_what, tamper) => {
    const options = await createOptions();
    const response = await device().create(options, tamper);
    expect(await refusalOf(verifyCreation(options, response))).toBe('accepted');
  });

  test.each<readonly [what: string, where: 'clientDataJSON' | 'attestationObject', tamper: CreationTamper]>([
    ['client data', 'clientDataJSON', { excess: { clientData: 65_536 } }],
    [
      'an attestation statement',
      'attestationObject',
      { attestation: 'self', excess: { attestationStatement: 65_536 } },
    ],
    ['bytes behind the attestation object', 'attestationObject', { excess: { attestationObject: 65_536 } }],
  ])('at registration: %s of 64 KB', async (_what, where, tamper) => {
    const options = await createOptions();
    const response = await device().create(options, tamper);
    expect(Buffer.from(response.response[where], 'base64url').length).toBeGreaterThan(65_536);
    expect(await refusalOf(verifyCreation(options, response))).toBe('accepted');
  });

  test.each<readonly [what: string, tamper: AssertionTamper]>([
    ['the handle of another user', { userHandle: other }],
    ['no user handle', { userHandle: null }],
    ['a foreign page around it that is not named', { crossOrigin: true }],
    ['large client data', { excess: { clientData: 65_536 } }],
    ['a credential that can be synced all of a sudden', { flags: { be: true, bs: true } }],
  ])('at sign-in: %s', async (_what, tamper) => {
    const phone = device();
    const { credential } = await register(phone);
    expect(await signIn(phone, credential, tamper)).toMatchObject({ verified: true });
  });
});

describe('attestation', () => {
  const trust = (...authorities: AttestationAuthority[]) =>
    SettingsService.setRootCertificates({ identifier: 'packed', certificates: authorities.map(({ pem }) => pem) });

  afterEach(() => trust());

  test('by an authority is taken by a server that trusts it', async () => {
    const root = new AttestationAuthority();
    trust(root);
    const { info } = await register(device({ aaguid: model, attestation: root }));
    expect(info).toMatchObject({ fmt: 'packed', aaguid: model });
  });

  test('reaches the trusted root over an intermediate authority', async () => {
    const root = new AttestationAuthority();
    trust(root);
    const maker = new AttestationAuthority('Maker', new AttestationAuthority('Region', root));
    expect((await register(device({ aaguid: model, attestation: maker }))).info.fmt).toBe('packed');
  });

  test('by an authority that is not trusted is refused', async () => {
    trust(new AttestationAuthority());
    const phone = device({ aaguid: model, attestation: new AttestationAuthority() });
    expect(await refusalOf(register(phone).then(() => ({ verified: true })))).toMatch(/trust anchor/);
  });

  test.each<readonly [what: string, tamper: CreationTamper, why: RegExp]>([
    ['claims to be another model', { aaguid: otherModel }, /id-fido-gen-ce-aaguid/],
    ['has an altered signature', { altered: 'signature' }, NO_FIT],
    ['covers altered authenticator data', { altered: 'authenticatorData' }, NO_FIT],
    ['says none and states something', { attestation: 'none', excess: { attestationStatement: 8192 } }, /None attest/],
  ])('that %s is refused', async (_what, tamper, why) => {
    const options = await createOptions([-7], 'direct');
    const response = await device({ aaguid: model, attestation: new AttestationAuthority() }).create(options, tamper);
    expect(await refusalOf(verifyCreation(options, response))).toMatch(why);
  });

  test('comes from certificates that others can read, too', () => {
    const root = new AttestationAuthority();
    const [leaf, ...rest] = root.certify(model).chain.map((der) => new X509Certificate(der));
    const issuer = new X509Certificate(root.pem);
    expect(rest).toEqual([]);
    expect(leaf?.verify(issuer.publicKey)).toBe(true);
    expect(leaf?.checkIssued(issuer)).toBe(true);
    expect([issuer.ca, leaf?.ca]).toEqual([true, false]);
    expect(leaf?.subject).toContain('OU=Authenticator Attestation');
    expect(leaf?.validToDate.getUTCFullYear()).toBe(2049);
  });

  test('stays in the browser when the server wants none; the model does not', async () => {
    const options = await createOptions();
    const response = await device({ aaguid: model, attestation: new AttestationAuthority() }).create(options);
    const { registrationInfo } = await verifyCreation(options, response);
    expect(registrationInfo).toMatchObject({ fmt: 'none', aaguid: model });
  });

  test('has no signature to alter where there is none', async () => {
    await expect(device().create(await createOptions(), { altered: 'signature' })).rejects.toThrow('nothing is signed');
  });
});

describe('the software authenticator', () => {
  test('is a device of its own, or one of many that share the passkey', async () => {
    const { info, response } = await register(device());
    expect(info).toMatchObject({ credentialDeviceType: 'singleDevice', credentialBackedUp: false, userVerified: true });
    expect(response).toMatchObject({ authenticatorAttachment: 'platform', response: { transports: ['internal'] } });
    const synced = await register(device({ synced: true }));
    expect(synced.info).toMatchObject({ credentialDeviceType: 'multiDevice', credentialBackedUp: true });
    expect(synced.response.response.transports).toEqual(['hybrid', 'internal']);
  });

  test('is a security key that verifies nobody, where that is enough', async () => {
    const key = device({ attachment: 'cross-platform', verifiesUser: false });
    const options = await createOptions();
    const response = await key.create(options);
    expect(response).toMatchObject({ authenticatorAttachment: 'cross-platform', response: { transports: ['usb'] } });
    expect(await refusalOf(verifyCreation(options, response))).toMatch(/could not be verified/);
  });

  test('counts its signatures for each credential, unless it is synced', async () => {
    const phone = device();
    const { credential } = await register(phone);
    const other = await register(phone);
    const counters = async (authenticator: SoftwareAuthenticator, used: WebAuthnCredential) => [
      (await signIn(authenticator, used)).authenticationInfo.newCounter,
      (await signIn(authenticator, used)).authenticationInfo.newCounter,
    ];
    expect(await counters(phone, credential)).toEqual([1, 2]);
    expect(await counters(phone, other.credential)).toEqual([1, 2]);
    const synced = device({ synced: true });
    expect(await counters(synced, (await register(synced)).credential)).toEqual([0, 0]);
    const eager = device({ synced: true, counts: true });
    expect(await counters(eager, (await register(eager)).credential)).toEqual([1, 2]);
  });

  test('goes on counting after it lied once', async () => {
    const phone = device();
    const { credential } = await register(phone);
    await signIn(phone, credential);
    await signIn(phone, credential, { counter: 4_000_000_000 });
    expect((await signIn(phone, credential)).authenticationInfo.newCounter).toBe(3);
  });

  test('uses the credential that is asked for, or its newest, and says whose it is', async () => {
    const phone = device();
    const first = await register(phone);
    const second = await register(phone);
    expect((await phone.get(await getOptions(first.credential.id))).id).toBe(first.credential.id);
    const { id, response } = await phone.get(await getOptions());
    expect(id).toBe(second.credential.id);
    expect(Buffer.from(response.userHandle ?? '', 'base64url').toString()).toBe('alice-handle');
  });

  test('remembers credentials until it forgets them', async () => {
    const phone = device();
    const { credential } = await register(phone);
    expect(phone.credentials).toMatchObject([
      { id: credential.id, rpId, userName: 'alice', algorithm: -7, counter: 0 },
    ]);
    phone.forget(credential.id);
    expect(phone.credentials).toEqual([]);
    await expect(phone.get(await getOptions())).rejects.toThrow(/no credential/);
  });

  test('takes a credential id that is chosen for it, and signs in with it', async () => {
    const credentialId = Buffer.from('a credential id of another').toString('base64url');
    const phone = device();
    const { response, credential } = await register(phone, -7, { credentialId });
    expect([response.id, credential.id]).toEqual([credentialId, credentialId]);
    expect(await signIn(phone, credential)).toMatchObject({ verified: true });
  });

  test('says of the page around it what it is told to, else that there is none', async () => {
    const clientData = async (tamper: CreationTamper) =>
      JSON.parse(
        Buffer.from(
          (await device().create(await createOptions(), tamper)).response.clientDataJSON,
          'base64url',
        ).toString(),
      );
    expect(await clientData({})).toEqual({
      type: 'webauthn.create',
      challenge: expect.any(String),
      origin,
      crossOrigin: false,
    });
    const framed = { crossOrigin: true, topOrigin: 'https://evil.example' };
    expect(await clientData(framed)).toMatchObject({ origin, ...framed });
  });

  test('takes the first algorithm it knows, if it is not made for one', async () => {
    const { publicKeyAlgorithm } = (await device().create(await createOptions([-65000, -257, -7]))).response;
    expect(publicKeyAlgorithm).toBe(-257);
  });

  test('says that the credential is discoverable to those who ask', async () => {
    const options = await createOptions();
    expect((await device().create(options)).clientExtensionResults).toEqual({ credProps: { rk: true } });
    expect((await device().create({ ...options, extensions: {} })).clientExtensionResults).toEqual({});
  });

  test('serves a page below the domain of the relying party', async () => {
    const phone = device({ origin: 'https://accounts.login.example.org:8443' });
    expect(await phone.create(await createOptions())).toMatchObject({ type: 'public-key' });
  });

  describe('refuses, as a browser does,', () => {
    const refused = (name: string) => expect.objectContaining({ name });

    test('a page of another domain', async () => {
      for (const evil of ['https://evil.example', 'https://evil-login.example.org'])
        await expect(device({ origin: evil }).create(await createOptions())).rejects.toEqual(refused('SecurityError'));
      await expect(device({ origin: 'https://evil.example' }).get(await getOptions())).rejects.toEqual(
        refused('SecurityError'),
      );
    });

    test('to be registered twice', async () => {
      const phone = device();
      const { credential } = await register(phone);
      const options = { ...(await createOptions()), excludeCredentials: [{ ...credential, type: 'public-key' }] };
      await expect(phone.create(options)).rejects.toEqual(refused('InvalidStateError'));
      expect(await device().create(options)).toMatchObject({ type: 'public-key' });
      expect(await phone.create(options, { credentialId: credential.id })).toMatchObject({ id: credential.id });
    });

    test('algorithms it does not know', async () => {
      await expect(device({ algorithm: -8 }).create(await createOptions([-7, -257]))).rejects.toEqual(
        refused('NotSupportedError'),
      );
    });

    test('to verify the user where it can not', async () => {
      const key = device({ verifiesUser: false });
      await key.create(await createOptions());
      const authenticatorSelection = { userVerification: 'required' } as const;
      await expect(key.create({ ...(await createOptions()), authenticatorSelection })).rejects.toEqual(
        refused('NotAllowedError'),
      );
      await expect(key.get({ ...(await getOptions()), userVerification: 'required' })).rejects.toEqual(
        refused('NotAllowedError'),
      );
    });

    test('to be of the other kind', async () => {
      const authenticatorSelection = { authenticatorAttachment: 'cross-platform' } as const;
      await expect(device().create({ ...(await createOptions()), authenticatorSelection })).rejects.toEqual(
        refused('NotAllowedError'),
      );
    });

    test('credentials that are not its own', async () => {
      const { credential } = await register(device());
      const phone = device();
      await register(phone);
      await expect(phone.get(await getOptions(credential.id))).rejects.toEqual(refused('NotAllowedError'));
    });
  });
});
