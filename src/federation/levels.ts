import { UpstreamError } from './errors.ts';
import type { LevelRule, Upstream } from './upstream.ts';

type Levelled = Pick<Upstream, 'levels' | 'defaultAcr' | 'asksLevelBy'>;

/**
 * The levels to ask an upstream for.
 *
 * @param acr names of ours, any of which will do; absent or empty: none is demanded
 * @returns empty when there is nothing to ask
 * @throws UpstreamError `level` when it can reach none of them: nobody is sent there in vain
 */
export function levelsToAsk({ levels, defaultAcr }: Levelled, acr: readonly string[] | undefined): LevelRule[] {
  if (!acr || acr.length === 0) return [];
  const asked = levels.filter((level) => acr.includes(level.acr));
  if (asked.length > 0 || (defaultAcr !== undefined && acr.includes(defaultAcr))) return asked;
  throw new UpstreamError('level', 'the upstream has no level that is among those demanded');
}

/** The claim an upstream tells its level in. */
export const levelClaim = ({ asksLevelBy }: Levelled): string =>
  asksLevelBy.by === 'claims' ? asksLevelBy.claim : 'acr';

/**
 * What the level an upstream told is worth. What it may tell is an ordered list, so more than was asked is enough, too.
 *
 * @param told the claim, from outside: a name that is not in the list is worth nothing; told nothing, the default counts
 * @param demanded as for `levelsToAsk`
 * @returns a name of ours; undefined when it is worth nothing and nothing was demanded
 * @throws UpstreamError `level` when it is less than demanded
 */
export function levelReached(
  { levels, defaultAcr }: Levelled,
  told: unknown,
  demanded: readonly string[] | undefined,
): string | undefined {
  const saysNothing = told === undefined || told === null || levels.length === 0;
  const rank = levels.findIndex(({ upstream }) => upstream === told);
  const acr = saysNothing ? defaultAcr : levels[rank]?.acr;
  if (!demanded || demanded.length === 0 || (acr !== undefined && demanded.includes(acr))) return acr;
  const least = levels.findIndex((level) => demanded.includes(level.acr));
  if (least >= 0 && rank >= least) return acr;
  throw new UpstreamError('level', 'the upstream vouches for less than was demanded');
}
