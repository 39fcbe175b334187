import type { Language } from '../../config/schema/values.ts';
import type { TextValues } from '../../i18n/index.ts';

/** What went wrong on the last try: `code` names the text `problems.<code>`. */
export interface Problem {
  readonly code: string;
  readonly values?: TextValues | undefined;
}

interface Form {
  /** Address the form posts to. */
  readonly action: string;
}

interface SignedForm extends Form {
  /** Value of the hidden field `_csrf`. */
  readonly csrf: string;
}

/** A form of the protocol library: its hidden fields are passed on as they are. */
interface ProtocolForm extends Form {
  readonly fields: Readonly<Record<string, string>>;
}

/**
 * What each page may be given. Every string is untrusted; templates escape it. Properties not
 * named in `MODEL_FIELDS` never reach a template.
 */
export interface PageModels {
  identify: SignedForm & {
    readonly username?: string | undefined;
    readonly problem?: Problem | undefined;
    /** Shows "cancel and return to the portal". */
    readonly cancel?: boolean | undefined;
  };
  password: SignedForm & {
    readonly username: string;
    readonly problem?: Problem | undefined;
    /** Where "Not you?" posts to (button `switch`). */
    readonly switchAction: string;
    readonly cancel?: boolean | undefined;
  };
  consent: SignedForm & {
    readonly username: string;
    readonly scopes: readonly string[];
    readonly claims: readonly string[];
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
}

export type PageName = keyof PageModels;
export type PageModel = PageModels[PageName];

/** The properties of each model that its template sees. */
export const MODEL_FIELDS: { readonly [P in PageName]: readonly string[] } = {
  identify: ['action', 'csrf', 'username', 'cancel'],
  password: ['action', 'csrf', 'username', 'switchAction', 'cancel'],
  consent: ['action', 'csrf', 'username'],
  error: ['status', 'reference', 'retryHref'],
  'sign-out': ['action', 'fields'],
  'signed-out': [],
  'still-signed-in': [],
  'device-code': ['action', 'fields', 'userCode'],
  'device-confirm': ['action', 'fields', 'userCode'],
  'device-done': [],
};

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
