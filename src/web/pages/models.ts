import type { Language } from '../../config/schema/values.ts';
import type { TextValues } from '../../i18n/index.ts';

/** What went wrong on the last try: `code` names the text `problems.<code>`. */
export interface Problem {
  readonly code: string;
  readonly values?: TextValues | undefined;
  /** Seconds until another try makes sense; becomes `{{wait}}` in the sentence. */
  readonly wait?: number | undefined;
}

/** Another second factor that somebody has, offered on the page of one. */
export type Way = 'totp' | 'sms' | 'passkey' | 'recovery-code';

/** An external provider that somebody may sign in at, as its button shows it. */
export interface ExternalWay {
  readonly id: string;
  /** As the provider writes it. */
  readonly name: string;
  /** Of an asset; one that leads elsewhere isn't shown. */
  readonly logoUrl?: string | undefined;
}

/** A page on which somebody may sign in elsewhere: each button posts `alternative=external:<id>`. */
interface WaysElsewhere extends ProofForLink {
  readonly externals?: readonly ExternalWay[] | undefined;
}

/** A page on which somebody proves an account to link an identity to it. */
interface ProofForLink {
  /** Name of the provider; says so, and offers to go on without. */
  readonly linking?: string | undefined;
}

interface Form {
  /** Address the form posts to. */
  readonly action: string;
}

interface SignedForm extends Form {
  /** Value of the hidden field `_csrf`. */
  readonly csrf: string;
}

/** A form that the script sends with a passkey. */
interface PasskeyForm extends SignedForm {
  /** Address that answers the script with what the browser needs to use or create a passkey. */
  readonly optionsAction: string;
}

/** A page on which somebody may find out that they can't sign in. */
interface WayToRecovery {
  /** Where "Can't sign in?" leads. */
  readonly recoveryHref?: string | undefined;
}

/** A form that asks for a code on top of what was proven already. */
interface CodeForm extends SignedForm, ProofForLink {
  readonly username: string;
  /** Where "Not you?" posts to (button `switch`). */
  readonly switchAction: string;
  readonly cancel?: boolean | undefined;
  readonly problem?: Problem | undefined;
  /** The other ones this person has. */
  readonly ways: readonly Way[];
  /** For how many days this device may be trusted; absent where none may. */
  readonly trustDays?: number | undefined;
}

/** A browser in which the second factor is not asked for; times are seconds since the epoch. */
export interface TrustedDeviceView {
  readonly id: string;
  readonly name: string;
  readonly createdAt: number;
  readonly expiresAt: number;
}

/** A page shown on the way in and in the account area, which alone has a way back. */
interface SharedForm extends SignedForm, Partial<AccountPage> {
  readonly cancel?: boolean | undefined;
  readonly problem?: Problem | undefined;
}

/** A page of the account area. */
interface AccountPage {
  /** Where "Cancel" or "Back" leads. */
  readonly backHref: string;
}

/** A passkey as its owner sees it; times are seconds since the epoch. */
export interface PasskeyView {
  readonly name: string;
  /** Who keeps it: "iCloud Keychain", "Windows Hello". */
  readonly provider: string;
  readonly createdAt: number;
  readonly lastUsedAt?: number | undefined;
  /** It is on the person's other devices, too. */
  readonly synced: boolean;
  readonly renameHref: string;
  readonly deleteHref: string;
}

/** An identity at an external provider, as its owner sees it; times are seconds since the epoch. */
export interface IdentityView {
  /** Name of the provider. */
  readonly provider: string;
  /** Who the person is there, as the provider says. */
  readonly label?: string | undefined;
  readonly createdAt: number;
  readonly lastUsedAt?: number | undefined;
  readonly unlinkHref: string;
}

/** What the browser passes on to the person's password manager, so that it shows what is true here. */
export interface PasskeySignals {
  readonly rpId: string;
  readonly userId: string;
  readonly acceptedIds: readonly string[];
  readonly name: string;
  readonly displayName: string;
}

/** A form of the protocol library: its hidden fields are passed on as they are. */
interface ProtocolForm extends Form {
  readonly fields: Readonly<Record<string, string>>;
}

/**
 * What each page may be given. Every string is untrusted; templates escape it. Properties not
 * named in `MODEL_FIELDS` (`fields.ts`) never reach a template.
 */
export interface PageModels {
  identify: PasskeyForm &
    WaysElsewhere &
    WayToRecovery & {
      readonly username?: string | undefined;
      readonly problem?: Problem | undefined;
      /** Shows "cancel and return to the portal". */
      readonly cancel?: boolean | undefined;
    };
  password: SignedForm &
    WaysElsewhere &
    WayToRecovery & {
      readonly username: string;
      readonly problem?: Problem | undefined;
      /** Where "Not you?" posts to (button `switch`). */
      readonly switchAction: string;
      readonly cancel?: boolean | undefined;
      /** Offers the way back to the passkey. */
      readonly passkey?: boolean | undefined;
      /** Says which browsers sign in without a password. */
      readonly oldBrowser?: boolean | undefined;
    };
  passkey: PasskeyForm &
    WaysElsewhere &
    WayToRecovery & {
      readonly username: string;
      readonly switchAction: string;
      readonly cancel?: boolean | undefined;
      readonly problem?: Problem | undefined;
      readonly passwordInstead: boolean;
    };
  /** Shown in the same words for usernames that nobody has. */
  locked: SignedForm &
    WaysElsewhere &
    WayToRecovery & {
      readonly username: string;
      readonly switchAction: string;
      readonly cancel?: boolean | undefined;
      /** Offers the passkey, which still works. */
      readonly passkey?: boolean | undefined;
      /** Seconds since the epoch. */
      readonly until: number;
      /** The mail with the link has been asked for. */
      readonly sent: boolean;
      /** Whether mails can be sent at all. */
      readonly mails: boolean;
      readonly problem?: Problem | undefined;
    };
  totp: CodeForm;
  /** @property ending last digits of the telephone number */
  sms: CodeForm & { readonly ending: string };
  'recovery-code': CodeForm;
  /**
   * `link`: nobody here has the identity somebody came back with. `unlinkable`: what protects the account can't be shown
   * here. `step-up`: the portal asks for an identity of those in `externals`.
   */
  external: SharedForm &
    WayToRecovery & {
      readonly createAccounts: boolean;
      /** Whose account it is, where that is known. */
      readonly username?: string | undefined;
      /** Where "Not you?" posts to (button `switch`). */
      readonly switchAction?: string | undefined;
      readonly externals: readonly ExternalWay[];
      /** Who the person is there, as the provider says. */
      readonly label?: string | undefined;
    } & (
      | { readonly mode: 'step-up'; readonly provider?: string | undefined }
      /** @property provider its name */
      | {
          readonly mode: 'link' | 'unlinkable';
          readonly provider: string;
          /** Whose account it would be is known already. */
          readonly signedIn?: boolean;
        }
    );
  'enrol-totp': SharedForm & {
    readonly username?: string | undefined;
    /** Base32, as it is typed into an app. */
    readonly secret: string;
    /** `otpauth:` address. */
    readonly uri: string;
  };
  'recovery-codes': SharedForm & {
    /** The new list; none says how many are left of the old one. */
    readonly codes: readonly string[];
    readonly left: number;
    /** So few are left that new ones are offered. */
    readonly few: boolean;
  };
  'offer-passkey': PasskeyForm & {
    readonly username: string;
    readonly problem?: Problem | undefined;
    /** `this-device`: the passkey just used is on another device. */
    readonly reason: 'first' | 'this-device';
    /** The script first tries to create it without a dialog; the page shows itself if that fails. */
    readonly automatic: boolean;
  };
  consent: SignedForm & {
    readonly username: string;
    readonly scopes: readonly string[];
    readonly claims: readonly string[];
    /** Claims that are told as an external provider says, or not at all. */
    readonly confirmed?: readonly string[] | undefined;
    readonly resources: readonly { readonly indicator: string; readonly scopes: readonly string[] }[];
    readonly offline: boolean;
  };
  error: {
    /** `errors.<code>.title` and `.text`; an unknown code falls back by `status`. */
    readonly code: string;
    readonly status: number;
    /** Seconds; becomes `{{wait}}` in the text. */
    readonly retryAfter?: number | undefined;
    /** `error` and `error_description` of OAuth are shown to administrators in small print. */
    readonly values?: TextValues | undefined;
    readonly reference: string;
    readonly retryHref?: string | undefined;
  };
  'sign-out': ProtocolForm & { readonly clientName?: string | undefined };
  'signed-out': Readonly<Record<string, never>>;
  'still-signed-in': Readonly<Record<string, never>>;
  'device-code': ProtocolForm & { readonly userCode?: string | undefined; readonly problem?: Problem | undefined };
  'device-confirm': ProtocolForm & { readonly userCode: string; readonly clientName: string };
  'device-done': { readonly clientName?: string | undefined };
  'account-passkeys': {
    readonly username: string;
    readonly passkeys: readonly PasskeyView[];
    /** The browser can create passkeys. */
    readonly canAdd: boolean;
    readonly addHref: string;
    readonly signOutHref: string;
    readonly notice?: 'added' | 'renamed' | 'deleted' | undefined;
    /** Changes ask for a passkey first. */
    readonly needsStronger?: boolean | undefined;
    /** Absent for people who never had a passkey. */
    readonly signals?: PasskeySignals | undefined;
  };
  'account-passkey-add': PasskeyForm & AccountPage & { readonly problem?: Problem | undefined };
  'account-passkey-name': SignedForm &
    AccountPage & {
      readonly name: string;
      readonly isNew: boolean;
      readonly problem?: Problem | undefined;
    };
  'account-passkey-delete': SignedForm &
    AccountPage & { readonly name: string; readonly provider: string; readonly lastOne: boolean };
  'account-two-factor': {
    readonly username: string;
    readonly on: boolean;
    /** Seconds since the epoch. */
    readonly since?: number | undefined;
    /** Recovery codes. */
    readonly left: number;
    readonly few: boolean;
    readonly setUpHref: string;
    /** Where "Make new recovery codes" posts to. */
    readonly codesAction: string;
    readonly csrf: string;
    readonly offHref: string;
    readonly signOutHref: string;
    readonly devices: readonly TrustedDeviceView[];
    /** Where a device is taken off the list, by its `id`. */
    readonly devicesAction: string;
    readonly notice?: 'on' | 'replaced' | 'off' | 'codes' | 'devices' | undefined;
  };
  'account-two-factor-off': SignedForm & AccountPage;
  'account-identities': SignedForm & {
    readonly username: string;
    readonly identities: readonly IdentityView[];
    /** Those that can be linked. */
    readonly externals: readonly ExternalWay[];
    readonly signOutHref: string;
    /** Changes ask for a passkey first. */
    readonly needsStronger?: boolean | undefined;
    readonly notice?: 'linked' | 'unlinked' | undefined;
    readonly problem?: Problem | undefined;
  };
  'account-identity-unlink': SignedForm &
    AccountPage & { readonly provider: string; readonly label?: string | undefined; readonly lastOne: boolean };
  recovery: {
    readonly forgotPasswordHref: string;
    readonly forgotUsernameHref: string;
    /** The sign-in under way. */
    readonly backHref?: string | undefined;
  };
  'recovery-password': SignedForm & {
    readonly username?: string | undefined;
    readonly problem?: Problem | undefined;
    readonly backHref: string;
  };
  'recovery-username': SignedForm & {
    /** Usernames are mailed; else the page says who helps. */
    readonly mails: boolean;
    readonly problem?: Problem | undefined;
    readonly email?: string | undefined;
    readonly backHref: string;
  };
  /** The same whether or not anything was sent. */
  'recovery-sent': {
    readonly about: 'password' | 'username' | 'not_me';
    readonly againHref: string;
    /** Back to the sign-in under way. */
    readonly backHref?: string | undefined;
  };
  /** In the account area, which gives it a way back, and behind the link of a mail. */
  'change-password': SignedForm & {
    readonly username: string;
    /** Asks for the current password first. */
    readonly current: boolean;
    /** Characters needed. */
    readonly minimum: number;
    /** What the password must not be made of, for the hint while typing. */
    readonly words: readonly string[];
    readonly problem?: Problem | undefined;
    /** The field that the problem is about. */
    readonly field?: 'current_password' | 'new_password' | 'new_password_again' | undefined;
    /** Offers to sign out elsewhere. */
    readonly signOutOthers: boolean;
    readonly backHref?: string | undefined;
    readonly notice?: 'changed' | undefined;
  };
  'recovery-done': {
    /** The portal that the way began at. */
    readonly portalHref?: string | undefined;
  };
  /** Behind "this wasn't me" in a mail. */
  'not-me': SignedForm & { readonly username: string };
  'account-refused': AccountPage & {
    /**
     * `last_way_in` is about a passkey, `last_identity` about a linked identity; `demanded`: an organisation or a portal
     * asks for two factors.
     */
    readonly reason: 'last_way_in' | 'last_identity' | 'needs_stronger' | 'demanded';
    /** `needs_stronger`: where to confirm with a passkey. */
    readonly retryHref?: string | undefined;
  };
}

export type PageName = keyof PageModels;
export type PageModel = PageModels[PageName];

/** The portal a person comes from, as pages show it; texts are already in the page's language. */
export interface ClientView {
  readonly id: string;
  readonly name: string;
  readonly uri?: string | undefined;
  readonly policyUri?: string | undefined;
  readonly tosUri?: string | undefined;
  readonly logoUrl?: string | undefined;
  readonly stylesheetUrl: string;
  readonly helpUrl?: string | undefined;
  readonly supportContact?: string | undefined;
  /** Anti-phishing notice. */
  readonly notice?: string | undefined;
}

export interface PageContext {
  readonly language: Language;
  /** The language with a region (`de-CH`), see `chooseLocale`; default: the language alone. */
  readonly locale?: string | undefined;
  readonly requestId: string;
  readonly client?: ClientView | undefined;
  /** Address of this page in each offered language, the current one included. */
  readonly languages: readonly { readonly language: Language; readonly href: string }[];
}
