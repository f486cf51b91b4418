/** GNU make's functions, as far as Kbuild files use them for lists (GNU make's manual, "Functions"). */
import { ALWAYS, and, not, or } from "./condition.ts";
import type { Condition } from "./condition.ts";
import { splitArguments } from "./makefile.ts";
import type { Value, Word } from "./words.ts";
import { choiceOf, listOf, NotUnderstood, presence, under } from "./words.ts";

type Expand = (text: string) => Value;

const list = (words: readonly Word[]): Value => ({ kind: "list", words });

type Definition = (args: readonly string[], expand: Expand) => Value;

const each =
  (change: (word: string, args: readonly string[]) => string): Definition =>
  (args, expand) => {
    let fixed: readonly { readonly texts: readonly string[]; readonly when: Condition }[] = [
      { texts: [], when: ALWAYS },
    ];
    for (const arg of args.slice(0, -1)) {
      const choices = choiceOf(expand(arg));
      fixed = fixed.flatMap(({ texts, when }) =>
        choices.map((choice) => ({ texts: [...texts, choice.text], when: and(when, choice.when) })),
      );
    }
    const words = listOf(expand(args.at(-1) ?? ""));
    const all = fixed.flatMap(({ texts, when }) =>
      words.map((word) => ({ text: change(word.text, texts), when: and(word.when, when) })),
    );
    return list(all.filter(({ when }) => when.kind !== "never"));
  };

/** A value that stands under a condition; of several, exactly one holds. */
interface Branch {
  readonly value: Value;
  readonly when: Condition;
}

// Texts stay texts, so that they can be a part of a name.
function oneOf(branches: readonly Branch[]): Value {
  const texts = branches.every(({ value }) => value.kind === "choice" || value.words.length === 0);
  const words = branches.flatMap(({ value, when }) => under(texts ? choiceOf(value) : listOf(value), when));
  return { kind: texts ? "choice" : "list", words: words.filter(({ when }) => when.kind !== "never") };
}

const FUNCTIONS: Readonly<Record<string, Definition>> = {
  addprefix: each((word, [prefix = ""]) => prefix.trim() + ofFile(word)),
  addsuffix: each((word, [suffix = ""]) => ofFile(word) + suffix.trim()),
  notdir: each((word) => word.slice(word.lastIndexOf("/") + 1)),
  dir: each((word) => (word.includes("/") ? word.slice(0, word.lastIndexOf("/") + 1) : "./")),
  basename: each((word) => word.replace(/\.[^./]*$/, "")),
  strip: (args, expand) => list(listOf(expand(args.join(",")))),
  sort: (args, expand) => list(listOf(expand(args.join(",")))),
  patsubst: each((word, [from = "", to = ""]) => substitute(word, from.trim(), to.trim())),
  subst: ([from = "", to = "", text = ""], expand) => {
    // subst sees bytes: all three may depend on symbols, as in $(subst y,$(CONFIG_L2TP),$(CONFIG_L2TP_IP)).
    const value = expand(text);
    const sources = value.kind === "list" ? value.words : choiceOf(value);
    const words = choiceOf(expand(from)).flatMap((source) =>
      choiceOf(expand(to)).flatMap((target) =>
        sources.map((word) => ({
          text: source.text === "" ? word.text : word.text.replaceAll(source.text, target.text),
          when: and(word.when, source.when, target.when),
        })),
      ),
    );
    return { kind: value.kind, words: words.filter(({ when }) => when.kind !== "never") };
  },
  filter: ([patterns = "", text = ""], expand) => list(filtered(patterns, text, expand, true)),
  "filter-out": ([patterns = "", text = ""], expand) => list(filtered(patterns, text, expand, false)),
  findstring: ([part = "", text = ""], expand) => {
    const inside = choiceOf(expand(text));
    const words = choiceOf(expand(part)).flatMap((find) =>
      inside.map((word) => ({
        text: word.text.includes(find.text) ? find.text : "",
        when: and(find.when, word.when),
      })),
    );
    return { kind: "choice", words };
  },
  if: ([condition = "", yes = "", no = ""], expand) => {
    const when = presence(expand(condition.trim()));
    return oneOf([
      { value: expand(yes), when },
      { value: expand(no), when: not(when) },
    ]);
  },
  or: (args, expand) => {
    let none = ALWAYS;
    const found: Branch[] = [];
    for (const arg of args) {
      const value = expand(arg.trim());
      found.push({ value, when: and(none, presence(value)) });
      none = and(none, not(presence(value)));
    }
    return oneOf([...found, { value: list([]), when: none }]);
  },
  and: (args, expand) => {
    const values = args.map((arg) => expand(arg.trim()));
    const when = and(...values.map(presence));
    return oneOf([
      { value: values.at(-1) ?? list([]), when },
      { value: list([]), when: not(when) },
    ]);
  },
};

// The text of a symbol such as EXTRA_FIRMWARE is in no Makefile; here it would be y or m.
function ofFile(word: string): string {
  if (word === "y" || word === "m") throw new NotUnderstood("names of files in the value of a symbol");
  return word;
}

/** Of `NAME ARGUMENTS` between the parentheses of a reference; undefined when NAME is none of make's functions. */
export function callFunction(inside: string, expand: Expand): Value | undefined {
  const [, name = "", rest = ""] = /^([a-z-]+)\s+([^]*)$/.exec(inside) ?? [];
  const definition = Object.hasOwn(FUNCTIONS, name) ? FUNCTIONS[name] : undefined;
  if (definition !== undefined) return definition(splitArguments(rest), expand);
  if (
    /^(shell|call|eval|wildcard|error|warning|info|value|origin|file|join|word|words|wordlist|foreach)$/.test(
      name,
    )
  ) {
    throw new NotUnderstood(`$(${name} …)`);
  }
  return undefined;
}

/** As in $(VARIABLE:FROM=TO), where a FROM without % is the end of a word. */
export function substitute(word: string, from: string, to: string): string {
  const at = from.indexOf("%");
  if (at < 0) return word === from ? to : word;
  const [head, tail] = [from.slice(0, at), from.slice(at + 1)];
  if (word.length < head.length + tail.length || !word.startsWith(head) || !word.endsWith(tail)) return word;
  return to.replace("%", word.slice(head.length, word.length - tail.length));
}

function filtered(patterns: string, text: string, expand: Expand, keep: boolean): Word[] {
  const wanted = listOf(expand(patterns));
  return listOf(expand(text)).flatMap(({ text: word, when }) => {
    const some = or(...wanted.filter(({ text: pattern }) => matches(word, pattern)).map((one) => one.when));
    const kept = and(when, keep ? some : not(some));
    return kept.kind === "never" ? [] : [{ text: word, when: kept }];
  });
}

function matches(word: string, pattern: string): boolean {
  return pattern.includes("%") ? substitute(word, pattern, "\0%") !== word : word === pattern;
}

/** The one text of a value that no symbol decides. */
export function onlyText(value: Value): string {
  const [only, other] = choiceOf(value);
  if (only === undefined || other !== undefined) throw new NotUnderstood("text that depends on symbols");
  return only.text;
}

/** $(foreach VARIABLE,LIST,TEXT) with the variable replaced in TEXT. */
export function forEach(args: readonly string[], expand: Expand): Value {
  const [variable = "", words = "", text = ""] = args;
  const name = variable.trim();
  const found = listOf(expand(words)).flatMap((word) => {
    const body = text.replaceAll(`$(${name})`, word.text).replaceAll(`\${${name}}`, word.text);
    // A name of one letter needs no parentheses.
    const filled = name.length === 1 ? body.replaceAll(`$${name}`, word.text) : body;
    return under(listOf(expand(filled)), word.when);
  });
  return list(found);
}
