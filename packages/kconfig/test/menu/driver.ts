/** The menu's machine, a key after the other, without a terminal. */
import { loadKconfig } from "../../src/index.ts";
import type { KconfigTree } from "../../src/index.ts";
import { fragmentBytes } from "../../src/menu/changes.ts";
import { draw } from "../../src/menu/draw.ts";
import { indexOf } from "../../src/menu/find.ts";
import type { Key } from "../../src/menu/key.ts";
import { MenuModel } from "../../src/menu/model.ts";
import { planFor } from "../../src/menu/plan.ts";
import { startState } from "../../src/menu/state.ts";
import type { Effect, Event, Machine, Size, State } from "../../src/menu/state.ts";
import { step } from "../../src/menu/step.ts";

export interface Driver {
  readonly machine: Machine;
  readonly model: MenuModel;
  state: State;
  /** What the last event wanted. */
  effect: Effect | undefined;
  readonly send: (event: Event) => void;
  /** Keys by name; a text of more than one character that names no key is typed. */
  readonly press: (...keys: readonly Key[]) => void;
  readonly type: (text: string) => void;
  /** Does what is asked for when it is a plan. */
  readonly solve: () => Promise<void>;
  /** What is shown, blanks at the ends of lines cut. */
  readonly lines: () => readonly string[];
  readonly screen: () => string;
  readonly config: () => string;
  readonly fragment: () => string;
}

export function driverOf(tree: KconfigTree, size: Size = { rows: 24, columns: 80 }): Driver {
  const model = new MenuModel(tree);
  const machine = { model, find: indexOf(model) };
  // Somebody else works on it while keys go on coming.
  let asked: Extract<Effect, { kind: "plan" }> | undefined;
  const driver: Driver = {
    machine,
    model,
    state: startState(model.root, model.journal.loaded, {
      size,
      file: ".config",
      own: { config: [".config"], fragment: [] },
    }),
    effect: undefined,
    send: (event) => {
      const { state, effect } = step(machine, driver.state, event);
      driver.state = state;
      driver.effect = effect;
      if (effect?.kind === "plan") asked = effect;
    },
    press: (...keys) => {
      for (const key of keys) driver.send({ kind: "key", key });
    },
    type: (text) => driver.press(...Array.from(text)),
    solve: async () => {
      if (asked === undefined) throw new Error(`no plan is asked for: ${driver.screen()}`);
      const outcome = await planFor(model, driver.state.settings, asked);
      asked = undefined;
      driver.send({ kind: "planned", outcome });
    },
    lines: () => draw(model, driver.state).lines.map(({ text }) => text.trimEnd()),
    screen: () => driver.lines().join("\n"),
    config: () => model.configBytes(driver.state.settings).toString("latin1"),
    fragment: () => fragmentBytes(model, driver.state.settings).toString("latin1"),
  };
  return driver;
}

/** A tree of one file, of any bytes. */
export async function treeOf(kconfig: string | Uint8Array, generation: 1 | 2 | 3 = 2): Promise<KconfigTree> {
  const bytes = typeof kconfig === "string" ? new TextEncoder().encode(kconfig) : kconfig;
  return await loadKconfig({
    srctree: "/tree",
    generation,
    host: { env: {}, readFile: (path) => (path === "/tree/Kconfig" ? bytes : undefined), shell: () => "" },
  });
}
