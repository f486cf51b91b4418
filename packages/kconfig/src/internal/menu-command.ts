/** kconfig menu: the machine of src/menu on this process's terminal and files. */
import { existsSync, statSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import type { CliIo } from "../command.ts";
import { KconfigError } from "../errors.ts";
import { fragmentBytes } from "../menu/changes.ts";
import { draw } from "../menu/draw.ts";
import { indexOf } from "../menu/find.ts";
import type { Frame } from "../menu/frame.ts";
import { MenuModel } from "../menu/model.ts";
import { paint } from "../menu/paint.ts";
import { planFor } from "../menu/plan.ts";
import { startState } from "../menu/state.ts";
import type { Effect, Event, Machine, State } from "../menu/state.ts";
import { step } from "../menu/step.ts";
import { needTerminal, openTerminal } from "../node/terminal.ts";
import type { CliArgs } from "./cli-args.ts";
import { need, readBytes, writeWhole } from "./cli-files.ts";
import { openTree, tellWarnings } from "./open-tree.ts";

/** Runs the menu until the user leaves it; gives the exit status. */
export async function menuCommand(
  operands: readonly string[],
  values: CliArgs["values"],
  io: CliIo,
): Promise<number> {
  need(operands, 0, 0, "menu [--config FILE] [-o FILE]");
  if (values.json === true) {
    throw new KconfigError("KCONFIG_USAGE", '"kconfig menu" has no use for "--json"');
  }
  needTerminal();
  const config = values.config ?? (existsSync(".config") ? ".config" : undefined);
  const bytes = config === undefined ? undefined : await readBytes(config);
  const tree = await openTree(values, io);
  if (bytes !== undefined) tellWarnings(tree.load(bytes, { file: config ?? "" }), io);
  const model = new MenuModel(tree);
  return await run(model, {
    file: values.output ?? config ?? ".config",
    own: { config: config === undefined ? [] : [config], fragment: [] },
  });
}

async function run(model: MenuModel, files: Pick<State, "file" | "own">): Promise<number> {
  const machine: Machine = { model, find: indexOf(model) };
  const events = new Events();
  using terminal = openTerminal({
    onKey: (key) => events.push({ kind: "key", key }),
    onPaste: (text) => events.push({ kind: "paste", text }),
    onResize: (size) => events.push({ kind: "resize", size }),
    onRedraw: () => events.push("redraw"),
    onEnd: (signal) => events.push({ kind: "end", signal }),
  });
  let state = startState(model.root, model.journal.loaded, { size: terminal.size(), ...files });
  let shown: { readonly frame: Frame; readonly state: State } | undefined;
  const show = (): void => {
    const frame = draw(model, state);
    const { size } = state;
    const before = shown?.state.size === size ? shown.frame : undefined;
    const clear = before === undefined ? "\u001b[2J" : "";
    terminal.write(clear + paint(frame, { before, size, utf8: terminal.utf8 }));
    shown = { frame, state };
  };
  show();
  for (;;) {
    const event = await events.next();
    if (event === "redraw") shown = undefined;
    else if (event.kind === "end") return 128 + event.signal;
    else {
      const { state: next, effect } = step(machine, state, event);
      state = next;
      if (effect?.kind === "quit") return effect.status;
      if (effect?.kind === "suspend") terminal.suspend();
      else if (effect?.kind === "redraw") shown = undefined;
      else if (effect !== undefined) {
        show();
        const result = await perform(effect, machine, state);
        // What was typed meanwhile is read before the result is there, so that nobody agrees to what he has not seen.
        if (effect.kind === "plan") await sleep(50);
        events.push(result);
      }
    }
    if (events.isEmpty) show();
  }
}

async function perform(
  effect: Extract<Effect, { readonly kind: "plan" | "save" }>,
  { model }: Machine,
  { settings }: State,
): Promise<Event> {
  try {
    if (effect.kind === "plan") {
      return { kind: "planned", outcome: await planFor(model, settings, effect) };
    }
    const { what, file, replace } = effect;
    if (!replace && existsSync(file)) return { kind: "exists" };
    const bytes = what === "config" ? model.configBytes(settings) : fragmentBytes(model, settings);
    if (what === "fragment" && bytes.length === 0) {
      return { kind: "failed", message: "Nothing was changed: there is nothing to save as a fragment" };
    }
    // A device may have no end.
    const isFile = statSync(file, { throwIfNoEntry: false })?.isFile() === true;
    const before = isFile ? await readBytes(file) : undefined;
    if (before?.equals(bytes) === true)
      return { kind: "saved", what, file, message: `No change to "${file}"` };
    // As conf does.
    const old = what === "config" && before !== undefined ? `${file}.old` : undefined;
    await writeWhole(file, bytes, { old });
    return { kind: "saved", what, file, message: `Saved to "${file}"` };
  } catch (error) {
    if (!(error instanceof KconfigError)) throw error;
    return { kind: "failed", message: error.message };
  }
}

type Happening = Event | "redraw" | { readonly kind: "end"; readonly signal: number };

/** What happened and was not looked at yet. */
class Events {
  readonly #waiting: Happening[] = [];
  #wake: (() => void) | undefined;

  readonly push = (event: Happening): void => {
    this.#waiting.push(event);
    this.#wake?.();
  };

  get isEmpty(): boolean {
    return this.#waiting.length === 0;
  }

  async next(): Promise<Happening> {
    for (;;) {
      const event = this.#waiting.shift();
      if (event !== undefined) return event;
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }
}
