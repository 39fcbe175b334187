import { basename } from 'node:path';
import { afterAll, afterEach, beforeAll } from '@jest/globals';
import { MongoClient } from 'mongodb';
import { type MongodbSettings, openDurable } from '../../../src/storage/mongodb/index.ts';
import type { DurableStorage } from '../../../src/storage/ports.ts';
import { dropDatabases, releaseSharedMongodb, useSharedMongodb } from '../../support/mongodb-server.ts';
import { useWorkspace, type Workspace } from '../workspace.ts';

export const settingsOf = (url: string, database: string, more: Partial<MongodbSettings> = {}): MongodbSettings => ({
  engine: 'mongodb',
  url,
  database,
  connections: 20,
  timeout: 30,
  ...more,
});

export interface MongodbWorkspace extends Workspace<DurableStorage> {
  readonly settings: MongodbSettings;
  /** A plain client of the driver, for looking and meddling. Closed after the test. */
  client(): MongoClient;
}

/** A workspace on the server that all tests of this process share; every test has a database for itself. */
export function useMongodb(): MongodbWorkspace {
  const settings = (directory: string): MongodbSettings =>
    settingsOf(process.env.MONGODB_URL ?? '', basename(directory).toLowerCase());
  const workspace = useWorkspace((directory, context) => openDurable(settings(directory), context));
  let clients: MongoClient[] = [];

  beforeAll(useSharedMongodb);
  afterEach(async () => {
    await Promise.all(clients.map((client) => client.close()));
    clients = [];
  });
  afterAll(async () => {
    await dropDatabases(process.env.MONGODB_URL ?? '', 'vestibule-storage-');
    await releaseSharedMongodb();
  });

  return Object.defineProperties({} as MongodbWorkspace, {
    ...Object.getOwnPropertyDescriptors(workspace),
    settings: { get: () => settings(workspace.directory) },
    client: {
      value: () => {
        const client = new MongoClient(process.env.MONGODB_URL ?? '', { monitorCommands: true });
        clients.push(client);
        return client;
      },
    },
  });
}
