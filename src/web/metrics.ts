import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { MailMeters } from '../notifications/index.ts';
import type { ProtocolMeters } from '../oidc/index.ts';

export interface Metrics extends ProtocolMeters, MailMeters {
  readonly registry: Registry;
  observeRequest(route: string, method: string, status: number, seconds: number): void;
  login(outcome: 'succeeded' | 'failed'): void;
  step(step: string, outcome: string): void;
}

const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS']);

/**
 * Both are read when metrics are asked for.
 * @param queueDepth how many password hashes wait or run
 * @param outbox how many mails wait, and how many were given up
 */
export function createMetrics(
  queueDepth: () => number,
  outbox: () => Promise<{ readonly waiting: number; readonly dead: number }>,
): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const registers = [registry];
  const requests = new Histogram({
    name: 'vestibule_http_request_duration_seconds',
    help: 'Time to answer',
    labelNames: ['route', 'method', 'status'] as const,
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5],
    registers,
  });
  const logins = new Counter({
    name: 'vestibule_logins_total',
    help: 'Sign-ins by outcome',
    labelNames: ['outcome'] as const,
    registers,
  });
  const steps = new Counter({
    name: 'vestibule_login_steps_total',
    help: 'Submitted steps of the login journey',
    labelNames: ['step', 'outcome'] as const,
    registers,
  });
  const authorizations = new Counter({
    name: 'vestibule_authorizations_total',
    help: 'Authorization requests answered with success',
    registers,
  });
  const tokens = new Counter({
    name: 'vestibule_tokens_total',
    help: 'Token responses by grant type',
    labelNames: ['grant_type'] as const,
    registers,
  });
  new Gauge({
    name: 'vestibule_password_hash_queue_depth',
    help: 'Password hashes waiting or running',
    registers,
    collect() {
      this.set(queueDepth());
    },
  });
  const mails = new Counter({
    name: 'vestibule_mails_total',
    help: 'Mails from the outbox by what became of them',
    labelNames: ['kind', 'outcome'] as const,
    registers,
  });
  new Gauge({
    name: 'vestibule_outbox_mails',
    help: 'Mails that wait to be sent, and those that were given up',
    labelNames: ['state'] as const,
    registers,
    async collect() {
      try {
        const { waiting, dead } = await outbox();
        this.set({ state: 'waiting' }, waiting);
        this.set({ state: 'dead' }, dead);
      } catch {
        // A storage that is away must not take the other metrics along; no figure is better than an old one.
        this.reset();
      }
    },
  });
  return {
    registry,
    observeRequest: (route, method, status, seconds) =>
      requests.observe({ route, method: METHODS.has(method) ? method : 'other', status }, seconds),
    login: (outcome) => logins.inc({ outcome }),
    step: (step, outcome) => steps.inc({ step, outcome }),
    authorized: () => authorizations.inc(),
    tokenIssued: (grantType) => tokens.inc({ grant_type: grantType }),
    mail: (kind, outcome) => mails.inc({ kind, outcome }),
  };
}
