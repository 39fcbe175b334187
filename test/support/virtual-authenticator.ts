import type { CDPSession, Page } from 'playwright-core';

/** A passkey as the device keeps it; `privateKey` and all, so that another device can be given it. */
export interface KeptPasskey {
  readonly credentialId: string;
  readonly userName?: string;
  readonly userDisplayName?: string;
  readonly [name: string]: unknown;
}

export interface DeviceOptions {
  /** In the computer or telephone itself, a security key, or another device (`hybrid`). */
  readonly transport?: 'internal' | 'usb' | 'hybrid';
  /** Whether its passkeys are kept in a password manager that shares them between devices. */
  readonly synced?: boolean;
  /** Those it has from the beginning. */
  readonly passkeys?: readonly KeptPasskey[];
}

/** What a test waits for: a passkey was made, used for signing in, renamed or removed by the page. */
type Happening = 'credentialAdded' | 'credentialAsserted' | 'credentialUpdated' | 'credentialDeleted';
const HAPPENINGS: readonly Happening[] = [
  'credentialAdded',
  'credentialAsserted',
  'credentialUpdated',
  'credentialDeleted',
];

/**
 * Chromium's own virtual authenticator: its WebAuthn is real, only the person who touches it and looks
 * at it is not. `const phone = await addDevice(page)`, before the page opens anything; it stays with the
 * tab. Whatever is asked is confirmed at once, a passkey offered in a field is chosen at once.
 */
export async function addDevice(page: Page, options: DeviceOptions = {}): Promise<Device> {
  const { transport = 'internal', synced = false, passkeys = [] } = options;
  const session = await sessionOf(page);
  const { authenticatorId } = await session.send('WebAuthn.addVirtualAuthenticator', {
    options: {
      protocol: 'ctap2',
      ctap2Version: 'ctap2_1',
      // The protocol's description knows the old name `cable` alone, which not every Chromium does.
      transport: transport as 'internal',
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified: true,
      automaticPresenceSimulation: true,
      defaultBackupEligibility: synced,
      defaultBackupState: synced,
    },
  });
  const device = new Device(session, authenticatorId);
  for (const passkey of passkeys) await device.give(passkey);
  return device;
}

export class Device {
  readonly #session: CDPSession;
  readonly #id: { readonly authenticatorId: string };
  readonly #happened: { readonly what: Happening; readonly passkey: string }[] = [];
  readonly #watchers = new Set<() => void>();

  constructor(session: CDPSession, authenticatorId: string) {
    this.#session = session;
    this.#id = { authenticatorId };
    for (const what of HAPPENINGS)
      session.on(
        `WebAuthn.${what}`,
        (event: { authenticatorId: string; credentialId?: string; credential?: object }) => {
          if (event.authenticatorId !== authenticatorId) return;
          const { credentialId } = { ...event, ...event.credential } as KeptPasskey;
          this.#happened.push({ what, passkey: credentialId });
          for (const look of [...this.#watchers]) look();
        },
      );
  }

  async passkeys(): Promise<readonly KeptPasskey[]> {
    const { credentials } = await this.#session.send('WebAuthn.getCredentials', this.#id);
    return credentials as unknown as readonly KeptPasskey[];
  }

  /** A copy: its counter is ahead of all others', so that none is taken for a stolen one. */
  async give(passkey: KeptPasskey): Promise<void> {
    copies += 1;
    const credential = { ...passkey, signCount: copies * 1000 } as never;
    await this.#session.send('WebAuthn.addCredential', { ...this.#id, credential });
  }

  /** The person deletes everything in their password manager. */
  async forget(): Promise<void> {
    await this.#session.send('WebAuthn.clearCredentials', this.#id);
  }

  /** Whether the person recognises themselves to it: the right finger, face or PIN. */
  async recognises(isUserVerified: boolean): Promise<void> {
    await this.#session.send('WebAuthn.setUserVerified', { ...this.#id, isUserVerified });
  }

  /** Whether the person reacts when it asks; else it waits. */
  async reacts(enabled: boolean): Promise<void> {
    await this.#session.send('WebAuthn.setAutomaticPresenceSimulation', { ...this.#id, enabled });
  }

  /** It answers wrongly from now on: broken. No fault: mended. */
  async breaks(fault?: 'isBogusSignature' | 'isBadUV'): Promise<void> {
    const bits = { isBogusSignature: false, isBadUV: false, isBadUP: false };
    await this.#session.send('WebAuthn.setResponseOverrideBits', {
      ...this.#id,
      ...bits,
      ...(fault && { [fault]: true }),
    });
  }

  /** Out of reach. */
  async remove(): Promise<void> {
    await this.#session.send('WebAuthn.removeVirtualAuthenticator', this.#id);
  }

  /** Waits until this has happened to a passkey, now or before. @returns the passkey's id */
  happened(what: Happening): Promise<string> {
    return new Promise((resolve) => {
      const look = () => {
        const found = this.#happened.find((event) => event.what === what);
        if (!found) return;
        this.#watchers.delete(look);
        resolve(found.passkey);
      };
      this.#watchers.add(look);
      look();
    });
  }
}

let copies = 0;

const sessions = new WeakMap<Page, Promise<CDPSession>>();

/** One for all devices of a page: WebAuthn's are those of the session that switched them on. */
function sessionOf(page: Page): Promise<CDPSession> {
  const open = async () => {
    const session = await page.context().newCDPSession(page);
    // Chromium's own dialogs would wait for a hand.
    await session.send('WebAuthn.enable', { enableUI: false });
    return session;
  };
  const session = sessions.get(page) ?? open();
  sessions.set(page, session);
  return session;
}

/**
 * Browsers other than this one, for `page.addInitScript(…)` before the page opens anything. The
 * types of these scripts are the browser's, which the tests' are not.
 */
export const BROWSERS = {
  /** An old one. */
  withoutPasskeys: `
    delete globalThis.PublicKeyCredential;
    delete Navigator.prototype.credentials;`,

  /** One that offers no passkeys in fields; the virtual device would choose one at once. */
  withoutAutofill: 'globalThis.PublicKeyCredential.isConditionalMediationAvailable = async () => false;',

  /** One whose patience ends soon. */
  impatient: `
    const get = navigator.credentials.get.bind(navigator.credentials);
    navigator.credentials.get = (options) => {
      options.publicKey.timeout = 300;
      return get(options);
    };`,

  /** One in which asking for a passkey fails. */
  broken: `
    navigator.credentials.get = async () => {
      throw new DOMException('The authenticator did not work', 'UnknownError');
    };`,

  /**
   * One whose password manager makes passkeys by itself (conditional create). This Chromium has none,
   * so it never answers such a request; here it does, and writes down what it was asked.
   */
  withPasswordManager: `
    const create = navigator.credentials.create.bind(navigator.credentials);
    navigator.credentials.create = ({ mediation, ...options }) => {
      globalThis.noteCreation(mediation ?? '');
      return create(options);
    };`,
} as const;
