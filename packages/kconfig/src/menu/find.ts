/** Options and menus by words of their names and prompts. */
import { menusBelow } from "../engine/model.ts";
import type { Menu } from "../engine/model.ts";
import { decode } from "../internal/symbol-view.ts";
import type { MenuModel } from "./model.ts";

export interface Found {
  readonly node: Menu;
  /** Empty for a menu. */
  readonly name: string;
  readonly title: string;
}

interface Entry extends Found {
  readonly lowName: string;
  readonly lowTitle: string;
}

/** Prepares the search: each place that can be gone to, and each symbol that has none, once. */
export function indexOf(model: MenuModel): (typed: string) => readonly Found[] {
  let entries: readonly Entry[] | undefined;
  return (typed) => {
    entries ??= makeEntries(model);
    return find(entries, typed);
  };
}

function makeEntries({ root }: MenuModel): readonly Entry[] {
  const entries: Entry[] = [];
  const seen = new Set<Menu["symbol"]>();
  for (const node of menusBelow(root)) {
    const { symbol, prompt, kind } = node;
    if (kind === "comment" || kind === "if") continue;
    const named = symbol?.menus.some((menu) => menu.prompt !== undefined) === true;
    if (prompt === undefined && (symbol === undefined || named || seen.has(symbol))) continue;
    seen.add(symbol);
    const name = decode(symbol?.name ?? "");
    const title = decode(prompt?.text ?? "");
    entries.push({ node, name, title, lowName: name.toLowerCase(), lowTitle: title.toLowerCase() });
  }
  return entries;
}

// All words have to be there, each in the name or the prompt. What has the name stands first, then what begins with it, then
// what has all words in its name.
function find(entries: readonly Entry[], typed: string): readonly Found[] {
  const words = typed
    .toLowerCase()
    .split(/\s+/)
    .filter((word) => word !== "")
    .map((word) => word.replace(/^config_(\w*)(?:=.*)?$/, "$1"));
  const [first = ""] = words;
  if (words.every((word) => word === "")) return [];
  const ranks: [Entry[], Entry[], Entry[], Entry[]] = [[], [], [], []];
  for (const entry of entries) {
    const { lowName, lowTitle } = entry;
    if (!words.every((word) => lowName.includes(word) || lowTitle.includes(word))) continue;
    if (lowName === first && words.length === 1) ranks[0].push(entry);
    else if (lowName.startsWith(first)) ranks[1].push(entry);
    else if (words.every((word) => lowName.includes(word))) ranks[2].push(entry);
    else ranks[3].push(entry);
  }
  return ranks.flat();
}
