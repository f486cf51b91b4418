/** Expressions and values of generated trees. */
import { earlier, isLogic } from "./symbols.ts";
import type { Plan, Planned, Type } from "./symbols.ts";

const ORDER = ["<", "<=", ">", ">="];
const WORDS = [
  "",
  "foo",
  "bar baz",
  "y",
  "n",
  "m",
  "5",
  "0x10",
  '\\"',
  "\\\\",
  "a\\b",
  "it's",
  "# no",
  "$",
  "-1",
  "é",
];

/** A condition that `user` may stand under. */
export function condition(plan: Plan, user: Planned | undefined, depth = 0): string {
  const { random } = plan;
  const kind = random.weighted({ operand: 11, and: 4, or: 4, not: 2, group: 1 });
  if (depth > 3 || kind === "operand") return operand(plan, user);
  switch (kind) {
    case "and":
      return `${condition(plan, user, depth + 1)} && ${condition(plan, user, depth + 1)}`;
    case "or":
      return `${condition(plan, user, depth + 1)} || ${condition(plan, user, depth + 1)}`;
    case "not":
      return `!${random.chance(60) ? operand(plan, user) : `(${condition(plan, user, depth + 1)})`}`;
    default:
      return `(${condition(plan, user, depth + 1)})`;
  }
}

function operand(plan: Plan, user: Planned | undefined): string {
  const { random } = plan;
  switch (
    random.weighted({
      symbol: 60,
      constant: 8,
      logic: 14,
      number: 9,
      string: 5,
      unknown: 3,
      mixed: 4,
      macro: 1,
    })
  ) {
    case "constant":
      return constant(plan, user);
    case "logic":
      return logicComparison(plan, user);
    case "number":
      return numberComparison(plan, user);
    case "string":
      return stringComparison(plan, user);
    case "unknown":
      return random.pick(["U1", "U2", "U1=n", 'U1=""', "U1=U1", 'U2!="U2"', "U1<5"]);
    case "mixed":
      return mixedComparison(plan, user);
    case "macro":
      return plan.variables.length === 0 ? "y" : `$(${random.pick(plan.variables)})`;
    default:
      return earlier(plan, user, isLogic)?.name ?? constant(plan, user);
  }
}

// "m" is "m && MODULES", which MODULES itself cannot depend on.
function constant({ random, cyclic }: Plan, user: Planned | undefined): string {
  if (user?.name === "MODULES" && !cyclic) return random.pick(["y", "n"]);
  return random.pick(["y", "n", "m", "y", "m", '"y"', "'n'"]);
}

// C's expr_transform() of generations 2 and 3 takes the bool of "A!=y" for an expression and reads what happens to lie
// there; no verdict comes of that, so "!= y" only stands with symbols that are tristate for sure. Generation 1 is sound.
function mayCompareUnequalYes(plan: Plan, symbol: Planned): boolean {
  return plan.generation === 1 || (symbol.type === "tristate" && !symbol.mixed);
}

function logicComparison(plan: Plan, user: Planned | undefined): string {
  const { random } = plan;
  const symbol = earlier(plan, user, isLogic);
  if (symbol === undefined) return "y";
  const op = random.pick(["=", "=", "!=", "!=", random.pick(ORDER)]);
  let value = random.pick(["y", "m", "n"]);
  if (op === "!=" && value === "y" && !mayCompareUnequalYes(plan, symbol)) value = random.pick(["m", "n"]);
  const written = random.chance(15) ? `"${value}"` : value;
  const blank = random.chance(30) ? " " : "";
  if (random.chance(6)) return `${written}${op}${symbol.name}`;
  return `${symbol.name}${blank}${op}${blank}${written}`;
}

function numberComparison(plan: Plan, user: Planned | undefined): string {
  const { random } = plan;
  const isNumber = ({ type }: Planned): boolean => type === "int" || type === "hex";
  const symbol = earlier(plan, user, isNumber);
  const op = random.pick([...ORDER, "=", "!="]);
  const other = random.chance(25) ? earlier(plan, user, isNumber)?.name : undefined;
  const right =
    other ?? random.pick([number(plan, "int"), number(plan, "hex"), `"${number(plan, "int")}"`, "0b1", "07"]);
  const left = symbol?.name ?? random.pick(["5", "0x10", '"10"', "010"]);
  return random.chance(10) ? `${right} ${op} ${left}` : `${left} ${op} ${right}`;
}

function stringComparison(plan: Plan, user: Planned | undefined): string {
  const { random } = plan;
  const symbol = earlier(plan, user, ({ type }) => type === "string");
  const op = random.pick(["=", "=", "!=", random.pick(ORDER)]);
  const right = random.chance(20) ? (earlier(plan, user, () => true)?.name ?? "U1") : quoted(plan);
  if (symbol === undefined) return `${quoted(plan)} ${op} ${quoted(plan)}`;
  // A careless tree may give a bool here.
  if (op === "!=" && /^["']y["']$/.test(right) && !mayCompareUnequalYes(plan, symbol))
    return `${symbol.name} = ${right}`;
  return `${symbol.name} ${op} ${right}`;
}

function mixedComparison(plan: Plan, user: Planned | undefined): string {
  const { random } = plan;
  const one = earlier(plan, user, () => true)?.name ?? "U1";
  const two = random.chance(60)
    ? (earlier(plan, user, () => true)?.name ?? "U2")
    : random.pick(["2", '"0"', "m", "1"]);
  return `${one} ${random.pick(["=", "!=", ...ORDER])} ${two}`;
}

export function quoted(plan: Plan): string {
  const { random } = plan;
  if (plan.variables.length > 0 && random.chance(8)) return `"x$(${random.pick(plan.variables)})"`;
  const word = random.pick(WORDS);
  return random.chance(10) && !word.includes("'") ? `'${word}'` : `"${word}"`;
}

export function number(plan: Plan, type: "int" | "hex"): string {
  const { random } = plan;
  if (type === "hex")
    return random.pick(["0x0", "0x10", "0xff", "0XA", "ff", "0x1000", "10", "0xffffffffffffffff"]);
  return random.pick([
    "0",
    "1",
    "5",
    "10",
    "16",
    "100",
    "-1",
    "-20",
    "9223372036854775807",
    "99999999999999999999",
  ]);
}

/** A value as a `default` takes it. */
export function defaultValue(plan: Plan, user: Planned, type: Type): string {
  const { random } = plan;
  if (random.chance(plan.careless ? 20 : 1)) return random.pick(["y", '"x y"', "5", "A", "!A", "0x", "U1"]);
  switch (type) {
    case "bool":
    case "tristate":
      return random.chance(55)
        ? random.pick(["y", "y", user.index < 0 ? "y" : "m", "n", '"y"'])
        : condition(plan, user);
    case "string":
      return random.chance(75) ? quoted(plan) : (earlier(plan, user, () => true)?.name ?? "foo");
    default: {
      const other = random.chance(25) ? earlier(plan, user, (symbol) => symbol.type === type) : undefined;
      return other?.name ?? (random.chance(15) ? `"${number(plan, type)}"` : number(plan, type));
    }
  }
}

/** A bound of a `range`. */
export function bound(plan: Plan, user: Planned, type: "int" | "hex"): string {
  const { random } = plan;
  const other = random.chance(25)
    ? earlier(plan, user, (symbol) => symbol.type === "int" || symbol.type === "hex")
    : undefined;
  if (other !== undefined) return other.name;
  const text = random.chance(50) ? random.pick(["0", "1", "2", "8"]) : number(plan, type);
  return random.chance(10) ? `"${text}"` : text;
}
