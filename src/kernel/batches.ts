/** Parts of a list, in order: each `size` long, the last perhaps shorter. */
export function* batchesOf<Each>(all: readonly Each[], size: number): Generator<readonly Each[]> {
  for (let from = 0; from < all.length; from += size) yield all.slice(from, from + size);
}
