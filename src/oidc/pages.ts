import type { KoaContextWithOIDC } from 'oidc-provider';

/** The pages the protocol endpoints end in; written by `web/`, as the protocol knows no templates. */
export interface ProviderPages {
  /** An error that can't be sent back to the portal. */
  error(ctx: KoaContextWithOIDC, error: { code: string; status: number; values: Record<string, string> }): void;
  signOut(ctx: KoaContextWithOIDC, form: { action: string; fields: Record<string, string> }): void;
  signedOut(ctx: KoaContextWithOIDC): void;
  /** Asked whether to sign out, the person chose to stay. */
  stillSignedIn(ctx: KoaContextWithOIDC): void;
  deviceCode(
    ctx: KoaContextWithOIDC,
    form: { action: string; fields: Record<string, string>; userCode?: string; problem?: string },
  ): void;
  deviceConfirm(
    ctx: KoaContextWithOIDC,
    form: { action: string; fields: Record<string, string>; userCode: string },
  ): void;
  deviceDone(ctx: KoaContextWithOIDC): void;
}
