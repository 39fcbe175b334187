import type { Collection } from 'mongodb';
import { type Clock, epochSeconds } from '../../kernel/clock.ts';
import type { ClaimedMail, OutboxEntry, OutboxStore } from '../ports.ts';
import { positive, text, whole } from '../values.ts';
import type { Database } from './database.ts';
import type { MailDocument, Outgoing } from './outgoing.ts';

export class MongodbOutbox implements OutboxStore {
  readonly #database: Database;
  readonly #clock: Clock;
  readonly #outgoing: Outgoing;
  readonly #mails: Collection<MailDocument>;

  constructor(database: Database, clock: Clock, outgoing: Outgoing) {
    this.#database = database;
    this.#clock = clock;
    this.#outgoing = outgoing;
    this.#mails = database.collection('outbox');
  }

  async add(mails: readonly OutboxEntry[]): Promise<void> {
    for (const write of this.#outgoing.prepareAlone(mails)) await this.#database.run(write);
  }

  /** One after the other: each is handed out by one atomic step, and workers ask for one at a time. */
  async claim(limit: number, leaseSeconds: number): Promise<ClaimedMail[]> {
    const now = epochSeconds(this.#clock);
    const until = now + positive('leaseSeconds', leaseSeconds);
    const most = positive('limit', limit);
    const claimed: ClaimedMail[] = [];
    while (claimed.length < most) {
      const found = await this.#database.run(() => this.#claimOne(now, until));
      if (!found) break;
      claimed.push(mailOf(found));
    }
    return claimed;
  }

  #claimOne(now: number, until: number): Promise<MailDocument | null> {
    return this.#mails.findOneAndUpdate(
      // Both values of `urgent` are named for the index: what isn't due yet, however much of it, is not looked at.
      { dead: false, urgent: { $in: [true, false] }, dueAt: { $lte: now } },
      { $set: { dueAt: until }, $inc: { attempts: 1 } },
      { sort: { urgent: -1, dueAt: 1 }, returnDocument: 'after' },
    );
  }

  async done(id: string): Promise<void> {
    const _id = text('id', id);
    await this.#database.run(() => this.#mails.deleteOne({ _id }));
  }

  async postpone(id: string, until: number, problem: string): Promise<void> {
    const change = { $set: { dueAt: whole('until', until), problem: text('problem', problem) } };
    const _id = text('id', id);
    await this.#database.run(() => this.#mails.updateOne({ _id, dead: false }, change));
  }

  async bury(id: string, problem: string): Promise<void> {
    const change = { $set: { dead: true, problem: text('problem', problem) } };
    const _id = text('id', id);
    await this.#database.run(() => this.#mails.updateOne({ _id }, change));
  }

  /** Counted in the index, of those that are there: as many as are owed. */
  async count(): Promise<{ waiting: number; dead: number }> {
    const count = (dead: boolean): Promise<number> =>
      this.#database.run(() => this.#mails.countDocuments({ dead }, { hint: 'by_due' }));
    const [waiting, dead] = await Promise.all([count(false), count(true)]);
    return { waiting, dead };
  }
}

const mailOf = (found: MailDocument): ClaimedMail => ({
  id: found._id,
  kind: found.kind,
  payload: JSON.parse(found.payload),
  urgent: found.urgent,
  createdAt: found.createdAt,
  attempts: found.attempts,
});
