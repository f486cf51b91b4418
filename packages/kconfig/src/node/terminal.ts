/** This process's terminal while it shows a menu: keys one by one, and what was before put back, however it ends. */
import { writeSync } from "node:fs";
import process from "node:process";
import { emitKeypressEvents } from "node:readline";
import type { Interface } from "node:readline";
import { KconfigError } from "../errors.ts";
import type { Key } from "../menu/key.ts";
import { ENTER, LEAVE } from "../menu/paint.ts";
import type { Size } from "../menu/state.ts";

export interface TerminalEvents {
  readonly onKey: (key: Key) => void;
  readonly onPaste: (text: string) => void;
  readonly onResize: (size: Size) => void;
  /** Its screen is gone: after it was suspended, or somebody else wrote on it. */
  readonly onRedraw: () => void;
  /** A signal that ends, or the terminal is gone. It has been put back; the number is that of the signal. */
  readonly onEnd: (signal: number) => void;
}

export interface MenuTerminal extends Disposable {
  readonly size: () => Size;
  readonly utf8: boolean;
  readonly write: (text: string) => void;
  /** Stops the process as Ctrl-Z does; returns when it goes on. */
  readonly suspend: () => void;
}

const ENDING = { SIGINT: 2, SIGTERM: 15, SIGHUP: 1, SIGQUIT: 3 } as const;

/**
 * Makes sure that there is a terminal.
 *
 * @throws KconfigError KCONFIG_HOST when there is none.
 */
export function needTerminal(): void {
  const { stdin, stdout, env } = process;
  const problem =
    env["TERM"] === "dumb"
      ? 'TERM is "dumb"'
      : !stdin.isTTY
        ? "stdin is none"
        : !stdout.isTTY
          ? "stdout is none"
          : undefined;
  if (problem === undefined) return;
  throw new KconfigError("KCONFIG_HOST", `The menu needs a terminal, but ${problem}`, {
    hint: '"kconfig search", "show", "explain" and "resolve" do without one',
  });
}

/**
 * Takes the terminal over.
 *
 * @throws KconfigError KCONFIG_HOST when there is none.
 */
export function openTerminal(events: TerminalEvents): MenuTerminal {
  needTerminal();
  const { stdin, stdout } = process;
  let isIn = false;
  let pasted: string | undefined;

  // At once, also while the process ends.
  const write = (text: string): void => {
    const bytes = Buffer.from(text);
    for (let done = 0; done < bytes.length;) {
      try {
        done += writeSync(stdout.fd, bytes, done);
      } catch (error) {
        const { code } = error as NodeJS.ErrnoException;
        if (code === "EAGAIN") {
          Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
          continue;
        }
        // Nobody is there to see it.
        if (code === "EIO" || code === "EPIPE" || code === "EBADF") return;
        throw error;
      }
    }
  };
  const enter = (): void => {
    stdin.setRawMode(true);
    write(ENTER);
    isIn = true;
  };
  const leave = (): void => {
    if (!isIn) return;
    isIn = false;
    write(LEAVE);
    try {
      stdin.setRawMode(false);
    } catch {
      // A terminal that is gone has no mode.
    }
  };

  const onKeypress = (text: string | undefined, { name, ctrl, meta }: PressedKey): void => {
    if (name === "paste-start") pasted = "";
    else if (name === "paste-end") {
      if (pasted !== undefined) events.onPaste(pasted);
      pasted = undefined;
    } else if (pasted !== undefined) pasted += text ?? "";
    else {
      const key = keyOf(text, { name, ctrl, meta });
      if (key !== undefined) events.onKey(key);
    }
  };
  const onResize = (): void => events.onResize(size());
  const size = (): Size => ({
    rows: Math.max(1, stdout.rows || 24),
    columns: Math.max(1, stdout.columns || 80),
  });
  const end = (signal: number): void => {
    close();
    events.onEnd(signal);
  };
  const onContinue = (): void => {
    if (!isIn) return;
    // A shell may have changed the mode meanwhile; setting what it is believed to be would do nothing.
    stdin.setRawMode(false);
    enter();
    events.onRedraw();
  };
  const suspend = (): void => {
    leave();
    process.off("SIGTSTP", suspend);
    // The process stops in here. It does not where nobody could continue it; then it goes on at once.
    process.kill(process.pid, "SIGTSTP");
    process.on("SIGTSTP", suspend);
    enter();
    events.onResize(size());
    events.onRedraw();
  };
  const onInputEnd = (): void => end(ENDING.SIGHUP);
  const signals = Object.entries(ENDING).map(([name, number]) => [name, (): void => end(number)] as const);

  const close = (): void => {
    leave();
    stdin.off("keypress", onKeypress).off("end", onInputEnd).off("error", onInputEnd);
    stdin.pause();
    stdout.off("resize", onResize);
    process.off("SIGCONT", onContinue).off("SIGTSTP", suspend);
    for (const [name, listener] of signals) process.off(name, listener);
    process.off("exit", leave).off("uncaughtExceptionMonitor", leave);
  };

  // Of an interface nothing but this is looked at: how long Escape may be the beginning of a key, in milliseconds.
  emitKeypressEvents(stdin, { escapeCodeTimeout: 50 } as unknown as Interface);
  stdin.on("keypress", onKeypress).on("end", onInputEnd).on("error", onInputEnd);
  stdout.on("resize", onResize);
  process.on("SIGCONT", onContinue).on("SIGTSTP", suspend);
  for (const [name, listener] of signals) process.on(name, listener);
  // Before a stack is printed, so that it is not printed on a screen that goes away.
  process.on("exit", leave).on("uncaughtExceptionMonitor", leave);
  stdin.resume();
  enter();
  const locale = process.env["LC_ALL"] || process.env["LC_CTYPE"] || process.env["LANG"] || "";
  return { size, utf8: /utf-?8/i.test(locale), write, suspend, [Symbol.dispose]: close };
}

interface PressedKey {
  readonly name?: string | undefined;
  readonly ctrl?: boolean | undefined;
  readonly meta?: boolean | undefined;
}

const NAMED: ReadonlySet<string> = new Set([
  ...["up", "down", "left", "right", "home", "end", "pageup", "pagedown"],
  ...["return", "escape", "backspace", "delete", "tab"],
]);

/** A key as the menu names it; undefined for one that it has no use for. */
export function keyOf(text: string | undefined, { name = "", ctrl, meta }: PressedKey): Key | undefined {
  if (name === "enter") return "return";
  if (NAMED.has(name) && ctrl !== true) return name;
  if (ctrl === true) return name === "" ? undefined : `C-${name}`;
  if (meta === true || text === undefined || /^\p{Cc}/u.test(text)) return undefined;
  return Array.from(text).length === 1 ? text : undefined;
}
