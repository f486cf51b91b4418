/** The menu as a machine: a state and what happens give the next state, and what is to be done. Nothing else is changed. */
import { layoutOf, pageLines, pageRows, scrolled } from "./layout.ts";
import { browse } from "./browse.ts";
import { dialogKey, dialogPaste } from "./dialogs.ts";
import type { MenuModel } from "./model.ts";
import { rowsOf } from "./rows.ts";
import { openPlace, replaceDialog, withDialog } from "./state.ts";
import type { Event, Machine, State, Step } from "./state.ts";

export function step(machine: Machine, state: State, event: Event): Step {
  machine.model.at(state.settings);
  const next = react(machine, state, event);
  return { ...next, state: settle(machine.model, next.state) };
}

function react(machine: Machine, state: State, event: Event): Step {
  switch (event.kind) {
    case "key": {
      const quiet = { ...state, message: "" };
      if (event.key === "C-l") return { state, effect: { kind: "redraw" } };
      if (event.key === "C-z") return { state, effect: { kind: "suspend" } };
      const dialog = state.dialogs.at(-1);
      return dialog === undefined
        ? browse(machine.model, quiet, event.key)
        : dialogKey(machine, quiet, dialog, event.key);
    }
    case "paste":
      return { state: dialogPaste(machine, state, event.text) };
    case "resize":
      return { state: resized({ ...state, size: event.size }) };
    case "planned": {
      // Whoever waited may have left.
      if (state.dialogs.at(-1)?.kind !== "solving") return { state };
      const { outcome } = event;
      if (outcome.kind === "plan") {
        const { plan } = outcome;
        if (plan.changes.length > 0) return { state: replaceDialog(state, { kind: "plan", plan, top: 0 }) };
        return { state: { ...replaceDialog(state), message: "It is so already" } };
      }
      const page = { title: "No way was found", lines: outcome.text.split("\n") };
      return { state: replaceDialog(state, { kind: "page", page, top: 0 }) };
    }
    case "saved": {
      const dialog = state.dialogs.at(-1);
      const quits = dialog?.kind === "save" && dialog.thenQuit;
      const done = { ...replaceDialog(state), message: event.message };
      const own = { ...state.own, [event.what]: [...state.own[event.what], event.file] };
      const next =
        event.what === "config"
          ? { ...done, own, saved: state.settings, file: event.file }
          : { ...done, own };
      return quits ? { state: next, effect: { kind: "quit", status: 0 } } : { state: next };
    }
    case "exists": {
      const dialog = state.dialogs.at(-1);
      if (dialog?.kind !== "save") return { state };
      return { state: replaceDialog(state, { ...dialog, exists: true }) };
    }
    default: {
      const page = { title: "That failed", lines: event.message.split("\n") };
      const dialog = state.dialogs.at(-1);
      const back = dialog?.kind === "solving" ? replaceDialog(state) : state;
      return { state: withDialog(back, { kind: "page", page, top: 0 }) };
    }
  }
}

// What is read or looked through stays on the screen.
function resized(state: State): State {
  const room = pageRows(state.size);
  const dialogs = state.dialogs.map((dialog) => {
    switch (dialog.kind) {
      case "page": {
        const last = Math.max(0, pageLines(dialog.page, state.size).length - room);
        return { ...dialog, top: Math.min(dialog.top, last) };
      }
      case "search": {
        const { found, index, top } = dialog;
        return { ...dialog, top: scrolled(top, index, { count: found.length, list: room }) };
      }
      case "plan":
        return { ...dialog, top: 0 };
      default:
        return dialog;
    }
  });
  return { ...state, dialogs };
}

// The cursor stays on its line where that is still there, and on the screen.
function settle(model: MenuModel, state: State): State {
  model.at(state.settings);
  const place = openPlace(state);
  const rows = rowsOf(place.menu, model, state);
  const found = place.node === undefined ? -1 : rows.findIndex(({ node }) => node === place.node);
  const index = found >= 0 ? found : Math.max(0, Math.min(place.index, rows.length - 1));
  const { list } = layoutOf(state.size);
  const top = scrolled(place.top, index, { count: rows.length, list });
  const node = rows[index]?.node;
  if (place.index === index && place.top === top && place.node === node) return state;
  return { ...state, path: [...state.path.slice(0, -1), { ...place, index, top, node }] };
}
