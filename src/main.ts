import { type EventEmitter, once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Accounts, createAccounts } from './accounts/index.ts';
import { createAudit } from './audit/index.ts';
import type { Config } from './config/config.ts';
import { type Credentials, createCredentials } from './credentials/index.ts';
import { attainableAcr, createAttempts, createJourneys } from './journey/index.ts';
import { systemClock } from './kernel/clock.ts';
import { createLogger, type Logger } from './kernel/logger.ts';
import { systemRandom } from './kernel/random.ts';
import { SecretBox } from './kernel/secret-box.ts';
import { createProvider, loadSigningKeys } from './oidc/index.ts';
import { openDurable, openEphemeral } from './storage/registry.ts';
import { createListener, createMetrics, createOperationsListener, createWeb } from './web/index.ts';

/** Milliseconds that requests under way get to finish after SIGTERM. */
const DRAIN_TIMEOUT = 10_000;

export interface Vestibule {
  readonly accounts: Accounts;
  readonly credentials: Credentials;
  /** Stops gracefully: readiness fails first, requests under way finish, storage is closed. */
  close(): Promise<void>;
}

/**
 * The composition root: configuration → stores → services → provider → listeners.
 * @throws OperatorError when the operator must act (wrong master key, newer database …)
 */
export async function start(config: Config, options: { logger?: Logger } = {}): Promise<Vestibule> {
  const clock = systemClock;
  const random = systemRandom;
  const logger = options.logger ?? createLogger(config.log.level);
  const secretBox = new SecretBox(config.masterKeys, random);
  const durable = await openDurable(config.storage.durable, { clock, logger });
  const ephemeral = await openEphemeral(config.storage.ephemeral, { clock, logger });

  const accounts = createAccounts({ store: durable.accounts, clock, random });
  const audit = createAudit({ store: durable.audit, clock, random });
  const credentials = createCredentials({
    store: durable.credentials,
    clock,
    random,
    logger,
    settings: config.passwords,
  });
  const attempts = createAttempts({ counters: ephemeral.counters, limits: config.limits, secretBox, clock });
  const journeys = createJourneys({ store: ephemeral.journeys, services: { accounts, credentials, attempts, clock } });
  const metrics = createMetrics(() => credentials.password.queue.waiting + credentials.password.queue.running);

  const web = createWeb({ config, journeys, accounts, audit, secretBox, metrics, logger, random });
  const provider = createProvider({
    config,
    accounts,
    durable,
    ephemeral,
    secretBox,
    clock,
    logger,
    signingKeys: await loadSigningKeys({ store: durable.keys, secretBox, clock }),
    pages: web.providerPages,
    meters: metrics,
    attainableAcr: attainableAcr(credentials.password.amr),
  });
  web.mount(provider);
  (provider.app as EventEmitter).on('error', (error) => logger.error({ event: 'server.error', err: error }));

  let draining = false;
  const health = {
    async ready() {
      if (draining) throw new Error('stopping');
      await Promise.all([durable.ping(), ephemeral.ping()]);
    },
  };
  const listener = createListener(provider.app.callback(), config);
  const operations = createOperationsListener(health, metrics.registry);
  await listen(listener, config.listen);
  await listen(operations, config.operations);
  logger.info({ event: 'server.started', issuer: config.issuer, ...(listener.address() as AddressInfo) });

  let closing: Promise<void> | undefined;
  const close = async (): Promise<void> => {
    draining = true;
    await drain(listener);
    await drain(operations);
    await credentials.close();
    await Promise.all([durable.close(), ephemeral.close()]);
    logger.info({ event: 'server.stopped' });
    logger.flush();
  };
  return {
    accounts,
    credentials,
    close: () => {
      closing ??= close();
      return closing;
    },
  };
}

async function listen(server: Server, { host, port }: { host: string; port: number }): Promise<void> {
  server.listen(port, host);
  await once(server, 'listening');
}

async function drain(server: Server): Promise<void> {
  const closed = once(server, 'close');
  server.close();
  server.closeIdleConnections();
  const deadline = setTimeout(() => server.closeAllConnections(), DRAIN_TIMEOUT);
  await closed;
  clearTimeout(deadline);
}
