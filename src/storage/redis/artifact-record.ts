import type { Artifact } from '../ports.ts';
import { json, type Mutable, optionalText, optionalWhole, whole } from '../values.ts';
import type { IndexedBy } from './keys.ts';
import { NO_STAMP, STAMP_WIDTH, stamp } from './lifetime.ts';

/**
 * An artifact as one string: until, use (`scripts.ts`), then a line of JSON with grant, uid, code and
 * account, then the payload. A hash of fields would take twice the memory.
 */
export interface ArtifactRecord {
  readonly until: number;
  readonly used: string;
  readonly rest: string;
  /** Under what it is found besides its id. */
  readonly indexed: readonly (readonly [by: IndexedBy, value: string])[];
}

/** Order of the line; scripts know it. */
const MEMBERS = [
  ['grant', 'grantId'],
  ['uid', 'uid'],
  ['code', 'userCode'],
  ['account', 'accountId'],
] as const satisfies readonly (readonly [IndexedBy, keyof Artifact])[];

/** @throws TypeError for what isn't an artifact */
export function recordOf(artifact: Artifact): ArtifactRecord {
  const payload = json('payload', artifact.payload);
  const members = MEMBERS.map(([by, name]) => [by, optionalText(name, artifact[name])] as const);
  const used = optionalWhole('consumedAt', artifact.consumedAt);
  return {
    until: whole('expiresAt', artifact.expiresAt),
    used: used === null ? NO_STAMP : stamp(used),
    rest: `${JSON.stringify(members.map(([, value]) => value))}\n${payload}`,
    indexed: members.flatMap(([by, value]) => (value === null ? [] : [[by, value] as const])),
  };
}

/** @returns undefined when it doesn't count any more */
export function artifactOf(record: string | null | undefined, now: number): Artifact | undefined {
  if (typeof record !== 'string') return undefined;
  const expiresAt = Number(record.slice(0, STAMP_WIDTH));
  if (!(expiresAt > now)) return undefined;
  const used = record.slice(STAMP_WIDTH, 2 * STAMP_WIDTH);
  const stop = record.indexOf('\n');
  const values: (string | null)[] = JSON.parse(record.slice(2 * STAMP_WIDTH, stop));
  const artifact: Mutable<Artifact> = { payload: JSON.parse(record.slice(stop + 1)), expiresAt };
  for (const [index, [, name]] of MEMBERS.entries()) {
    const value = values[index];
    if (typeof value === 'string') artifact[name] = value;
  }
  if (used !== NO_STAMP) artifact.consumedAt = Number(used);
  return artifact;
}
