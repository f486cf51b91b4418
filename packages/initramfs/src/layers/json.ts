import type { ByteSource } from "./byte-source.ts";
import { layerError } from "./layer-error.ts";

const MAX_JSON = 8 << 20;

/** A part of a JSON document from a stranger: each step says what is wrong instead of `undefined` or a crash. */
export interface Json {
  /** A member of an object, or an element of an array. */
  at(key: string | number): Json;
  /** The elements; none where it is absent or null. */
  list(): Json[];
  text(): string | undefined;
  wantText(): string;
  number(): number | undefined;
}

export function parseJson(source: ByteSource, name: string, archive: string): Json {
  if (source.size > MAX_JSON)
    throw layerError(archive, name, `has ${source.size} bytes, at most ${MAX_JSON} are read`);
  try {
    return json(JSON.parse(Buffer.from(source.read(0, source.size)).toString()), name, archive);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw layerError(archive, name, "is no valid JSON", { cause: error });
  }
}

function json(value: unknown, path: string, archive: string): Json {
  const wrong = (wanted: string): Error =>
    layerError(archive, path, `is not ${wanted}, which the format asks for`);
  const absent = value === undefined || value === null;
  return {
    at(key) {
      if (!absent && typeof value !== "object") throw wrong("an object");
      const held = !absent && Object.hasOwn(value, key);
      return json(
        held ? (value as Record<string | number, unknown>)[key] : undefined,
        `${path}.${key}`,
        archive,
      );
    },
    list() {
      if (absent) return [];
      if (!Array.isArray(value)) throw wrong("a list");
      return value.map((element, index) => json(element, `${path}[${index}]`, archive));
    },
    text() {
      if (absent) return undefined;
      if (typeof value !== "string" || value.includes("\0")) throw wrong("a text");
      return value;
    },
    wantText() {
      const text = this.text();
      if (text === undefined) throw wrong("a text");
      return text;
    },
    number() {
      if (absent) return undefined;
      if (!Number.isSafeInteger(value)) throw wrong("a whole number");
      return value as number;
    },
  };
}
