/**
 * Loaded with `--import` into every server under test, ours and the bare ones alike: tells the
 * bench what the process has used, and lets it take the password hash out of a measurement.
 */
import crypto, { type Argon2Algorithm, type Argon2Parameters } from 'node:crypto';
import { syncBuiltinESMExports } from 'node:module';
import { isMainThread } from 'node:worker_threads';

export type Request =
  | { readonly id: number; readonly ask: 'usage' }
  | { readonly id: number; readonly memoise: boolean };

export interface Usage {
  readonly id: number;
  /** User and system time of the whole process, its threads included; milliseconds. */
  readonly cpuMs: number;
  readonly rssBytes: number;
}

type Done = (error: Error | null, key: Buffer) => void;
type Argon2 = (algorithm: Argon2Algorithm, parameters: Argon2Parameters, done: Done) => void;

/** While on, a hash that was computed once is given from memory: what is left is the login beside it. */
let memoising = false;
const known = new Map<string, Buffer>();
const compute = crypto.argon2 as Argon2;

const argon2: Argon2 = (algorithm, parameters, done) => {
  if (!memoising) return compute(algorithm, parameters, done);
  const { message, nonce, ...rest } = parameters;
  const key = JSON.stringify([algorithm, String(message), Buffer.from(nonce as Buffer).toString('base64'), rest]);
  const tag = known.get(key);
  if (tag) return void setImmediate(done, null, Buffer.from(tag));
  compute(algorithm, parameters, (error, fresh) => {
    if (!error) known.set(key, Buffer.from(fresh));
    done(error, fresh);
  });
};

function usage(id: number): Usage {
  const { user, system } = process.cpuUsage();
  return { id, cpuMs: (user + system) / 1000, rssBytes: process.memoryUsage.rss() };
}

if (isMainThread && process.channel) {
  crypto.argon2 = argon2 as typeof crypto.argon2;
  syncBuiltinESMExports();
  process.on('message', (request: Request) => {
    if ('memoise' in request) memoising = request.memoise;
    process.send?.(usage(request.id));
  });
  // A bench that died must not leave servers behind.
  process.on('disconnect', () => process.exit(1));
  process.channel.unref();
}
