/** Macro statements of generated trees. The shell is only asked to echo. */
import type { Random } from "./random.ts";
import type { Plan } from "./symbols.ts";

const NAMES = ["V", "W", "F", "empty", "my-fn"];
// What the environment of a run gives.
export const ENVIRONMENT: Readonly<Record<string, string>> = { HOME_ENV: "from env", ARCH: "x86" };

/** A few assignments and calls. */
export function macros(plan: Plan): string[] {
  const { random, variables } = plan;
  const lines: string[] = [];
  for (let left = random.from(1, 3); left > 0; left--) {
    if (random.chance(25)) lines.push(call(random, [...variables, ...NAMES]));
    else {
      const name = random.pick(NAMES);
      const op = random.pick([":=", "=", "+=", " := ", " = ", " += "]);
      // C has freed the old value, or has none yet, while it expands the new one: a name that leads back to the variable
      // is undefined behaviour. Simple variables lead nowhere.
      const simple = op.includes(":=");
      const names = simple ? [...plan.simple].filter((other) => other !== name) : [...variables, ...NAMES];
      lines.push(`${name}${op}${value(random, names)}`);
      if (!variables.includes(name)) variables.push(name);
      if (simple) plan.simple.add(name);
      else if (!op.includes("+=")) plan.simple.delete(name);
    }
  }
  return lines;
}

function call(random: Random, variables: readonly string[]): string {
  switch (random.weighted({ info: 20, warning: 20, error: 3, bare: 1, lineno: 10 })) {
    case "info":
      return `$(info,${value(random, variables)})`;
    case "warning":
      return `$(warning-if,${random.pick(["y", "n", "$(V)", ""])},${value(random, variables)})`;
    case "error":
      return `$(error-if,${random.pick(["n", "n", "n", "$(W)", "$(W)", "y"])},${value(random, variables)})`;
    case "lineno":
      return "$(info,$(filename):$(lineno))";
    default:
      return `$(${random.pick(variables)})`;
  }
}

function value(random: Random, variables: readonly string[]): string {
  let text = "";
  for (let left = random.from(0, 3); left > 0; left--) text += piece(random, variables);
  return text;
}

function piece(random: Random, variables: readonly string[]): string {
  const name = variables.length > 0 ? random.pick(variables) : "ARCH";
  switch (
    random.weighted({
      word: 8,
      variable: 5,
      call: 3,
      argument: 3,
      environment: 2,
      shell: 2,
      lineno: 2,
      odd: 1,
    })
  ) {
    case "variable":
      return `$(${name})`;
    case "call":
      return `$(${name},${random.pick(["a", "b,c", " x , y", "(p,q),r", `$(${name})`, ""])})`;
    case "argument":
      return `$(${random.from(1, 3)})`;
    case "environment":
      return random.pick(["$(HOME_ENV)", "$(ARCH)", "$(NOT_SET)"]);
    case "shell":
      return `$(shell,echo ${random.pick(["one", "two words", "y"])})`;
    case "lineno":
      return random.pick(["$(lineno)", "$(filename)"]);
    case "odd":
      return random.pick([
        "$",
        "$x",
        "#",
        ",",
        "\\",
        '"q"',
        "$$(ARCH)",
        "$(info,)",
        "$(lineno,x)",
        "$(shell)",
      ]);
    default:
      return random.pick(["y", "n", "m", "5", "foo", " ", "a b", "A"]);
  }
}
