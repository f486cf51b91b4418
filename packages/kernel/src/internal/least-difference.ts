/**
 * Puts things into an order in which neighbours differ little, beginning with the first: the next is always the one that has
 * the fewest words the last one lacks, and lacks the fewest that it has.
 */
export function leastDifference<T>(things: readonly T[], wordsOf: (thing: T) => Iterable<string>): T[] {
  const left = things.map((thing) => ({ thing, words: new Set(wordsOf(thing)) }));
  const ordered: T[] = [];
  let next = left.shift();
  while (next !== undefined) {
    const { thing, words } = next;
    ordered.push(thing);
    const distances = left.map((other) => words.symmetricDifference(other.words).size);
    const nearest = distances.indexOf(Math.min(...distances));
    [next] = nearest < 0 ? [] : left.splice(nearest, 1);
  }
  return ordered;
}
