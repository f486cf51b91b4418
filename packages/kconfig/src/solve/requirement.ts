/** What is asked for, as literals. */
import type { LoadedTree } from "../engine/load.ts";
import { isLogic } from "../engine/model.ts";
import type { Sym } from "../engine/model.ts";
import { isValidText } from "../engine/text-value.ts";
import { KconfigError } from "../errors.ts";
import type { ConfigRequest } from "../fragment.ts";
import { nearest } from "../internal/nearest.ts";
import { decode, encode } from "../internal/symbol-view.ts";
import { FALSE } from "./cnf.ts";
import type { Lit } from "./cnf.ts";
import type { Encoding } from "./encode.ts";
import { litOfText } from "./texts.ts";

/** A value that a symbol is to have. */
export interface Requirement {
  readonly request: ConfigRequest;
  /** Undefined for one that the tree does not have, which is n. */
  readonly symbol: Sym | undefined;
  /** All of them have to hold. */
  readonly lits: readonly Lit[];
  /** The text of a number or string. */
  readonly text: string | undefined;
}

/**
 * Reads a request.
 *
 * @throws KconfigError KCONFIG_VALUE for a symbol that the tree does not have, unless it is to be n, or a value that its
 * type does not have.
 */
export function requirementOf(request: ConfigRequest, engine: LoadedTree, encoding: Encoding): Requirement {
  const { symbol: name, value, location } = request;
  const symbol = engine.table.find(name);
  if (symbol === undefined || symbol.menus.length === 0 || symbol.isChoice) {
    if (value.text === "n") return { request, symbol: undefined, lits: [], text: undefined };
    const names = [...engine.table.named()].flatMap((one) => (one.menus.length > 0 ? [one.name ?? ""] : []));
    const near = nearest(name, names);
    throw new KconfigError("KCONFIG_VALUE", `There is no symbol "${name}"`, {
      location,
      hint: near === undefined ? 'Find it with "kconfig search"' : `Did you mean "${near}"?`,
    });
  }
  const text = encode(value.text);
  if (isLogic(symbol.type)) {
    const { on, y } = encoding.pairOf(symbol);
    const ofValue = new Map<string, readonly Lit[]>([
      ["n", [-on]],
      ["y", [y]],
    ]);
    if (symbol.type === "tristate") ofValue.set("m", [on, -y]);
    const lits = ofValue.get(text);
    if (lits === undefined) throw noValue(symbol, request);
    return { request, symbol, lits, text: undefined };
  }
  const known = encoding.texts.get(symbol);
  if (known === undefined || !isValidText(symbol.type, text)) throw noValue(symbol, request);
  const { is } = litOfText(known, text);
  return { request, symbol, lits: [is, known.written], text: is === FALSE ? undefined : text };
}

function noValue(symbol: Sym, { value, location }: ConfigRequest): KconfigError {
  return new KconfigError(
    "KCONFIG_VALUE",
    `"${value.text}" is no value for "${decode(symbol.name ?? "")}", which is ${symbol.type}`,
    { location },
  );
}
