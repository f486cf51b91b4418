/**
 * The commands of scripts/Kconfig.include that every load runs, understood: some need no shell at all, others only the
 * compiler, without the processes around it. Whatever looks a little different is left to a shell.
 */
import { accessSync, constants, statSync } from "node:fs";
import { join } from "node:path";

const THEN = String.raw`; \} >/dev/null 2>&1 && echo "(\w*)" \|\| echo "(\w*)"$`;
const EMPTY = new RegExp(String.raw`^\{ test -z "([\w .+-]*)"${THEN}`);
const EQUAL = new RegExp(String.raw`^\{ test "([\w.+-]*)" = (\w+)${THEN}`);
const FOUND = new RegExp(String.raw`^\{ command -v ([\w.+-]+)${THEN}`);
const WORD = /^set -- (\w[\w.+-]*(?: \w[\w.+-]*)*) && echo \$([1-9])$/;

/** What a command prints, when that can be told without a shell. */
export function answerWithoutShell(command: string, path: string | undefined): string | undefined {
  const word = WORD.exec(command);
  if (word !== null) return `${word[1]?.split(" ")[Number(word[2]) - 1] ?? ""}\n`;
  const empty = EMPTY.exec(command);
  if (empty !== null) return `${empty[1] === "" ? empty[2] : empty[3]}\n`;
  const equal = EQUAL.exec(command);
  if (equal !== null) return `${equal[1] === equal[2] ? equal[3] : equal[4]}\n`;
  const found = FOUND.exec(command);
  // What is in no directory may still be known to the shell itself.
  if (found !== null && isProgram(found[1] as string, path)) return `${found[2]}\n`;
  return undefined;
}

function isProgram(name: string, path = ""): boolean {
  return path.split(":").some((directory) => {
    if (!directory.startsWith("/")) return false;
    const file = join(directory, name);
    try {
      accessSync(file, constants.X_OK);
      return statSync(file).isFile();
    } catch {
      return false;
    }
  });
}

const TRY =
  /^\{ (trap "rm -rf \.tmp_\$\$" EXIT; mkdir \.tmp_\$\$; )?([\w=,.+/:-]+(?: +[\w=,.+/:-]+)*)( -o \.tmp_\$\$\/tmp\.\w+)?; \} >\/dev\/null 2>&1 && echo "([\w-]*)" \|\| echo "([\w-]*)"$/;

/**
 * The same for a shell that goes on to run others: no process but the compiler's, and one directory for all that is
 * tried, which is called `.tmp_$$` and goes with the shell. Undefined for what has to have a shell of its own.
 */
export function inSharedShell(command: string, programs: readonly string[]): string | undefined {
  const [, makesDirectory, call = "", output = "", yes = "", no = ""] = TRY.exec(command) ?? [];
  if (!programs.some((program) => call.startsWith(`${program} `))) return undefined;
  if ((makesDirectory === undefined) !== (output === "")) return undefined;
  const directory = output === "" ? "" : "[ -d .tmp_$$ ] || mkdir .tmp_$$; ";
  return `{ ${directory}${call}${output}; } >/dev/null 2>&1 && echo "${yes}" || echo "${no}"`;
}
