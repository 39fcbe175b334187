import { argon2Sync, randomBytes } from 'node:crypto';
import { median } from '../report/statistics.ts';
import type { Argon2id } from '../servers/subject.ts';

const HASHES = 15;

/** CPU milliseconds of one password hash, alone on this machine. */
export function hashCpuMs(argon2id: Argon2id): number {
  const costs = Array.from({ length: HASHES }, () => {
    const before = process.cpuUsage();
    argon2Sync('argon2id', { message: 'password-of-somebody', nonce: randomBytes(16), tagLength: 32, ...argon2id });
    const { user, system } = process.cpuUsage(before);
    return (user + system) / 1000;
  });
  return median(costs);
}
