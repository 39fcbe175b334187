import { type EventEmitter, once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { type Accounts, createAccounts } from './accounts/index.ts';
import { createAudit } from './audit/index.ts';
import type { Config } from './config/config.ts';
import { type Credentials, createCredentials } from './credentials/index.ts';
import {
  createFederation,
  createUpstreamKeys,
  createUpstreamSessions,
  createUpstreamSignOuts,
} from './federation/index.ts';
import { createTexts, type Texts } from './i18n/index.ts';
import { createAttempts, createJourneys, createLadder, requiredLevel } from './journey/index.ts';
import { epochSeconds, systemClock } from './kernel/clock.ts';
import { createLogger, type Logger } from './kernel/logger.ts';
import { systemRandom } from './kernel/random.ts';
import { SecretBox } from './kernel/secret-box.ts';
import { forgetEnded, UPSTREAM_RETENTION, watch } from './keys/index.ts';
import {
  createLetters,
  createMailer,
  createMailWorker,
  createNotices,
  createSmsSender,
  type MailWorker,
} from './notifications/index.ts';
import { accountArea, createProvider, createReleases, createSigningKeys, createSignOut } from './oidc/index.ts';
import { createComposers, createLinks, createRecovery } from './recovery/index.ts';
import { openDurable, openEphemeral, refuseUnfinishedCopy } from './storage/registry.ts';
import {
  createMetrics,
  createOperationsListener,
  createRequestListener,
  createWeb,
  SERVER_LIMITS,
} from './web/index.ts';

/** Milliseconds that requests under way get to finish after SIGTERM. */
const DRAIN_TIMEOUT = 10_000;
/** Milliseconds that one of several nodes still takes requests after SIGTERM, until a proxy has seen that it isn't ready. */
const NOTICE = 3000;
/** What is opened once and can't change under a running server. */
const FIXED = [
  'issuer',
  'listen',
  'operations',
  'storage',
  'masterKeys',
  'passwords',
  'passkeys',
  'totp',
  'sms',
  'trusted_devices',
  'log',
] as const;

interface Assembled {
  readonly handle: RequestListener;
  /** Absent where no mail server is configured. */
  readonly worker: MailWorker | undefined;
}

export interface Vestibule {
  readonly accounts: Accounts;
  readonly credentials: Credentials;
  /**
   * Takes changed files into use: requests under way end as they began, later ones meet the new
   * configuration. Settings that need a restart keep their value and are named in the log.
   */
  reload(config: Config): Promise<void>;
  /** Stops gracefully: readiness fails first, requests under way finish, storage is closed. */
  close(): Promise<void>;
}

/**
 * The composition root: configuration → stores → services → provider → listeners.
 * @throws OperatorError when the operator must act (wrong master key, newer database …)
 */
export async function start(initial: Config, options: { logger?: Logger } = {}): Promise<Vestibule> {
  const clock = systemClock;
  const random = systemRandom;
  const logger = options.logger ?? createLogger(initial.log.level);
  const secretBox = new SecretBox(initial.masterKeys, random);
  const durable = await openDurable(initial.storage.durable, { clock, logger });
  const ephemeral = await openEphemeral(initial.storage.ephemeral, { clock, logger });
  await refuseUnfinishedCopy({ durable, ephemeral });

  const accounts = createAccounts({ store: durable.accounts, clock, random });
  const audit = createAudit({ store: durable.audit, clock, random });
  const credentials = createCredentials({
    store: durable.credentials,
    accounts: durable.accounts,
    challenges: ephemeral.artifacts,
    counters: ephemeral.counters,
    sendCode: initial.sms && createSmsSender(initial, textsOf(initial)),
    clock,
    random,
    secretBox,
    logger,
    config: initial,
  });
  await credentials.passkey.prepare();
  const upstreamKeys = createUpstreamKeys({ store: durable.upstreamKeys, secretBox, clock });
  const signingKeys = createSigningKeys({ store: durable.keys, secretBox, clock, logger });
  const links = createLinks({ store: ephemeral.artifacts, clock, random });
  const halves = { durable: durable.artifacts, ephemeral: ephemeral.artifacts };
  const signOutEverywhere = createSignOut({ accounts, ...halves, clock });
  const { queue } = credentials.password;
  const metrics = createMetrics(
    () => queue.waiting + queue.running,
    () => durable.outbox.count(),
  );

  /** Everything that follows from the files: built anew at a reload. */
  const assemble = async (files: Config): Promise<Assembled> => {
    const config = { ...files, clients: [...files.clients, accountArea(files.issuer, files.branding.name)] };
    const texts = textsOf(config);
    const ladder = createLadder(config.assurance.levels);
    const notices = createNotices({ mail: config.mail, clock, random });
    const { counters, locks } = ephemeral;
    const attempts = createAttempts({ counters, locks, limits: config.limits, secretBox, clock });
    const recovery = createRecovery({
      config,
      accounts,
      credentials,
      links,
      notices,
      outbox: durable.outbox,
      counters,
      secretBox,
      clock,
      random,
      signOutEverywhere,
      unlock: attempts.unlock,
    });
    const federation = await createFederation({
      issuer: config.issuer,
      providers: config.providers,
      keys: upstreamKeys,
      store: ephemeral.artifacts,
      secretBox,
      clock,
      logger,
    });
    const upstreamSessions = createUpstreamSessions({
      store: ephemeral.artifacts,
      secretBox,
      clock,
      logoutOf: federation.logoutOf,
      signInLifetime: config.lifetimes.interaction,
    });
    const signOuts = createUpstreamSignOuts({
      federation,
      store: ephemeral.artifacts,
      secretBox,
      clock,
      random,
      logger,
    });
    const proofAge = config.account.proof_age;
    const services = {
      accounts,
      credentials,
      attempts,
      notices,
      recovery,
      federation,
      upstreamSessions,
      ladder,
      proofAge,
      clock,
      random,
    };
    const journeys = createJourneys({ store: ephemeral.journeys, services });
    const web = createWeb({
      config,
      journeys,
      ladder,
      accounts,
      audit,
      credentials,
      texts,
      notices,
      recovery,
      federation,
      upstreamKeys,
      attempts,
      signOutEverywhere,
      secretBox,
      metrics,
      clock,
      logger,
      random,
    });
    const provider = createProvider({
      config,
      accounts,
      durable,
      ephemeral,
      secretBox,
      clock,
      logger,
      signingKeys: await signingKeys.load(config),
      pages: web.providerPages,
      meters: metrics,
      upstream: { sessions: upstreamSessions, signOuts, signsOut: federation.signsOut },
      releases: createReleases({ federation, external: credentials.external }),
      assurance: {
        ladder,
        attainable: ladder.attainable([
          ...credentials.factors.map(({ attainable, attested }) => ({
            amr: attainable,
            ...(attested ? { attested } : {}),
          })),
          ...federation.attainable.map((acr) => ({ amr: [], acr })),
        ]),
        isTrustedDevice: web.isTrustedDevice,
        requiredBy: async (accountId, minimumAcr) => {
          const [app, sms] = await Promise.all([
            credentials.totp.enrolled(accountId),
            credentials.sms.enrolled(accountId),
          ]);
          return requiredLevel(ladder, app || sms, minimumAcr);
        },
      },
    });
    web.mount(provider);
    (provider.app as EventEmitter).on('error', (error) => logger.error({ event: 'server.error', err: error }));
    const mailer = createMailer(config);
    const letters = createLetters({ config, texts });
    const composers = createComposers({ config, accounts, links, letters, counters, secretBox });
    const worker =
      mailer && createMailWorker({ store: durable.outbox, mailer, composers, clock, random, logger, meters: metrics });
    return { handle: createRequestListener(provider.app.callback(), config), worker };
  };

  let config = initial;
  let assembled = await assemble(config);
  let draining = false;
  const ready = async (): Promise<void> => {
    if (draining) throw new Error('stopping');
    await Promise.all([durable.ping(), ephemeral.ping()]);
  };
  const server = createServer(SERVER_LIMITS, (req, res) => {
    // A proxy that keeps its connections would send the next request down one that is about to be closed.
    if (draining) res.setHeader('connection', 'close');
    assembled.handle(req, res);
  });
  const operations = createOperationsListener({ ready }, metrics.registry);
  const drainServer = await listen(server, config.listen);
  const drainOperations = await listen(operations, config.operations);
  assembled.worker?.start();
  logger.info({ event: 'server.started', issuer: config.issuer, ...(server.address() as AddressInfo) });

  /** Workers of earlier configurations, with the mail each was at. */
  let retired: Promise<unknown> = Promise.resolve();
  let reloading = Promise.resolve();
  const takeIntoUse = async (next: Config): Promise<void> => {
    const { worker } = assembled;
    assembled = await assemble(next);
    assembled.worker?.start();
    config = next;
    // A mail server that hangs must not hold the reload up; the end of the process waits for it.
    retired = Promise.all([retired, worker?.close()]);
  };
  const reload = async (wanted: Config): Promise<void> => {
    const ignored = FIXED.filter((name) => JSON.stringify(wanted[name]) !== JSON.stringify(config[name]));
    const kept = Object.fromEntries(FIXED.map((name) => [name, config[name]])) as Pick<Config, (typeof FIXED)[number]>;
    await takeIntoUse({ ...wanted, ...kept });
    logger.info({ event: 'config.reloaded', clients: config.clients.length, needs_restart: ignored });
  };
  const lookForKeys = async (): Promise<void> => {
    if (await signingKeys.changed(config)) {
      await takeIntoUse(config);
      logger.info({ event: 'keys.changed' });
    }
    const ofUpstreams = await durable.upstreamKeys.list();
    await forgetEnded(durable.upstreamKeys, ofUpstreams, { now: epochSeconds(clock), retention: UPSTREAM_RETENTION });
  };
  /** One after the other, so that the last files win. */
  const inTurn = (work: () => Promise<void>): Promise<void> => {
    const turn = reloading.then(work);
    reloading = turn.catch(() => undefined);
    return turn;
  };
  const keyWatch = watch({ look: () => inTurn(lookForKeys), clock, logger });

  const close = async (): Promise<void> => {
    draining = true;
    await keyWatch.stop();
    await reloading;
    if (config.cluster) await wait(NOTICE);
    await drainServer();
    await drainOperations();
    await Promise.all([assembled.worker?.close(), retired, credentials.close()]);
    await Promise.all([durable.close(), ephemeral.close()]);
    logger.info({ event: 'server.stopped' });
    logger.flush();
  };

  let closing: Promise<void> | undefined;
  return {
    accounts,
    credentials,
    reload: (wanted) => inTurn(() => reload(wanted)),
    close() {
      closing ??= close();
      return closing;
    },
  };
}

const textsOf = ({ languages, branding }: Config): Texts =>
  createTexts({ defaultLanguage: languages.default, overlay: branding.overlay });

/** @returns how to stop: requests under way finish, and nothing else is waited for */
async function listen(server: Server, { host, port }: { host: string; port: number }): Promise<() => Promise<void>> {
  // Browsers open connections ahead of need; Node does not count one that was never used as idle.
  const unused = new Set<Socket>();
  server.on('connection', (socket) => {
    unused.add(socket);
    socket.once('close', () => unused.delete(socket));
  });
  server.on('request', ({ socket }) => unused.delete(socket));
  server.listen(port, host);
  await once(server, 'listening');

  return async () => {
    const closed = once(server, 'close');
    server.close();
    server.closeIdleConnections();
    for (const socket of unused) socket.destroy();
    const deadline = setTimeout(() => server.closeAllConnections(), DRAIN_TIMEOUT);
    await closed;
    clearTimeout(deadline);
  };
}
