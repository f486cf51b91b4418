/** The packages of this repository, read from disk. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

export const root: string = join(import.meta.dirname, "../..");

export interface WorkspacePackage {
  /** Folder name under packages/. */
  readonly folder: string;
  readonly directory: string;
  readonly manifest: {
    readonly name: string;
    readonly dependencies?: Readonly<Record<string, string>>;
    readonly bin?: Readonly<Record<string, string>>;
  };
}

export function workspacePackages(): readonly WorkspacePackage[] {
  return readdirSync(join(root, "packages"))
    .sort()
    .map((folder) => {
      const directory = join(root, "packages", folder);
      const manifest = JSON.parse(readFileSync(join(directory, "package.json"), "utf8"));
      return { folder, directory, manifest };
    });
}

/** The workspace packages that `name` needs to run, itself first. */
export function closureOf(name: string, all: readonly WorkspacePackage[]): readonly WorkspacePackage[] {
  const found = new Set<WorkspacePackage>();
  const visit = (wanted: string): void => {
    const one = all.find((candidate) => candidate.manifest.name === wanted);
    if (!one || found.has(one)) return;
    found.add(one);
    for (const dependency of Object.keys(one.manifest.dependencies ?? {})) visit(dependency);
  };
  visit(name);
  return [...found];
}
