/** What the menu is at any moment. Plain data; the values are those that the model gives for `settings`. */
import type { Menu, Sym } from "../engine/model.ts";
import type { Found } from "./find.ts";
import type { InputLine } from "./input-line.ts";
import type { Key } from "./key.ts";
import type { MenuModel } from "./model.ts";
import type { Page } from "./pages.ts";
import type { Plan, PlanOutcome } from "./plan.ts";
import type { Settings } from "./settings.ts";

export interface Size {
  readonly rows: number;
  readonly columns: number;
}

/** A screen that is open: its menu, and the line that the cursor is on. */
export interface Place {
  readonly menu: Menu;
  /** Where the cursor is, as long as it is there; otherwise by number. */
  readonly node: Menu | undefined;
  readonly index: number;
  /** The first line that is shown. */
  readonly top: number;
}

export type Dialog =
  /** A number or string is typed: to be set, or to ask what would make it so. */
  | {
      readonly kind: "text";
      readonly purpose: "set" | "want";
      readonly symbol: Sym;
      readonly input: InputLine;
      readonly problem: string | undefined;
    }
  | {
      readonly kind: "search";
      readonly input: InputLine;
      readonly found: readonly Found[];
      readonly index: number;
      readonly top: number;
    }
  | { readonly kind: "page"; readonly page: Page; readonly top: number }
  | { readonly kind: "solving"; readonly symbol: Sym; readonly value: string }
  | { readonly kind: "plan"; readonly plan: Plan; readonly top: number }
  | {
      readonly kind: "save";
      readonly what: SaveKind;
      readonly input: InputLine;
      /** The file is there, and the user is asked whether it may be replaced. */
      readonly exists: boolean;
      readonly thenQuit: boolean;
    }
  | { readonly kind: "quit" };

export type SaveKind = "config" | "fragment";

export interface State {
  readonly size: Size;
  readonly settings: Settings;
  /** What the file has: that which was loaded, or saved last. */
  readonly saved: Settings;
  /** What was undone, the next to be done again last. */
  readonly undone: readonly Settings[];
  /** The screens from the root to the one that is open. */
  readonly path: readonly Place[];
  readonly showHidden: boolean;
  /** What stands above the menu, the last one on top. */
  readonly dialogs: readonly Dialog[];
  readonly message: string;
  /** Where the configuration is saved. */
  readonly file: string;
  /** Files that may be replaced without a question: the one that was read, and those that were written, each by its like. */
  readonly own: Readonly<Record<SaveKind, readonly string[]>>;
}

export type Event =
  | { readonly kind: "key"; readonly key: Key }
  | { readonly kind: "paste"; readonly text: string }
  | { readonly kind: "resize"; readonly size: Size }
  | { readonly kind: "planned"; readonly outcome: PlanOutcome }
  | { readonly kind: "saved"; readonly what: SaveKind; readonly file: string; readonly message: string }
  | { readonly kind: "exists" }
  | { readonly kind: "failed"; readonly message: string };

/** What somebody else has to do; what comes of it is an event. */
export type Effect =
  | { readonly kind: "plan"; readonly symbol: Sym; readonly value: string }
  | {
      readonly kind: "save";
      readonly what: SaveKind;
      readonly file: string;
      /** Also when there is a file of that name. */
      readonly replace: boolean;
    }
  | { readonly kind: "redraw" }
  | { readonly kind: "suspend" }
  | { readonly kind: "quit"; readonly status: number };

/** What the machine asks: the tree, and the search in it. */
export interface Machine {
  readonly model: MenuModel;
  readonly find: (typed: string) => readonly Found[];
}

export interface Step {
  readonly state: State;
  readonly effect?: Effect | undefined;
}

export function startState(
  root: Menu,
  settings: Settings,
  { size, file, own }: Pick<State, "size" | "file" | "own">,
): State {
  return {
    size,
    settings,
    saved: settings,
    undone: [],
    path: [{ menu: root, node: undefined, index: 0, top: 0 }],
    showHidden: false,
    dialogs: [],
    message: "? shows the keys and the help of an option",
    file,
    own,
  };
}

/** The place that is open. */
export function openPlace({ path }: State): Place {
  const place = path.at(-1);
  if (place === undefined) throw new Error("No menu is open");
  return place;
}

export function withDialog(state: State, dialog: Dialog): State {
  return { ...state, dialogs: [...state.dialogs, dialog] };
}

/** Another one instead of the dialog on top, or none. */
export function replaceDialog(state: State, dialog?: Dialog): State {
  const below = state.dialogs.slice(0, -1);
  return { ...state, dialogs: dialog === undefined ? below : [...below, dialog] };
}
