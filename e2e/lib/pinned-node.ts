import { existsSync } from "node:fs";
import { join } from "node:path";

import { root } from "@justenough-dev/tools/workspace";
import { execa } from "execa";

const platform = `${process.platform}-${process.arch}`;

/** The program of a version of Node, fetched once from the npm registry, beside the Node of the bootstrap. */
export async function pinnedNode(version: string): Promise<string> {
  if (version === process.versions.node) return process.execPath;
  const prefix = join(root, ".tools", `node-${version}`);
  const program = join(prefix, `node_modules/node-${platform}/bin/node`);
  if (!existsSync(program)) {
    const options = ["--prefix", prefix, "--no-save", "--ignore-scripts"];
    await execa("npm", ["install", ...options, `node-${platform}@${version}`]);
  }
  return program;
}
