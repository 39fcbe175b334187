import { expect, test } from '@jest/globals';
import { requires } from '../support/requirements.ts';
import { SHORT } from './disruptions.ts';
import { report } from './report.ts';
import { storm } from './storm.ts';

/** Half a minute, where nobody else is at work. */
const LONGEST_MS = 240_000;

requires('mongodb-server', 'redis-server')('nodes, Redis and MongoDB killed and stopped under sign-ins', () => {
  test(
    'nothing acknowledged is lost, nothing is granted twice, and the service is back within five seconds',
    async () => {
      const outcome = await storm({
        plan: SHORT,
        people: 2,
        supply: 1,
        mostMilliseconds: 120_000,
        say: () => undefined,
      });
      const { ledger, returns } = outcome;
      const figures = report(outcome);
      expect({ faults: ledger.faults, figures }).toEqual({ faults: [], figures });
      expect(returns).toHaveLength(Object.values(SHORT).reduce((sum, times) => sum + times, 0));
    },
    LONGEST_MS,
  );
});
