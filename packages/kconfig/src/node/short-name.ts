/**
 * A file's name made of the text that its content is kept by: 64 bits of FNV-1a. Two texts may share a name, so the file has
 * to hold the text as well. (Node's crypto would take a tenth of the time of a run that finds all that it needs.)
 */
export function shortName(text: string): string {
  let [low, high] = [0x811c9dc5, 0x01000193];
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    low = Math.imul(low ^ code, 0x01000193);
    high = Math.imul(high ^ code, 0x85ebca6b);
  }
  return [low, high].map((part) => (part >>> 0).toString(16).padStart(8, "0")).join("");
}
