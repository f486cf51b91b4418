import { z } from "zod";
import { specSchema } from "./schema.ts";

/** The JSON Schema (draft 2020-12) of a spec, for editors: `# yaml-language-server: $schema=…`. */
export function jsonSchema(): Record<string, unknown> {
  return z.toJSONSchema(specSchema, { io: "input" });
}
