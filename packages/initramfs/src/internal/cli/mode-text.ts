const TYPE_LETTERS: Readonly<Record<string, string>> = {
  file: "-",
  directory: "d",
  symlink: "l",
  character: "c",
  block: "b",
  fifo: "p",
  socket: "s",
};

const known = new Map<string, string>();

/** As ls(1) writes it. */
export function modeText(type: string, mode: number): string {
  const key = `${type}${mode}`;
  const text = known.get(key) ?? writeMode(type, mode);
  known.set(key, text);
  return text;
}

function writeMode(type: string, mode: number): string {
  const bits = (mode & 0o777).toString(2).padStart(9, "0").split("");
  const text = bits.map((bit, index) => (bit === "1" ? ("rwx"[index % 3] as string) : "-"));
  const special: [bit: number, at: number, letter: string][] = [
    [0o4000, 2, "s"],
    [0o2000, 5, "s"],
    [0o1000, 8, "t"],
  ];
  for (const [bit, at, letter] of special) {
    if ((mode & bit) !== 0) text[at] = text[at] === "x" ? letter : letter.toUpperCase();
  }
  return (TYPE_LETTERS[type] ?? "?") + text.join("");
}
