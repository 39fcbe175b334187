/** Stands in for `src/storage/registry.ts` while operations are counted: the same engines, with somebody who counts before them. */
import * as registry from '../../src/storage/registry.ts';
import { tally } from './tally.ts';

export * from '../../src/storage/registry.ts';

export const openDurable: typeof registry.openDurable = async (settings, context) =>
  tally.counted('durable', await registry.openDurable(settings, context));

export const openEphemeral: typeof registry.openEphemeral = async (settings, context) =>
  tally.counted('ephemeral', await registry.openEphemeral(settings, context));
