/** `npm run test:chaos`: the whole test; README.md says what it shows. */
import { WHOLE } from './disruptions.ts';
import { report } from './report.ts';
import { storm } from './storm.ts';

const MINUTE = 60_000;

const outcome = await storm({
  plan: WHOLE,
  people: 4,
  supply: 12,
  mostMilliseconds: 15 * MINUTE,
  say: (line) => process.stdout.write(`${line}\n`),
});
process.stdout.write(`\n${report(outcome)}\n`);
if (outcome.ledger.faults.length > 0) process.exitCode = 1;
