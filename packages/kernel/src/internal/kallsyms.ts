/** The tables that scripts/kallsyms.c makes of a first link. */
const TABLE =
  /^kallsyms_(addresses|offsets|relative_base|num_syms|names|markers|token_table|token_index|seqs_of_names)$/;

/** Their bytes, by the addresses in a System.map: from the first table to what follows the last. */
export function kallsymsBytes(systemMap: string): number {
  const symbols = systemMap.split("\n").map((line) => line.split(" "));
  const first = symbols.findIndex(([, , name = ""]) => TABLE.test(name));
  const last = symbols.findLastIndex(([, , name = ""]) => TABLE.test(name));
  const [start, end] = [symbols[first]?.[0], symbols[last + 1]?.[0]];
  if (start === undefined || end === undefined || end === "") return 0;
  return Number(BigInt(`0x${end}`) - BigInt(`0x${start}`));
}
