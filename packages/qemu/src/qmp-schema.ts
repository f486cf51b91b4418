import { isRecord } from "./internal/is-record.ts";

/** What one QEMU knows, by its own account: query-qmp-schema, QEMU's docs/devel/qapi-code-gen.rst "Client JSON Protocol introspection". */
export interface QmpSchema {
  /**
   * @param path - Into the arguments or the event's data: names of members, and values of enumerations as the last step.
   */
  supports(kind: "command" | "event", name: string, ...path: readonly string[]): boolean;
}

type Entry = Readonly<Record<string, unknown>>;

/** Reads the answer of query-qmp-schema; what it does not understand, is not supported. */
export function readQmpSchema(answer: unknown): QmpSchema {
  // Commands, events and types have names that don't collide: QEMU gives types numbers.
  const entries = new Map(list(answer).map((entry) => [entry["name"], entry] as const));

  const has = (type: unknown, path: readonly string[]): boolean => {
    const [step, ...rest] = path;
    if (step === undefined) return true;
    const entry = entries.get(type);
    switch (entry?.["meta-type"]) {
      case "array":
        return has(entry["element-type"], path);
      case "alternate":
        return list(entry["members"]).some((member) => has(member["type"], path));
      case "enum":
        return rest.length === 0 && Array.isArray(entry["values"]) && entry["values"].includes(step);
      case "object": {
        const members = list(entry["members"]).filter((member) => member["name"] === step);
        const variants = list(entry["variants"]);
        return (
          members.some((member) => has(member["type"], rest)) ||
          variants.some((variant) => has(variant["type"], path))
        );
      }
      default:
        return false;
    }
  };
  return {
    supports: (kind, name, ...path) => {
      const entry = entries.get(name);
      return entry?.["meta-type"] === kind && has(entry["arg-type"], path);
    },
  };
}

function list(value: unknown): readonly Entry[] {
  return Array.isArray(value) ? value.filter((entry) => isRecord(entry)) : [];
}
