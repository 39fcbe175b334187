import { type DestinationStream, pino } from 'pino';

export type Logger = import('pino').Logger;

/** Nothing of the kind is logged on purpose; this catches what an object brings along. */
const SECRET_NAMES = [
  'password',
  'token',
  'secret',
  'client_secret',
  'cookie',
  'authorization',
  'seed',
  'recovery_code',
];

const FLUSH_EVERY_MS = 200;

/**
 * One JSON line an event on standard output; every line carries `event`, a dotted name, and,
 * within a request, `request_id`. Lines are written in small batches off the request's path.
 */
export function createLogger(level: string, destination?: DestinationStream): Logger {
  return pino(
    {
      level,
      base: null,
      messageKey: 'message',
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
      redact: { paths: [...SECRET_NAMES], censor: '[redacted]' },
    },
    // Flushed on the clock as well: on a quiet server a line must not wait for the next four kilobytes.
    destination ?? pino.destination({ dest: 1, sync: false, minLength: 4096, periodicFlush: FLUSH_EVERY_MS }),
  );
}
