/**
 * MongoDB, for durable data that several nodes share.
 *
 *   index.ts        opens it
 *   settings.ts     what storage.durable of the configuration says; connect.ts: the connection, and what is
 *                   said when there is none
 *   migrations.ts   brings collections and indexes up to date; schema/ holds them, one file a version
 *   database.ts     what the stores read and write through: bounded in time and number
 *   transaction.ts  commits a change and its mails together, again after a conflict
 *   outgoing.ts     puts mails into the outbox, in the transaction of what they tell of or alone
 *   totals.ts       counts that are kept instead of taken
 *   values.ts       how what was checked becomes part of a filter; failure.ts: what callers see of trouble
 *   transfer.ts     everything at once, for moving to another engine; transfer-*.ts what that is
 *   the others      one store (port) each
 *
 * **One document, one change.** What must change together stands in one document: an account with the names it
 * signs in under, all credentials of an account, all keys of a store. So every verb is one atomic operation on
 * one document, and its conditions (version, "not the last", "not used") are part of that operation's filter.
 * The exceptions, and what is left of each when it is cut short:
 *
 * | verb | documents | cut short |
 * |---|---|---|
 * | one with `mails` | the change and its entries, one transaction | nothing of it |
 * | first or last credential of a kind | the credential, then the total | a total is off by one: a figure for decoys |
 * | `outbox.add`, `outbox.claim` of several | one entry after the other | some; adding again is harmless, a claim ends with its lease |
 * | `removeByGrant`, `endByAccount` | one record after the other | some are gone or ended, none came back; it throws, and is asked for again |
 *
 * **Nothing stale lets anybody in.** Reads go to the primary with read concern `majority`; writes count when a
 * majority has them on disk. An address that says otherwise is refused (`connect.ts`). Accounts and credentials
 * must not be sharded (a unique index holds within one shard); artifacts may be, by a hash of `_id`.
 *
 * **No record is believed by its presence.** `expiresAt` is compared with our clock at every read; the TTL index
 * only forgets, an hour later.
 */
import type { MongoClient } from 'mongodb';
import type { DurableStorage, EngineContext } from '../ports.ts';
import { MongodbAccounts } from './accounts.ts';
import { MongodbArtifacts } from './artifacts.ts';
import { MongodbAudit } from './audit.ts';
import { checkServer, openingClient, openingFailure, servingClient } from './connect.ts';
import { MongodbConsents } from './consents.ts';
import { MongodbCredentials } from './credentials.ts';
import { Database } from './database.ts';
import { MongodbKeys } from './keys.ts';
import { migrate } from './migrations.ts';
import { MongodbOutbox } from './outbox.ts';
import { Outgoing } from './outgoing.ts';
import { migrations } from './schema/index.ts';
import type { MongodbSettings } from './settings.ts';
import { Totals } from './totals.ts';
import { MongodbTransfer } from './transfer.ts';

export type { MongodbSettings } from './settings.ts';

/** @throws OperatorError when the database can't be opened or is of a newer version */
export async function openDurable(settings: MongodbSettings, context: EngineContext): Promise<DurableStorage> {
  await bringUpToDate(settings);
  const client = await connected(settings);
  const database = new Database(client, settings.database, settings.timeout * 1000, context.logger);
  const outgoing = new Outgoing(database);
  return {
    accounts: new MongodbAccounts(database, outgoing),
    credentials: new MongodbCredentials(database, outgoing, new Totals(database, context.logger)),
    consents: new MongodbConsents(database),
    keys: new MongodbKeys(database, 'signing_keys'),
    upstreamKeys: new MongodbKeys(database, 'upstream_keys'),
    audit: new MongodbAudit(database, outgoing, context.clock),
    outbox: new MongodbOutbox(database, context.clock, outgoing),
    artifacts: new MongodbArtifacts(database, context.clock),
    transfer: new MongodbTransfer(database, settings, context.clock),
    ping: () => database.ping(),
    close: () => database.close(),
  };
}

async function bringUpToDate(settings: MongodbSettings): Promise<void> {
  const client = openingClient(settings);
  try {
    await checkServer(client, settings.database);
    await migrate(client.db(settings.database), migrations);
  } catch (error) {
    throw openingFailure(error, client, settings);
  } finally {
    await client.close();
  }
}

/** Before anybody waits for an answer. */
async function connected(settings: MongodbSettings): Promise<MongoClient> {
  const client = servingClient(settings);
  try {
    return await client.connect();
  } catch (error) {
    await client.close();
    throw openingFailure(error, client, settings);
  }
}
