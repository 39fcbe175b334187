import type { KoaContextWithOIDC, Provider } from 'oidc-provider';
import type { Logger } from '../kernel/logger.ts';

interface ErrorLike {
  readonly message: string;
  readonly error_description?: string;
  readonly error_detail?: string;
  readonly expose?: boolean;
}

/** Library events whose second argument is an error, and what we call them. */
const REFUSALS: Readonly<Record<string, string>> = {
  'authorization.error': 'authorization.refused',
  'grant.error': 'token.refused',
  'userinfo.error': 'userinfo.refused',
  'introspection.error': 'introspection.refused',
  'revocation.error': 'revocation.refused',
  'pushed_authorization_request.error': 'par.refused',
  'end_session.error': 'logout.refused',
  'end_session_confirm.error': 'logout.refused',
  'device_authorization.error': 'device.refused',
  'code_verification.error': 'device.refused',
  'device_resume.error': 'device.refused',
  'registration_create.error': 'registration.refused',
  'registration_read.error': 'registration.refused',
  'registration_update.error': 'registration.refused',
  'registration_delete.error': 'registration.refused',
};

export interface ProtocolMeters {
  /** An authorization request ended at the portal with success. */
  authorized(): void;
  /** Tokens were issued for a grant type. */
  tokenIssued(grantType: string): void;
}

/**
 * Turns the library's events into log lines and counts. Its emitters are synchronous: a listener
 * that throws would turn a finished answer into a 500, so each is wrapped.
 */
export function observe(provider: Provider, logger: Logger, meters: ProtocolMeters): void {
  const on = (name: string, listener: (...args: never[]) => void): void => {
    provider.on(
      name as 'server_error',
      ((...args: never[]) => {
        try {
          listener(...args);
        } catch (error) {
          logger.error({ event: 'listener.failed', listener: name, err: error });
        }
      }) as never,
    );
  };

  for (const [name, event] of Object.entries(REFUSALS)) {
    on(name, (ctx: KoaContextWithOIDC, error: ErrorLike) => {
      logger.info({
        event,
        request_id: ctx.state.requestId,
        client_id: ctx.oidc?.client?.clientId,
        error: error.message,
        error_description: error.error_description,
        detail: error.error_detail,
      });
    });
  }
  on('server_error', (ctx: KoaContextWithOIDC, error: Error) => {
    logger.error({ event: 'server.error', request_id: ctx.state.requestId, path: ctx.path, err: error });
  });
  on('authorization.success', () => meters.authorized());
  on('grant.success', (ctx: KoaContextWithOIDC) => meters.tokenIssued(String(ctx.oidc.params?.grant_type)));
  on('end_session.success', (ctx: KoaContextWithOIDC) => {
    logger.info({ event: 'logout.succeeded', request_id: ctx.state.requestId, client_id: ctx.oidc.client?.clientId });
  });
  on('backchannel.error', (ctx: KoaContextWithOIDC, error: Error, client: { clientId: string }) => {
    logger.warn({
      event: 'logout.backchannel.failed',
      request_id: ctx.state.requestId,
      client_id: client.clientId,
      err: error,
    });
  });
}
