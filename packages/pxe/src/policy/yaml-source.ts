import { isMap, isScalar, isSeq, LineCounter, parseDocument, type Document, type Node } from "yaml";

/** A place in a text; line and column count from 1. */
export interface TextLocation {
  readonly line: number;
  readonly column: number;
  readonly length: number;
}

export type ValuePath = readonly (string | number)[];

/** A YAML text as it was read, not yet checked. */
export interface YamlSource {
  /** For messages. */
  readonly file: string;
  readonly text: string;
  readonly value: unknown;
  /** What the text breaks of YAML itself. */
  readonly broken: readonly { readonly message: string; readonly location: TextLocation }[];
  locate(path: ValuePath, what: "key" | "value"): TextLocation | undefined;
}

/**
 * Read YAML where every scalar is text: a serial number 0042 or a MAC address of digits stays what was typed.
 */
export function readYaml(text: string, file: string): YamlSource {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, schema: "failsafe" });
  const spot = (offset: number, length: number): TextLocation => {
    const { line, col } = lines.linePos(offset);
    return { line, column: col, length: Math.max(1, length) };
  };
  const broken = document.errors.map(({ code, message, pos }) => ({
    message: code === "DUPLICATE_KEY" ? "This key stands here twice" : message.replace(/\.$/, ""),
    location: spot(pos[0], pos[1] - pos[0]),
  }));
  return {
    file,
    text,
    broken,
    value: broken.length > 0 ? undefined : document.toJS({ maxAliasCount: 100 }),
    locate(path, what) {
      const range = find(document, path, what)?.range;
      if (!range) return undefined;
      const firstLine = text.slice(range[0], range[1]).split("\n", 1)[0] ?? "";
      return spot(range[0], firstLine.trimEnd().length);
    },
  };
}

function find(document: Document, path: ValuePath, what: "key" | "value"): Node | undefined {
  let node: unknown = document.contents;
  for (const [index, step] of path.entries()) {
    if (isMap(node)) {
      const pair = node.items.find(({ key }) => isScalar(key) && String(key.value) === String(step));
      if (!pair) return undefined;
      if (what === "key" && index === path.length - 1) return pair.key as Node;
      node = pair.value ?? pair.key;
    } else if (isSeq(node)) node = node.items[Number(step)];
    else return undefined;
  }
  return (node as Node | null) ?? undefined;
}
