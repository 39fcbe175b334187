import { randomBytes } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Logout } from './logout-token.ts';
import type { Language } from './portals.ts';
import type { Attempt, Demand, Person } from './relying-party.ts';
import type { Message } from './texts.ts';

const LIFETIME_SECONDS = 8 * 3600;
/** What strangers can make the program remember. */
const MAX_SESSIONS = 1000;
const MAX_ATTEMPTS = 10;

export interface Session {
  id: string;
  readonly expiresAt: number;
  /** Chosen by the visitor; undefined while they haven't. */
  language?: Language | undefined;
  /** Sign-ins under way by their `state`: one for each tab. */
  readonly attempts: Map<string, Attempt>;
  person?: Person;
  /** Shown once. */
  message?: Message;
  /** Just back from the provider with this demand met: an API that repeats it is not obeyed for ever. */
  returned?: Demand;
}

/** One portal's sessions, in memory: a restart signs everybody out here, not at the provider. */
export class Sessions {
  readonly #path: string;
  readonly #sessions = new Map<string, Session>();

  constructor(path: string) {
    this.#path = path;
  }

  /** @returns the visitor's session, if there is one */
  find(request: IncomingMessage): Session | undefined {
    const cookies = (request.headers.cookie ?? '').split(';').map((pair) => pair.trim().split('='));
    const id = cookies.find(([name]) => name === this.#cookieName)?.[1] ?? '';
    const session = this.#sessions.get(id);
    return session && session.expiresAt > Date.now() ? session : undefined;
  }

  open(): Session {
    const [oldest] = this.#sessions.keys();
    if (oldest && this.#sessions.size >= MAX_SESSIONS) this.#sessions.delete(oldest);
    const session: Session = { id: newId(), expiresAt: Date.now() + LIFETIME_SECONDS * 1000, attempts: new Map() };
    this.#sessions.set(session.id, session);
    return session;
  }

  /** A new id when a person signs in: an id planted beforehand is worth nothing (session fixation). */
  renew(session: Session): void {
    this.#sessions.delete(session.id);
    session.id = newId();
    this.#sessions.set(session.id, session);
  }

  /** For this portal's pages only, out of reach of script. A portal on https adds `Secure`. */
  cookie(session: Session): string {
    return `${this.#cookieName}=${session.id}; Path=/${this.#path}; Max-Age=${LIFETIME_SECONDS}; HttpOnly; SameSite=Lax`;
  }

  remember(session: Session, attempt: Attempt): void {
    const [oldest] = session.attempts.keys();
    if (oldest && session.attempts.size >= MAX_ATTEMPTS) session.attempts.delete(oldest);
    session.attempts.set(attempt.state, attempt);
  }

  /** The provider said that this person signed out: so they do here. */
  end({ sub, sid }: Logout): void {
    for (const session of this.#sessions.values()) {
      const claims = session.person?.claims;
      if (!claims || (sub && claims.sub !== sub) || (sid && claims.sid !== sid)) continue;
      delete session.person;
      session.message = { kind: 'notice', key: 'signedOutElsewhere' };
    }
  }

  get #cookieName(): string {
    return `${this.#path}_session`;
  }
}

const newId = (): string => randomBytes(24).toString('base64url');
