import { copyFile, mkdir, readdir } from "node:fs/promises";
import { join, resolve } from "node:path";
import type { CliContext } from "../context.ts";
import { ApplianceError } from "../error.ts";
import { suggest } from "../internal/suggest.ts";
import { packageRoot } from "../package-root.ts";
import { printJson } from "./common.ts";
import type { CommonFlags } from "./flags.ts";

const templates = join(packageRoot, "templates");

export async function init(
  this: CliContext,
  flags: CommonFlags & { readonly directory?: string },
  template: string,
): Promise<void> {
  const names = (await readdir(templates)).toSorted();
  if (!names.includes(template)) {
    const near = suggest(template, names);
    throw new ApplianceError("APPLIANCE_USAGE", `There is no template "${template}"`, {
      hint: near === undefined ? `templates: ${names.join(", ")}` : `did you mean "${near}"?`,
    });
  }
  const target = resolve(flags.directory ?? ".");
  await mkdir(target, { recursive: true });
  const present = await readdir(target);
  const files = (await readdir(join(templates, template))).toSorted();
  const clash =
    files.find((file) => present.includes(file)) ?? present.find((file) => file.startsWith("appliance."));
  if (clash !== undefined) {
    throw new ApplianceError("APPLIANCE_EXISTS", `"${join(target, clash)}" is there already`, {
      hint: "choose another place with --directory",
    });
  }
  for (const file of files) await copyFile(join(templates, template, file), join(target, file));
  if (flags.json) printJson(this, { directory: target, files });
  else this.process.stdout.write(`${files.map((file) => join(target, file)).join("\n")}\n`);
}
