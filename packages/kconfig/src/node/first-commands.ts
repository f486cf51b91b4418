/**
 * What a Linux tree asks before anything else, found in the text of scripts/Kconfig.include before it is read properly: the
 * versions of the tools, and how many bits the compiler has. Nothing in there waits for the answer of another, so that they
 * can be asked side by side. Only forms that are known to change nothing count, since what comes before might still stop conf.
 */
const VERSION =
  /^[\w-]+ := \$\(shell,\$\(srctree\)\/(scripts\/(?:cc|as|ld|rustc|rustc-llvm)-version\.sh)((?: \$\(\w+\))*)\)$/gm;
const BIT_DEFINITION =
  "\ncc-option-bit = $(if-success,$(CC) -Werror $(1) -E -x c /dev/null -o /dev/null,$(1))\n";
const BIT = /^[\w-]+ := \$\(cc-option-bit,(-m\d+)\)$/gm;
const PLAIN = /^[\w./+-]*$/;

/** The commands, letter for letter as the preprocessor gives them to the shell. */
export function firstCommands(include: string, env: Readonly<Record<string, string | undefined>>): string[] {
  const { CC = "", srctree = "" } = env;
  const commands: string[] = [];
  for (const [, script = "", names = ""] of include.matchAll(VERSION)) {
    const values = Array.from(names.matchAll(/\w+/g), ([name]) => env[name] ?? "");
    if ([srctree, ...values].every((value) => PLAIN.test(value)))
      commands.push(`${srctree}/${script}${values.map((value) => ` ${value}`).join("")}`);
  }
  if (CC === "" || !PLAIN.test(CC) || !include.includes(BIT_DEFINITION)) return commands;
  for (const [, flag = ""] of include.matchAll(BIT))
    commands.push(
      `{ ${CC} -Werror ${flag} -E -x c /dev/null -o /dev/null; } >/dev/null 2>&1 && echo "${flag}" || echo ""`,
    );
  return commands;
}
