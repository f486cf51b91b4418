/** What keys do above a menu: in pages, in the search, where something is typed or asked. */
import { isLogic } from "../engine/model.ts";
import type { Menu } from "../engine/model.ts";
import { solving, taken } from "./browse.ts";
import { editLine, inputOf, insert } from "./input-line.ts";
import type { InputLine } from "./input-line.ts";
import type { Key } from "./key.ts";
import { pageLines, pageRows, scrolled } from "./layout.ts";
import { helpPage } from "./pages.ts";
import { placesOf } from "./rows.ts";
import { replaceDialog, withDialog } from "./state.ts";
import type { Dialog, Machine, State, Step } from "./state.ts";

type Of<Kind extends Dialog["kind"]> = Extract<Dialog, { readonly kind: Kind }>;

export function dialogKey(machine: Machine, state: State, dialog: Dialog, key: Key): Step {
  switch (dialog.kind) {
    case "page":
      return { state: inPage(state, dialog, key) };
    case "search":
      return { state: inSearch(machine, state, dialog, key) };
    case "text":
      return inText(machine, state, dialog, key);
    case "save":
      return inSave(state, dialog, key);
    case "plan":
      return inPlan(state, dialog, key);
    case "solving":
      // It cannot be stopped; what is typed meanwhile is not for what comes then.
      return { state };
    default:
      return inQuit(state, key);
  }
}

/** What is pasted goes into the line that is typed, if there is one, and is no key. */
export function dialogPaste(machine: Machine, state: State, text: string): State {
  const dialog = state.dialogs.at(-1);
  if (dialog === undefined || !("input" in dialog)) return state;
  return withInput(machine, state, dialog, insert(dialog.input, text));
}

function withInput(
  machine: Machine,
  state: State,
  dialog: Of<"text" | "search" | "save">,
  input: InputLine,
): State {
  if (dialog.kind === "search") {
    const found = dialog.input.text === input.text ? dialog.found : machine.find(input.text);
    const index = found === dialog.found ? dialog.index : 0;
    return replaceDialog(state, { ...dialog, input, found, index, top: index === 0 ? 0 : dialog.top });
  }
  if (dialog.kind === "save") return replaceDialog(state, { ...dialog, input, exists: false });
  return replaceDialog(state, { ...dialog, input, problem: undefined });
}

/** Scrolled by a key, or undefined when it is none for that. */
function scrollBy(key: Key, top: number, count: number, room: number): number | undefined {
  const last = Math.max(0, count - room);
  const to = (line: number): number => Math.max(0, Math.min(line, last));
  switch (key) {
    case "up":
    case "k":
      return to(top - 1);
    case "down":
    case "j":
    case "return":
      return to(top + 1);
    case "pageup":
    case "b":
      return to(top - room);
    case "pagedown":
    case " ":
      return to(top + room);
    case "home":
      return 0;
    case "end":
      return last;
    default:
      return undefined;
  }
}

function isLeaving(key: Key): boolean {
  return key === "escape" || key === "q" || key === "left" || key === "backspace" || key === "C-c";
}

function inPage(state: State, dialog: Of<"page">, key: Key): State {
  if (isLeaving(key)) return replaceDialog(state);
  const count = pageLines(dialog.page, state.size).length;
  const top = scrollBy(key, dialog.top, count, pageRows(state.size));
  return top === undefined ? state : replaceDialog(state, { ...dialog, top });
}

function inSearch(machine: Machine, state: State, dialog: Of<"search">, key: Key): State {
  const { found, index } = dialog;
  const room = pageRows(state.size);
  const move = (to: number): State => {
    const at = Math.max(0, Math.min(to, found.length - 1));
    const top = scrolled(dialog.top, at, { count: found.length, list: room });
    return replaceDialog(state, { ...dialog, index: at, top });
  };
  const chosen = found[index];
  switch (key) {
    case "escape":
    case "C-c":
      return replaceDialog(state);
    case "up":
      return move(index - 1);
    case "down":
      return move(index + 1);
    case "pageup":
      return move(index - room);
    case "pagedown":
      return move(index + room);
    case "tab":
      if (chosen === undefined) return state;
      return withDialog(state, { kind: "page", page: helpPage(chosen.node, machine.model), top: 0 });
    case "return":
      if (chosen === undefined) return state;
      if (chosen.node.prompt !== undefined) return goTo(machine, replaceDialog(state), chosen.node);
      return withDialog(state, { kind: "page", page: helpPage(chosen.node, machine.model), top: 0 });
    default: {
      const input = editLine(dialog.input, key);
      return input === undefined ? state : withInput(machine, state, dialog, input);
    }
  }
}

/** Opens the menu in which a node stands, with the cursor on it; what is hidden is shown for that. */
export function goTo({ model }: Machine, state: State, node: Menu): State {
  const places = placesOf(node);
  const isShown = [node, ...places.slice(1)].every((one) => model.isShown(one));
  const path = places.map((menu, depth) => ({
    menu,
    node: places[depth + 1] ?? node,
    index: 0,
    top: 0,
  }));
  const hidden = !isShown && !state.showHidden;
  return {
    ...state,
    path,
    showHidden: state.showHidden || hidden,
    message: isShown ? "" : "It is hidden: w says why, e what would enable it",
  };
}

function inText(machine: Machine, state: State, dialog: Of<"text">, key: Key): Step {
  const { symbol, input, purpose } = dialog;
  if (key === "escape" || key === "C-c") return { state: replaceDialog(state) };
  if (key !== "return") {
    const edited = editLine(input, key);
    return { state: edited === undefined ? state : withInput(machine, state, dialog, edited) };
  }
  const { model } = machine;
  if (purpose === "want") {
    const value = model.spelled(symbol, input.text);
    const problem = model.typeProblem(symbol, value);
    if (problem !== undefined) return { state: replaceDialog(state, { ...dialog, problem }) };
    return solving(replaceDialog(state), symbol, value);
  }
  const given = model.setText(symbol, input.text);
  if ("problem" in given) return { state: replaceDialog(state, { ...dialog, problem: given.problem }) };
  return { state: taken(replaceDialog(state), given) };
}

function inSave(state: State, dialog: Of<"save">, key: Key): Step {
  const { what, input, exists } = dialog;
  if (key === "escape" || key === "C-c") return { state: replaceDialog(state) };
  const file = input.text;
  if (exists) {
    if (key === "y") return { state, effect: { kind: "save", what, file, replace: true } };
    return { state: replaceDialog(state, { ...dialog, exists: false }) };
  }
  if (key === "return") {
    if (file === "") return { state };
    return { state, effect: { kind: "save", what, file, replace: state.own[what].includes(file) } };
  }
  const edited = editLine(input, key);
  return { state: edited === undefined ? state : replaceDialog(state, { ...dialog, input: edited }) };
}

function inPlan(state: State, dialog: Of<"plan">, key: Key): Step {
  const { plan } = dialog;
  if (key === "return") {
    const message = `Done: ${plan.settings.label}; u undoes it`;
    return { state: { ...taken(replaceDialog(state), plan.settings), message } };
  }
  if (isLeaving(key)) return { state: { ...replaceDialog(state), message: "Nothing was changed" } };
  const logic = isLogic(plan.symbol.type);
  if (logic && (key === "y" || key === "m" || key === "n") && key !== plan.value) {
    if (key === "m" && plan.symbol.type === "bool") return { state };
    return solving(replaceDialog(state), plan.symbol, key);
  }
  const room = Math.max(1, pageRows(state.size) - 1);
  const top = scrollBy(key, dialog.top, plan.changes.length, room);
  return { state: top === undefined ? state : replaceDialog(state, { ...dialog, top }) };
}

function inQuit(state: State, key: Key): Step {
  switch (key) {
    case "y":
    case "return": {
      const input = inputOf(state.file);
      const dialog = { kind: "save", what: "config", input, exists: false, thenQuit: true } as const;
      const next = replaceDialog(state, dialog);
      const replace = state.own.config.includes(state.file);
      return { state: next, effect: { kind: "save", what: "config", file: state.file, replace } };
    }
    case "n":
      return { state, effect: { kind: "quit", status: 0 } };
    case "C-c":
      return { state, effect: { kind: "quit", status: 130 } };
    case "escape":
    case "left":
    case "backspace":
      return { state: replaceDialog(state) };
    default:
      return { state };
  }
}
