import type {
  AuthenticationResponseJSON,
  AuthenticatorTransport,
  RegistrationResponseJSON,
} from '@simplewebauthn/server';
import { z } from 'zod';

/** Bytes of a credential id: WebAuthn Level 3 §4 allows 1023. */
const CREDENTIAL_ID = 1023;
const base64url = (bytes: number) =>
  z
    .string()
    .min(1)
    .max(Math.ceil((bytes * 4) / 3))
    .regex(/^[A-Za-z0-9_-]+$/);
const attachment = z.enum(['platform', 'cross-platform']).optional().catch(undefined);
const TRANSPORTS = ['ble', 'cable', 'hybrid', 'internal', 'nfc', 'smart-card', 'usb'] as const;

const common = { id: base64url(CREDENTIAL_ID), rawId: base64url(CREDENTIAL_ID), type: z.literal('public-key') };

/** What `navigator.credentials.get` and `.create` hand back as JSON (WebAuthn Level 3 §5.1), as far as it is used. */
const assertion = z.object({
  ...common,
  authenticatorAttachment: attachment,
  response: z.object({
    clientDataJSON: base64url(4096),
    authenticatorData: base64url(2048),
    signature: base64url(2048),
    userHandle: base64url(64).nullish(),
  }),
});
const registration = z.object({
  ...common,
  authenticatorAttachment: attachment,
  response: z.object({
    clientDataJSON: base64url(4096),
    attestationObject: base64url(8192),
    // New names come with new devices; those nobody knows are left out, not refused.
    transports: z
      .array(z.string())
      .max(20)
      .transform((names) => TRANSPORTS.filter((name) => names.includes(name)))
      .catch([])
      .default([]),
  }),
});

/**
 * The part of the client data (§5.8.1) that says which ceremony it answers. Our pages are never framed: a
 * response made inside another's page is none of ours (the library looks at it only in part).
 */
const clientData = z.object({
  challenge: base64url(64),
  crossOrigin: z.literal(false).optional(),
  topOrigin: z.undefined().optional(),
});

export interface Read<Response> {
  readonly response: Response;
  readonly challenge: string;
  readonly crossDevice: boolean;
}

/** @returns undefined for anything that is no such response */
export function readAssertion(text: string): Read<AuthenticationResponseJSON> | undefined {
  const parsed = assertion.safeParse(json(text));
  const challenge = parsed.success ? challengeIn(parsed.data.response.clientDataJSON) : undefined;
  if (!parsed.success || challenge === undefined) return undefined;
  const { userHandle, ...response } = parsed.data.response;
  return {
    response: {
      ...parsed.data,
      response: userHandle ? { ...response, userHandle } : response,
      clientExtensionResults: {},
    } as AuthenticationResponseJSON,
    challenge,
    crossDevice: parsed.data.authenticatorAttachment === 'cross-platform',
  };
}

/** @returns undefined for anything that is no such response */
export function readRegistration(text: string): Read<RegistrationResponseJSON> | undefined {
  const parsed = registration.safeParse(json(text));
  const challenge = parsed.success ? challengeIn(parsed.data.response.clientDataJSON) : undefined;
  if (!parsed.success || challenge === undefined) return undefined;
  const { transports, ...response } = parsed.data.response;
  return {
    response: {
      ...parsed.data,
      response: { ...response, transports: transports as AuthenticatorTransport[] },
      clientExtensionResults: {},
    } as RegistrationResponseJSON,
    challenge,
    crossDevice: parsed.data.authenticatorAttachment === 'cross-platform',
  };
}

function json(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function challengeIn(clientDataJSON: string): string | undefined {
  const parsed = clientData.safeParse(json(Buffer.from(clientDataJSON, 'base64url').toString('utf8')));
  return parsed.success ? parsed.data.challenge : undefined;
}
