import type { ApplianceSpec } from "./schema.ts";

/**
 * Gives an `appliance.config.ts` its types; returns what it was given. It is checked when it is loaded.
 *
 * @example
 * ```ts
 * import { defineAppliance } from "@justenough/appliance";
 * export default defineAppliance({ name: "hello", run: ["echo", "Hello"] });
 * ```
 */
export function defineAppliance(spec: ApplianceSpec): ApplianceSpec {
  return spec;
}
