/** A pattern of fnmatch(3) without flags, as modules.alias has it: `*` and `?` stand for a slash too. */
export function glob(pattern: string): RegExp {
  const source = pattern.replaceAll(/\[!?[^\]]+\]|[^]/g, (part) => {
    if (part === "*") return "[^]*";
    if (part === "?") return "[^]";
    if (part.length === 1) return part.replace(/[\\^$.|+(){}[\]/-]/, String.raw`\$&`);
    return part.replaceAll("\\", "\\\\").replace(/^\[[!^]/, "[^");
  });
  return new RegExp(`^${source}$`);
}

export function isGlob(text: string): boolean {
  return /[*?[]/.test(text);
}
