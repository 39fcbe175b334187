import { generate } from 'otplib';
import { stepOf } from '../../src/credentials/totp/codes.ts';
import { median } from '../report/statistics.ts';

const SECRET = 'JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP';
const WARM_UP = 200;
const BATCHES = 15;
const BATCH = 40;

/** CPU milliseconds of finding the step of a six-digit code in its window, storage apart: the last one of the window. */
export async function codeCpuMs(): Promise<number> {
  const parameters = { algorithm: 'sha1', period: 30 } as const;
  const now = Math.floor(Date.now() / 1000);
  const code = await generate({ secret: SECRET, epoch: now + parameters.period });
  const find = async (times: number): Promise<void> => {
    for (let n = 0; n < times; n += 1) {
      if ((await stepOf(code, SECRET, parameters, now)) === undefined) throw new Error('a right code was refused');
    }
  };
  await find(WARM_UP);
  const costs: number[] = [];
  for (let batch = 0; batch < BATCHES; batch += 1) {
    const before = process.cpuUsage();
    await find(BATCH);
    const { user, system } = process.cpuUsage(before);
    costs.push((user + system) / 1000 / BATCH);
  }
  return median(costs);
}
