import { readFileSync } from 'node:fs';
import { MongoClient, type MongoClientOptions, MongoServerError } from 'mongodb';
import { OperatorError } from '../../kernel/errors.ts';
import { nameOf } from './failure.ts';
import type { MongodbSettings } from './settings.ts';

/** At start a server that is just coming up is waited for. */
const OPENING_PATIENCE_MS = 5000;

const AUTHENTICATION_FAILED = [18, 8000];
const UNAUTHORIZED = 13;

/**
 * What holds, or the address is refused: a write is kept by a majority, on disk, before it counts; a read comes
 * from the primary and gives nothing that could still be undone, since a password changed back or an account
 * unsuspended for a moment could let somebody in.
 */
const SAFETY: MongoClientOptions = {
  readPreference: 'primary',
  readConcern: { level: 'majority' },
  retryWrites: true,
  retryReads: true,
  // The driver's texts may hold documents.
  mongodbLogComponentSeverities: { default: 'off' },
};

/** Milliseconds; of the driver's own accord ten seconds. A server that refused as "not primary" is not asked before. */
const LOOKED_AFTER_EVERY_MS = 2000;

/** For serving: nothing waits longer than `timeout`, for a server, a connection or an answer. */
export function servingClient(settings: MongodbSettings): MongoClient {
  const patience = settings.timeout * 1000;
  return clientOf(settings, {
    maxPoolSize: settings.connections,
    serverSelectionTimeoutMS: patience,
    connectTimeoutMS: patience,
    socketTimeoutMS: patience,
    waitQueueTimeoutMS: patience,
    heartbeatFrequencyMS: LOOKED_AFTER_EVERY_MS,
    writeConcern: { w: 'majority', journal: true, wtimeoutMS: patience },
  });
}

/** For opening: an index over many documents takes its time. */
export const openingClient = (settings: MongodbSettings): MongoClient =>
  clientOf(settings, {
    maxPoolSize: 2,
    serverSelectionTimeoutMS: OPENING_PATIENCE_MS,
    connectTimeoutMS: OPENING_PATIENCE_MS,
    writeConcern: { w: 'majority', journal: true },
  });

function clientOf(settings: MongodbSettings, options: MongoClientOptions): MongoClient {
  const tls = tlsOf(settings);
  const client = parsed(settings.url, { ...SAFETY, ...options, ...tls, appName: 'vestibule' });
  const weakened = weakenedBy(client.options);
  if (weakened) {
    throw new OperatorError(
      `storage.durable.url changes how data is read and written (${weakened}), and what counts could be undone then. ` +
        'Leave that out of the address.',
    );
  }
  return client;
}

/** What an address has a name of its own for comes before our options, whatever these say. @returns what that was */
function weakenedBy({ readConcern, writeConcern }: MongoClient['options']): string | undefined {
  if (readConcern?.level !== 'majority') return 'readConcernLevel';
  if (writeConcern?.w !== 'majority') return 'w';
  return writeConcern.journal === true ? undefined : 'journal';
}

function parsed(url: string, options: MongoClientOptions): MongoClient {
  try {
    return new MongoClient(url, options);
  } catch (error) {
    // Not as its cause: what can't be read is quoted, and holds the password.
    throw new OperatorError(
      `storage.durable.url is not an address of a MongoDB server: ${withoutSecrets(String(error), url)}`,
    );
  }
}

function tlsOf({ tls }: MongodbSettings): MongoClientOptions {
  if (!tls) return {};
  const read = (member: 'ca' | 'cert' | 'key'): { readonly [name: string]: Buffer } => {
    const file = tls[member];
    if (file === undefined) return {};
    try {
      return { [member]: readFileSync(file) };
    } catch (cause) {
      throw new OperatorError(`storage.durable.tls.${member} can't be read. ${String(cause)}`, { cause });
    }
  };
  return { tls: true, ...read('ca'), ...read('cert'), ...read('key') };
}

/**
 * @param client of `openingClient`
 * @throws OperatorError when it can't be used, with the reason and the remedy
 */
export async function checkServer(client: MongoClient, database: string): Promise<void> {
  const hello = await client.db(database).command({ hello: 1 });
  // `isdbgrid`: the router of a sharded cluster.
  if (hello.setName !== undefined || hello.msg === 'isdbgrid') return;
  throw new OperatorError(
    `The MongoDB server ${namesOf(client)} is no member of a replica set, and only those can change several documents ` +
      'together. One server is enough: start mongod with --replSet rs0 and run rs.initiate() once.',
  );
}

/** What an operator is told of an error while opening. */
export function openingFailure(error: unknown, client: MongoClient, settings: MongodbSettings): OperatorError {
  if (error instanceof OperatorError) return error;
  const server = `The MongoDB server ${namesOf(client)} of storage.durable`;
  if (error instanceof MongoServerError) {
    if (AUTHENTICATION_FAILED.includes(Number(error.code))) {
      return new OperatorError(
        `${server} refuses the user name or the password (or knows them in another authSource).`,
      );
    }
    if (error.code === UNAUTHORIZED) {
      return new OperatorError(
        `${server} doesn't let this user prepare the database "${settings.database}". Give it the roles readWrite and ` +
          'dbAdmin there.',
      );
    }
    return new OperatorError(`${server} can't be used: ${nameOf(error)}.`);
  }
  return new OperatorError(`${server} can't be reached. ${withoutSecrets(String(error), settings.url)}`);
}

const namesOf = (client: MongoClient): string => client.options.hosts.map(String).join(', ') || 'of the DNS record';

/** Messages of the driver may quote parts of the address, with the password or without. */
function withoutSecrets(message: string, url: string): string {
  const credentials = /^[^:]*:\/\/(.*)@/.exec(url)?.[1];
  if (credentials === undefined) return message;
  const password = credentials.slice(credentials.indexOf(':') + 1);
  const secrets = [url, credentials, password, decoded(password)].filter((secret) => secret !== '');
  return secrets.some((secret) => message.includes(secret)) ? 'it holds something that no message may show' : message;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    // Not encoded as it should be, which is for the driver to say.
    return text;
  }
}
