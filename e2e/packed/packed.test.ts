/**
 * Each package as its users get it: built, packed, installed into an empty project outside the repository, and its
 * README example run on the oldest Node that we promise and on the one that we develop with.
 */
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fences } from "@justenough-dev/tools/fences";
import { closureOf, root, workspacePackages } from "@justenough-dev/tools/workspace";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { type Guest, prepareGuest } from "../../packages/qemu/test/support/guest.ts";
import { pinnedNode } from "../lib/pinned-node.ts";

/** The lower end of `engines.node` in each package.json. */
const oldestNode = "22.18.0";
const packages = workspacePackages();
const scratch = mkdtempSync(join(tmpdir(), "justenough-packed-"));
const tarballs = new Map<string, string>();
const env = { NO_COLOR: "1", FORCE_COLOR: "0" };
const versions = [oldestNode, process.versions.node];
/** Whose kernel is the one of a README that boots one. */
let guest: Guest;

beforeAll(async () => {
  guest = await prepareGuest();
  await execa("nx", ["run-many", "-t", "build"], { cwd: root, preferLocal: true, localDir: root, env });
  for (const { directory, folder, manifest } of packages) {
    const destination = join(scratch, "tarballs", folder);
    mkdirSync(destination, { recursive: true });
    await execa("pnpm", ["pack", "--pack-destination", destination], { cwd: directory, env });
    tarballs.set(manifest.name, join(destination, readdirSync(destination)[0] ?? ""));
  }
});
afterAll(async () => {
  await guest.remove();
  rmSync(scratch, { recursive: true, force: true });
});

describe.each(packages)("$folder", ({ directory, folder, manifest }) => {
  const project = join(scratch, "projects", folder);

  beforeAll(async () => {
    mkdirSync(project, { recursive: true });
    writeFileSync(
      join(project, "package.json"),
      JSON.stringify({ name: "consumer", private: true, type: "module" }),
    );
    const files = closureOf(manifest.name, packages).map(
      ({ manifest: { name } }) => tarballs.get(name) ?? "",
    );
    await execa("npm", ["install", "--no-audit", "--no-fund", "--ignore-scripts", ...files], {
      cwd: project,
      env,
    });
  });

  test("is what publint and attw call a sound package", async () => {
    const tarball = tarballs.get(manifest.name) ?? "";
    const tools = { preferLocal: true, localDir: root, env };
    await execa("publint", ["run", "--strict", tarball], tools);
    await execa("attw", [tarball, "--profile", "esm-only"], tools);
  });

  test("ships nothing but its build, data and papers", async () => {
    const { stdout } = await execa("tar", ["-tzf", tarballs.get(manifest.name) ?? ""]);
    const odd = stdout
      .split("\n")
      .filter(
        (name) =>
          !/^package\/(dist|assets|features|presets|schema|templates)\/|^package\/(package\.json|README\.md|LICENSE|CHANGELOG\.md)$/.test(
            name,
          ),
      );
    expect(odd).toEqual([]);
  });

  test.each(versions)("runs its README example on Node %s", async (version) => {
    const example = fences(readFileSync(join(directory, "README.md"), "utf8")).find(
      ({ info }) => info === "ts",
    );
    expect(example, "README.md has a ts fence").toBeDefined();
    writeFileSync(join(project, "example.ts"), example?.code ?? "");
    const { stdout } = await execa(await pinnedNode(version), ["example.ts"], {
      cwd: project,
      env: { ...env, KERNEL: guest.kernel },
      timeout: 60_000,
    });
    expect(stdout).not.toBe("");
  });

  test.each(manifest.bin ? versions : [])("starts its command on Node %s", async (version) => {
    const node = await pinnedNode(version);
    for (const name of Object.keys(manifest.bin ?? {})) {
      const { stdout } = await execa(node, [join(project, "node_modules/.bin", name), "--help"], { env });
      expect(stdout).toContain(name);
    }
  });
});
