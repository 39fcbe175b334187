import { hash } from 'node:crypto';
import { type Adapter, type AdapterPayload, errors, type InteractionResults } from 'oidc-provider';
import { UPSTREAM_SESSION } from '../federation/index.ts';
import { type Clock, epochSeconds } from '../kernel/clock.ts';
import type { SecretBox } from '../kernel/secret-box.ts';
import type { Artifact, ArtifactStore } from '../storage/ports.ts';

export interface AdapterDependencies {
  readonly durable: ArtifactStore;
  readonly ephemeral: ArtifactStore;
  readonly secretBox: SecretBox;
  readonly clock: Clock;
}

/** What must survive a power cut: losing it signs people out for weeks or revives a used token. */
const DURABLE = new Set(['Grant', 'RefreshToken', 'Client', 'RegistrationAccessToken', 'InitialAccessToken']);
/** What a revoked grant takes with it. */
const OF_A_GRANT = ['AccessToken', 'RefreshToken', 'AuthorizationCode', 'DeviceCode'];
/** Payload members that are bearer secrets of another record; sealed at rest. */
const SEALED_MEMBERS: Readonly<Record<string, readonly string[]>> = {
  DeviceCode: ['userCode'],
  Interaction: ['deviceCode', 'parJti'],
};
/** Kinds that are saved again after having been found by something else than their id. */
const ID_IS_SEALED_WITHIN = new Set(['DeviceCode']);
/** Kept this long past expiry: an interaction nobody answered in time still knows its portal for the way back. Seconds. */
const RETENTION = 86_400;
const isAbandoned = (kind: string, { result }: AdapterPayload): boolean =>
  kind === 'Interaction' && result === undefined;
/** The library accepts clocks that differ by `clockTolerance`; rows outlive it. Seconds. */
export const CLOCK_TOLERANCE = 15;
/** For records without an end, such as registered clients: the year 9999. */
const NEVER = 253_402_300_799;

/** Marked as ended for a while instead of removed: a request under way saves what it found once more, and
 *  that must not bring back a session that was signed out or a grant that was revoked. */
const ENDS_FOR_GOOD = new Set(['Session', 'Grant', 'Interaction']);
/** What of an account ends when its owner signs out everywhere: without its grant no code or token is worth anything. */
const OF_AN_ACCOUNT: readonly string[] = ['Session', 'Grant', 'Interaction', UPSTREAM_SESSION];
/** Longer than any request is under way. Seconds. */
const UNDER_WAY = 600;

/** Kept where it was, so that whatever saves it once more finds it ended. */
const marks = (clock: Clock): { at: number; until: number } => {
  const at = epochSeconds(clock);
  return { at, until: at + UNDER_WAY };
};

/** Ends everything of an account that lets somebody in. @param exceptSession `uid` of the one that stays */
export async function endAllOf(
  accountId: string,
  { durable, ephemeral, clock }: Pick<AdapterDependencies, 'durable' | 'ephemeral' | 'clock'>,
  exceptSession?: string,
): Promise<void> {
  const end = { ...marks(clock), exceptUid: exceptSession };
  await Promise.all(
    OF_AN_ACCOUNT.map((kind) => (DURABLE.has(kind) ? durable : ephemeral).endByAccount(kind, accountId, end)),
  );
}

/** Ends a session that is known by its `uid` alone, under whatever ids it has. */
export async function endSession(
  uid: string,
  { ephemeral, clock }: Pick<AdapterDependencies, 'ephemeral' | 'clock'>,
): Promise<void> {
  const { at, until } = marks(clock);
  // An ended one has no `uid` any more.
  for (
    let found = await ephemeral.findByUid('Session', uid);
    found;
    found = await ephemeral.findByUid('Session', uid)
  ) {
    await ephemeral.save('Session', found.id, { payload: {}, consumedAt: at, expiresAt: until });
  }
}

const SEAL = 'artifact';

/**
 * The protocol library's storage. The value of a code, token or session is a bearer secret:
 * only its hash is the key, and no record holds it (security-catalogue: secret exposure).
 */
export function createAdapter(deps: AdapterDependencies): (kind: string) => Adapter {
  const storeOf = (kind: string): ArtifactStore => (DURABLE.has(kind) ? deps.durable : deps.ephemeral);

  const end = (kind: string, key: string): Promise<void> => {
    const { at, until } = marks(deps.clock);
    return storeOf(kind).save(kind, key, { payload: {}, consumedAt: at, expiresAt: until });
  };

  const revokeGrant = async (grantId: string): Promise<void> => {
    await Promise.all([
      ...OF_A_GRANT.map((kind) => storeOf(kind).removeByGrant(kind, grantId)),
      end('Grant', keyOf('Grant', grantId)),
    ]);
  };

  return (kind) => {
    const store = storeOf(kind);

    const find = async (id: string): Promise<AdapterPayload | undefined> => {
      const artifact = await store.find(kind, keyOf(kind, id));
      if (ENDS_FOR_GOOD.has(kind) && artifact?.consumedAt !== undefined) return undefined;
      return artifact && unpack(kind, artifact, deps.secretBox, id);
    };

    return {
      async upsert(id, payload, expiresIn) {
        const artifact = pack(kind, payload, expiresIn, deps);
        if (kind !== 'ReplayDetection') return store.save(kind, keyOf(kind, id), artifact);
        // The library looks before it writes; only insert-only stops two simultaneous replays.
        if (!(await store.insertOnly(kind, keyOf(kind, id), artifact)))
          throw new errors.InvalidClientAuth('replay detected');
      },

      find,

      async findByUid(uid) {
        let found = await store.findByUid(kind, uid);
        for (; found?.artifact.consumedAt !== undefined; found = await store.findByUid(kind, uid)) {
          await end(kind, found.id);
        }
        return found && unpack(kind, found.artifact, deps.secretBox);
      },

      async findByUserCode(userCode) {
        const found = await store.findByUserCode(kind, keyOf('UserCode', userCode));
        return found && { ...unpack(kind, found.artifact, deps.secretBox), userCode };
      },

      /** Single use, decided by the store: of simultaneous redemptions one wins, and as a second
       *  use means a stolen value, the whole grant dies (RFC 9700 §4.13, §4.14). */
      async consume(id) {
        if (await store.consumeOnce(kind, keyOf(kind, id), epochSeconds(deps.clock))) return;
        const grantId = (await find(id))?.grantId;
        if (grantId) await revokeGrant(grantId);
        if (kind === 'PushedAuthorizationRequest') throw new errors.InvalidRequestUri('request_uri was already used');
        throw new errors.InvalidGrant('already used');
      },

      async destroy(id) {
        const key = keyOf(kind, id);
        if (!ENDS_FOR_GOOD.has(kind)) return store.remove(kind, key);
        const uid = kind === 'Session' ? (await store.find(kind, key))?.uid : undefined;
        await end(kind, key);
        if (uid === undefined) return;
        // Two tabs that finish at the same moment each give the session a new id; ending one ends the other.
        for (let twin = await store.findByUid(kind, uid); twin; twin = await store.findByUid(kind, uid)) {
          await end(kind, twin.id);
        }
      },

      revokeByGrantId: (grantId) => store.removeByGrant(kind, grantId),
    };
  };
}

/** Kind and value together, so that a value of one kind never opens a record of another. */
const keyOf = (kind: string, id: string): string => hash('sha256', `${kind} ${id}`, 'base64url');

/** Whole seconds: a client may write any number into the `exp` of what it signs (RFC 7519 §2). */
function endOf(expiresIn: number | undefined, retention: number, clock: Clock): number {
  if (expiresIn === undefined) return NEVER;
  return Math.min(NEVER, epochSeconds(clock) + Math.ceil(expiresIn) + CLOCK_TOLERANCE + retention);
}

function pack(
  kind: string,
  payload: AdapterPayload,
  expiresIn: number | undefined,
  { secretBox, clock }: AdapterDependencies,
): Artifact {
  const { jti, userCode, consumed: _decidedByTheStore, ...rest } = payload as AdapterPayload & Record<string, unknown>;
  // A device code is saved again after it was found by its id, and must still be known by its user code.
  const members: Record<string, unknown> = kind === 'DeviceCode' ? { ...rest, userCode } : rest;
  if (kind === 'Interaction') members.session = withoutCookie(members.session);
  for (const name of SEALED_MEMBERS[kind] ?? []) {
    if (typeof members[name] === 'string') members[name] = secretBox.seal(SEAL, members[name]);
  }
  if (ID_IS_SEALED_WITHIN.has(kind) && jti) members.sealedId = secretBox.seal(SEAL, jti);
  return {
    payload: kind === 'Client' ? { sealed: secretBox.seal(SEAL, JSON.stringify(members)) } : members,
    expiresAt: endOf(expiresIn, isAbandoned(kind, payload) ? RETENTION : 0, clock),
    ...(typeof members.grantId === 'string' && kind !== 'Interaction' ? { grantId: members.grantId } : {}),
    ...(kind === 'Session' && typeof members.uid === 'string' ? { uid: members.uid } : {}),
    ...(typeof userCode === 'string' ? { userCode: keyOf('UserCode', userCode) } : {}),
    ...ownerOf(kind, members),
  };
}

/** Whose it is, of what ends when its owner signs out everywhere (`sign-out.ts`). */
function ownerOf(kind: string, members: Record<string, unknown>): { accountId?: string } {
  if (!OF_AN_ACCOUNT.includes(kind)) return {};
  // A sign-in that was answered and not yet resumed: nobody has a session of it so far.
  const { accountId } = kind === 'Interaction' ? ((members.result as InteractionResults)?.login ?? {}) : members;
  return typeof accountId === 'string' ? { accountId } : {};
}

function unpack(kind: string, artifact: Artifact, secretBox: SecretBox, id?: string): AdapterPayload {
  const stored = artifact.payload;
  const { sealedId, ...members } =
    kind === 'Client'
      ? (JSON.parse(secretBox.open(SEAL, String(stored.sealed))) as Record<string, unknown>)
      : { ...stored };
  for (const name of SEALED_MEMBERS[kind] ?? []) {
    if (typeof members[name] === 'string') members[name] = secretBox.open(SEAL, members[name]);
  }
  const jti = id ?? (typeof sealedId === 'string' ? secretBox.open(SEAL, sealedId) : undefined);
  return {
    ...members,
    // A client has no jti; for the others it is the value that was looked up.
    ...(jti === undefined || kind === 'Client' ? {} : { jti }),
    ...(artifact.consumedAt === undefined ? {} : { consumed: artifact.consumedAt }),
  } as AdapterPayload;
}

/** The interaction keeps the session's cookie value, which nobody reads back. */
function withoutCookie(session: unknown): unknown {
  if (typeof session !== 'object' || session === null) return session;
  const { cookie: _value, ...rest } = session as Record<string, unknown>;
  return rest;
}
