import { batchesOf } from '../../kernel/batches.ts';
import type { Artifact, ArtifactStore } from '../ports.ts';
import { text, whole } from '../values.ts';
import { artifactOf, recordOf } from './artifact-record.ts';
import type { Call, Connection } from './connection.ts';
import { type IndexedBy, idOf, type Keys, memberOf } from './keys.ts';
import { type Lifetime, stamp } from './lifetime.ts';

type Found = { id: string; artifact: Artifact };

/** How many candidates an index gives with their records at once. */
const AT_ONCE = 8;
/** Records ended or removed between two looks at the time. */
const CHUNK = 200;

/**
 * Indexes are sorted sets of ids, scored by expiry. An entry is never taken out before it expires:
 * one that leads nowhere, or to a record that has changed hands since, is harmless, because every
 * reader looks at the record itself; a record without its entry would outlive its owner's
 * sign-out. Hence entries are written first (in a cluster) or with the record (elsewhere), and no
 * reader tidies up: the entry it finds useless may be that of a record just being written.
 */
export class RedisArtifacts implements ArtifactStore {
  readonly #connection: Connection;
  readonly #keys: Keys;
  readonly #lifetime: Lifetime;

  constructor(connection: Connection, keys: Keys, lifetime: Lifetime) {
    this.#connection = connection;
    this.#keys = keys;
    this.#lifetime = lifetime;
  }

  async save(kind: string, id: string, artifact: Artifact): Promise<void> {
    await this.#keep('save', text('kind', kind), text('id', id), artifact);
  }

  async insertOnly(kind: string, id: string, artifact: Artifact): Promise<boolean> {
    return (await this.#keep('insert', text('kind', kind), text('id', id), artifact)) === 1;
  }

  async find(kind: string, id: string): Promise<Artifact | undefined> {
    const key = this.#keys.artifact(text('kind', kind), text('id', id));
    return artifactOf(await this.#connection.ask((call) => call.get(key)), this.#lifetime.now());
  }

  async findByUid(kind: string, uid: string): Promise<Found | undefined> {
    return this.#findBy('uid', text('kind', kind), text('uid', uid), (artifact) => artifact.uid === uid);
  }

  async findByUserCode(kind: string, userCode: string): Promise<Found | undefined> {
    const code = text('userCode', userCode);
    return this.#findBy('code', text('kind', kind), code, (artifact) => artifact.userCode === code);
  }

  async consumeOnce(kind: string, id: string, at: number): Promise<boolean> {
    const key = this.#keys.artifact(text('kind', kind), text('id', id));
    const used = stamp(whole('at', at));
    return (await this.#connection.ask((call) => call.script('consume', [key], this.#lifetime.now(), used))) === 1;
  }

  async remove(kind: string, id: string): Promise<void> {
    const key = this.#keys.artifact(text('kind', kind), text('id', id));
    await this.#connection.ask((call) => call.command('del', key));
  }

  async removeByGrant(kind: string, grantId: string): Promise<void> {
    const index = this.#keys.index('grant', text('kind', kind), text('grantId', grantId));
    await this.#forEach(kind, index, (call, key) => call.script('removeOfGrant', [key], grantId));
  }

  async endByAccount(
    kind: string,
    accountId: string,
    end: { readonly at: number; readonly until: number; readonly exceptUid?: string | undefined },
  ): Promise<void> {
    const index = this.#keys.index('account', text('kind', kind), text('accountId', accountId));
    const until = whole('until', end.until);
    const marks = [stamp(whole('at', end.at)), stamp(until), this.#lifetime.ttl(until)] as const;
    // No record's uid is empty; without an exception those that have none are ended as well.
    const except = end.exceptUid === undefined ? '' : text('exceptUid', end.exceptUid);
    await this.#forEach(kind, index, (call, key) => call.script('endOfAccount', [key], accountId, except, ...marks));
  }

  #keep(script: 'save' | 'insert', kind: string, id: string, artifact: Artifact): Promise<unknown> {
    const { until, used, rest, indexed } = recordOf(artifact);
    const [now, ttl, member] = [this.#lifetime.now(), this.#lifetime.ttl(until), memberOf(id)];
    const key = this.#keys.artifact(kind, id);
    const indexes = indexed.map(([by, value]) => this.#keys.index(by, kind, value));
    const values = [now, stamp(until), used, rest, ttl, member] as const;
    return this.#connection.ask(async (call) => {
      if (!this.#connection.isCluster) return call.script(script, [key, ...indexes], ...values);
      await Promise.all(indexes.map((index) => call.script('link', [index], member, until, now, ttl)));
      return call.script(script, [key], ...values);
    });
  }

  async #findBy(
    by: IndexedBy,
    kind: string,
    value: string,
    isIt: (artifact: Artifact) => boolean,
  ): Promise<Found | undefined> {
    const index = this.#keys.index(by, kind, value);
    const prefix = this.#keys.artifactOf(kind);
    const now = this.#lifetime.now();
    const pick = (members: readonly string[], records: readonly (string | null | undefined)[]): Found | undefined => {
      for (const [position, member] of members.entries()) {
        const artifact = artifactOf(records[position], now);
        if (artifact && isIt(artifact)) return { id: idOf(member), artifact };
      }
      return undefined;
    };
    return this.#connection.ask(async (call) => {
      if (!this.#connection.isCluster) {
        const pairs = (await call.script('lookup', [index], prefix, AT_ONCE)) as (string | null)[];
        const members = pairs.filter((_, position) => position % 2 === 0).map(String);
        const found = pick(
          members,
          pairs.filter((_, position) => position % 2 === 1),
        );
        if (found || members.length < AT_ONCE) return found;
      }
      for (const members of batchesOf(await call.members(index), CHUNK)) {
        const found = pick(members, await Promise.all(members.map((member) => call.get(prefix + member))));
        if (found) return found;
        call.gotOn();
      }
      return undefined;
    });
  }

  /** However many there are: as long as Redis answers, it goes on. */
  #forEach(kind: string, index: string, work: (call: Call, key: string) => Promise<unknown>): Promise<void> {
    const prefix = this.#keys.artifactOf(kind);
    return this.#connection.ask(async (call) => {
      for (const members of batchesOf(await call.members(index), CHUNK)) {
        await Promise.all(members.map((member) => work(call, prefix + member)));
        call.gotOn();
      }
    });
  }
}
