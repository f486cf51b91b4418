/**
 * Whether a text fits a pattern with `*` (any run) and `?` (any one character), letters of either case.
 * Linear in the text for each `*`: a stranger's serial number cannot make it slow.
 *
 * @example
 * ```ts
 * import { matchesGlob } from "@justenough/pxe";
 * console.log(matchesGlob("52:54:00:*", "52:54:00:12:34:56")); // true
 * ```
 */
export function matchesGlob(pattern: string, text: string): boolean {
  const wanted = pattern.toLowerCase();
  const given = text.toLowerCase();
  let [at, to] = [0, 0];
  // Where the last `*` stood, and up to where it has swallowed the text.
  let [star, swallowed] = [-1, 0];
  while (to < given.length) {
    const sign = wanted[at];
    if (sign === "*") {
      star = at++;
      swallowed = to;
    } else if (sign !== undefined && (sign === "?" || sign === given[to])) {
      at++;
      to++;
    } else if (star >= 0) {
      at = star + 1;
      to = ++swallowed;
    } else return false;
  }
  while (wanted[at] === "*") at++;
  return at === wanted.length;
}
