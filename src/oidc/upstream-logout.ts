import type { Provider } from 'oidc-provider';
import type { EndedUpstream, UpstreamLogout, UpstreamSessions } from '../federation/index.ts';
import type { Logger } from '../kernel/logger.ts';
import { type AdapterDependencies, endSession } from './adapter.ts';

/**
 * Ends what rests on a session that ended at an external provider: sessions, with the grants and tokens that a sign-out
 * here would end, and sign-ins under way. The portals of a session are told.
 * @param provider the external one
 * @param record notes whose session ended; what it throws leaves that to another delivery of the same token
 */
export type EndUpstreamSessions = (
  provider: string,
  logout: UpstreamLogout,
  record: (accountId: string) => Promise<void>,
) => Promise<void>;

interface Deps extends Pick<AdapterDependencies, 'ephemeral' | 'clock'> {
  readonly provider: Provider;
  readonly sessions: UpstreamSessions;
  readonly logger: Logger;
}

type Session = NonNullable<Awaited<ReturnType<Provider['Session']['findByUid']>>>;

/** What the library offers and its types leave out. */
interface BackChannelClient {
  readonly clientId: string;
  readonly backchannelLogoutUri?: string;
  backchannelLogout(accountId: string, sid: string | undefined): Promise<void>;
}

export function createUpstreamLogout(deps: Deps): EndUpstreamSessions {
  const { provider, sessions } = deps;

  const endSignIn = async (uid: string): Promise<void> => {
    await (await provider.Interaction.find(uid))?.destroy();
  };
  const end = async ({ uid, accountId }: EndedUpstream): Promise<void> => {
    const session = await provider.Session.findByUid(uid);
    // Ended by an earlier delivery that failed after it.
    if (session?.accountId !== accountId) return;
    await Promise.all(grantsOf(session).map((grantId) => revoke(provider, grantId)));
    await endSession(uid, deps);
    await tellPortals(session, accountId, deps);
  };

  return async (id, logout, record) => {
    for await (const one of sessions.endedBy(id, logout)) {
      if (one.kind === 'sign-in') {
        await endSignIn(one.uid);
      } else {
        await end(one);
        await record(one.accountId);
      }
    }
  };
}

/** Back-Channel Logout 1.0 §2.7: what a portal got with `offline_access` outlives the session. */
const grantsOf = ({ authorizations = {} }: Session): readonly string[] =>
  Object.values(authorizations).flatMap(({ grantId, persistsLogout }) =>
    grantId === undefined || persistsLogout ? [] : [grantId],
  );

async function revoke(provider: Provider, grantId: string): Promise<void> {
  const { AccessToken, RefreshToken, AuthorizationCode, Grant } = provider;
  await Promise.all([AccessToken, RefreshToken, AuthorizationCode].map((kind) => kind.revokeByGrantId(grantId)));
  await (await Grant.find(grantId))?.destroy();
}

/** A portal that can't be told changes nothing: the session is over. */
async function tellPortals(session: Session, accountId: string, { provider, logger }: Deps): Promise<void> {
  await Promise.all(
    Object.keys(session.authorizations ?? {}).map(async (clientId) => {
      const client = (await provider.Client.find(clientId)) as unknown as BackChannelClient | undefined;
      if (!client?.backchannelLogoutUri) return;
      await client.backchannelLogout(accountId, session.sidFor(clientId)).catch((error: unknown) => {
        logger.warn({ event: 'logout.backchannel.failed', client_id: clientId, err: error });
      });
    }),
  );
}
