/**
 * Loaded with `--import` into a server under test: moves the clock of the whole process, the
 * protocol library included, when the parent says so. Timers keep running at their own pace.
 */
import { isMainThread } from 'node:worker_threads';

export type ClockMessage = { readonly clockOffset: number };

const RealDate = Date;
const realNow = RealDate.now.bind(RealDate);
// A server that is restarted goes on at the time its predecessor had reached.
let offset = Number(process.env.VESTIBULE_TEST_CLOCK_OFFSET ?? '0');

RealDate.now = () => realNow() + offset;

globalThis.Date = new Proxy(RealDate, {
  construct: (target, parameters, newTarget) =>
    Reflect.construct(target, parameters.length > 0 ? parameters : [target.now()], newTarget),
  apply: (target) => new target(target.now()).toString(),
});
RealDate.prototype.constructor = globalThis.Date;

if (isMainThread && process.channel) {
  process.on('message', (message: ClockMessage) => {
    if (typeof message?.clockOffset !== 'number') return;
    offset = message.clockOffset;
    process.send?.({ clockOffset: offset } satisfies ClockMessage);
  });
  // A test run that ends must not leave servers behind. No exit handler runs: those would write
  // their last log lines to somebody who is gone, and some wait until they can.
  process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'));
  // Listening must not keep a process alive that is done.
  process.channel.unref();
}
