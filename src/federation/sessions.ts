import { type Clock, epochSeconds } from '../kernel/clock.ts';
import type { SecretBox } from '../kernel/secret-box.ts';
import type { ArtifactStore } from '../storage/ports.ts';
import { UpstreamError } from './errors.ts';
import type { Identity } from './identity.ts';
import type { UpstreamLogout } from './logout-token.ts';
import type { Upstream } from './upstream.ts';

/** A session here, with whatever it was begun with at providers. Ended with everything else of an account. */
export const UPSTREAM_SESSION = 'UpstreamSession';
/** The same of a sign-in that is not over: it may take half an hour until an account is proven and linked. */
const SIGN_IN = 'UpstreamSignIn';
/** Finds both by what a logout token says. */
const NAME = 'UpstreamName';
const PURPOSE = 'upstream session';

/** A sign-in at a provider that a session here rests on. */
export interface UpstreamSignIn {
  readonly provider: string;
  /** Signed, decrypted; kept only where signing out here signs out there. */
  readonly idToken?: string;
  /** Keyed hash of `sub`, by which a logout token names the person; kept only where the provider sends such. */
  readonly subject?: string;
  /** Keyed hash of `sid`, by which it names the session there. */
  readonly sid?: string;
}

/** What the end of a session at a provider ends here. */
export interface EndedUpstream {
  readonly kind: 'session' | 'sign-in';
  /** Of the session, or of the interaction. */
  readonly uid: string;
  readonly accountId: string;
}

/**
 * Which sessions rest on which sign-ins at providers: so that signing out here signs out there, and the other way round.
 * ID tokens are sealed, people and sessions of providers keyed hashes.
 */
export interface UpstreamSessions {
  /**
   * Somebody came back from a provider and is the owner of the account: becomes the session's when the sign-in ends.
   * Whoever was remembered for another account in the same sign-in is forgotten.
   * @param interaction uid
   */
  remember(interaction: string, accountId: string, identity: Identity): Promise<void>;
  /**
   * A sign-in ended in a session, which is stored already.
   * @param expiresAt of the session, seconds since the epoch
   * @returns false when its provider ended it meanwhile: the session is not to live
   */
  adopt(interaction: string, session: { uid: string; accountId: string; expiresAt: number }): Promise<boolean>;
  /** Forgets a session that ended. @returns what it rested on */
  take(session: string): Promise<readonly UpstreamSignIn[]>;
  /**
   * What rests on the session that ended at the provider: that one alone if the token names one (`sid`), else all of that
   * person. Each is forgotten once the loop went on to the next, so a failure leaves it to a later try.
   * @throws UpstreamError `logout_token` when the session it names is another person's
   */
  endedBy(provider: string, logout: Pick<UpstreamLogout, 'subject' | 'sid'>): AsyncIterable<EndedUpstream>;
}

interface Place {
  readonly kind: typeof UPSTREAM_SESSION | typeof SIGN_IN;
  readonly id: string;
}

interface Kept {
  readonly accountId: string;
  readonly signIns: readonly UpstreamSignIn[];
}

/**
 * @param deps.store the ephemeral artifacts
 * @param deps.logoutOf how a provider signs out; undefined: it is gone or switched off
 * @param deps.signInLifetime seconds that a sign-in may take
 */
export function createUpstreamSessions(deps: {
  store: ArtifactStore;
  secretBox: SecretBox;
  clock: Clock;
  logoutOf(provider: string): Upstream['logout'] | undefined;
  signInLifetime: number;
}): UpstreamSessions {
  const { store, secretBox, clock, logoutOf, signInLifetime } = deps;

  /** The current one first, then those of earlier master keys. */
  const namesOf = (provider: string, kind: 'sub' | 'sid', value: string): readonly string[] =>
    secretBox.keyedHashes(PURPOSE, JSON.stringify([provider, kind, value]));
  const rowOf = (name: string, { kind, id }: Place): string => `${name} ${kind} ${id}`;

  const look = async ({ kind, id }: Place): Promise<(Kept & { readonly isOver: boolean }) | undefined> => {
    const found = await store.find(kind, id);
    if (found?.accountId === undefined) return undefined;
    const { payload, accountId, consumedAt } = found;
    // Ended with everything of its account, it is empty.
    const signIns = payload.sealed === undefined ? '[]' : secretBox.open(PURPOSE, String(payload.sealed));
    return { accountId, signIns: JSON.parse(signIns), isOver: consumedAt !== undefined };
  };
  const find = async (place: Place): Promise<Kept | undefined> => {
    const found = await look(place);
    return found?.isOver ? undefined : found;
  };

  const keep = async (place: Place, { accountId, signIns }: Kept, expiresAt: number): Promise<void> => {
    const { kind, id } = place;
    const sealed = secretBox.seal(PURPOSE, JSON.stringify(signIns));
    // At once: a logout that comes in between is no better off with one of them than with none.
    await Promise.all([
      store.save(kind, id, { payload: { sealed }, uid: id, accountId, expiresAt }),
      ...signIns
        .flatMap(linesOf)
        .map((name) => store.save(NAME, rowOf(name, place), { payload: { ...place }, uid: name, expiresAt })),
    ]);
  };

  const drop = async (place: Place, { signIns }: Kept): Promise<void> => {
    // A sign-in leaves a mark: it may be on its way to a session at this very moment.
    await (place.kind === SIGN_IN
      ? store.consumeOnce(SIGN_IN, place.id, epochSeconds(clock))
      : store.remove(place.kind, place.id));
    await Promise.all(signIns.flatMap(linesOf).map((name) => store.remove(NAME, rowOf(name, place))));
  };

  /** The newer sign-in at a provider takes the place of the older one. */
  const merge = (before: Kept | undefined, { accountId, signIns }: Kept): Kept => {
    const older = before?.accountId === accountId ? before.signIns : [];
    const kept = older.filter(({ provider }) => !signIns.some((newer) => newer.provider === provider));
    return { accountId, signIns: [...kept, ...signIns] };
  };

  return {
    async remember(interaction, accountId, { provider, idToken, upstreamSubject, sid }) {
      const place: Place = { kind: SIGN_IN, id: interaction };
      const logout = logoutOf(provider);
      const first = (kind: 'sub' | 'sid', value: string) => namesOf(provider, kind, value)[0];
      const signIn = {
        provider,
        ...(logout?.rpInitiated ? { idToken } : {}),
        ...(logout?.backChannel ? { subject: first('sub', upstreamSubject) } : {}),
        ...(logout?.backChannel && sid !== undefined ? { sid: first('sid', sid) } : {}),
      } as UpstreamSignIn;
      // Nothing is kept that nothing will ever be done with.
      const signIns = logout?.rpInitiated || logout?.backChannel ? [signIn] : [];
      const before = await find(place);
      if (signIns.length === 0 && before === undefined) return;
      await keep(place, merge(before, { accountId, signIns }), epochSeconds(clock) + signInLifetime);
    },

    async adopt(interaction, { uid, accountId, expiresAt }) {
      const from: Place = { kind: SIGN_IN, id: interaction };
      const pending = await look(from);
      if (pending?.accountId !== accountId) return true;
      if (pending.isOver) return false;
      if (pending.signIns.length === 0) return true;
      const to: Place = { kind: UPSTREAM_SESSION, id: uid };
      const merged = merge(await find(to), pending);
      await keep(to, merged, expiresAt);
      // What is pending is left where it was, as a second click ends the same sign-in once more.
      if (!(await look(from))?.isOver) return true;
      await drop(to, merged);
      return false;
    },

    async take(session) {
      const place: Place = { kind: UPSTREAM_SESSION, id: session };
      const kept = await find(place);
      if (!kept) return [];
      await drop(place, kept);
      return kept.signIns;
    },

    async *endedBy(provider, { subject, sid }) {
      const names = sid === undefined ? namesOf(provider, 'sub', subject ?? '') : namesOf(provider, 'sid', sid);
      for (const name of names) {
        for (let row = await store.findByUid(NAME, name); row; row = await store.findByUid(NAME, name)) {
          const place = row.artifact.payload as unknown as Place;
          const kept = await find(place);
          // A name that is left over of an earlier sign-in in the same session ends nothing.
          const signIn = kept?.signIns.find((one) => linesOf(one).includes(name));
          if (kept && signIn) {
            const isTheirs = subject === undefined || namesOf(provider, 'sub', subject).includes(signIn.subject ?? '');
            // Stops a provider's mistake, or a token made of two, from ending what is somebody else's.
            if (!isTheirs) throw new UpstreamError('logout_token', 'names the session of another person');
            const { accountId } = kept;
            yield { kind: place.kind === SIGN_IN ? 'sign-in' : 'session', uid: place.id, accountId };
            await drop(place, kept);
          }
          await store.remove(NAME, row.id);
        }
      }
    },
  };
}

const linesOf = ({ subject, sid }: UpstreamSignIn): readonly string[] =>
  [subject, sid].filter((name) => name !== undefined);
