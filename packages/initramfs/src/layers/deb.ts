import { basename } from "node:path";

import type { Arch } from "../arch.ts";
import type { Diagnostic } from "../diagnostic.ts";
import { addEntries } from "./add-entry.ts";
import { readAr } from "./ar.ts";
import { type ByteSource, fileSource } from "./byte-source.ts";
import { decompress } from "./decompress.ts";
import { entryPath } from "./entry-path.ts";
import type { LayerContext, ReadLayer } from "./layer.ts";
import { layerError } from "./layer-error.ts";
import { newDirectory } from "./root.ts";
import { readTar } from "./tar.ts";

/** dpkg-architecture(1). */
const ARCHITECTURES: Readonly<Record<Arch, string>> = { x86_64: "amd64", arm64: "arm64", riscv64: "riscv64" };
const SCRIPTS = new Set(["preinst", "postinst"]);

/** A Debian package, deb(5): the files of its data archive. Its maintainer scripts are not run. */
export async function readDebLayer(path: string, context: LayerContext): Promise<ReadLayer> {
  const file = basename(path);
  const members = new Map([...readAr(fileSource(path), file)].map(({ name, data }) => [name, data]));
  const version = members.get("debian-binary");
  if (version === undefined || !Buffer.from(version.read(0, 2)).equals(Buffer.from("2."))) {
    throw layerError(file, undefined, "it is no Debian package of format 2");
  }
  const control = await readControl(await member(members, "control.tar", file, context), file);
  const name = `package ${control.name} ${control.version}`;
  const source = await member(members, "data.tar", file, context);
  const root = newDirectory();
  const target = { root, archive: file, why: name, source };
  await addEntries(target, context);
  const diagnostics = [...scriptsNotRun(control, name), ...otherArchitecture(control, name, context.arch)];
  return { root, info: { kind: "deb", source: path, name }, diagnostics };
}

/** `control.tar` or `data.tar` with whatever ending. */
async function member(
  members: ReadonlyMap<string, ByteSource>,
  name: string,
  file: string,
  context: LayerContext,
): Promise<ByteSource> {
  const found = [...members].find(([key]) => key === name || key.startsWith(`${name}.`));
  if (found === undefined) throw layerError(file, undefined, `it has no ${name}`);
  return decompress(found[1], file, context);
}

interface Control {
  readonly name: string;
  readonly version: string;
  readonly architecture: string;
  readonly scripts: readonly string[];
}

async function readControl(source: ByteSource, file: string): Promise<Control> {
  let text: string | undefined;
  const scripts: string[] = [];
  for (const { name, size, offset } of readTar(source, file)) {
    const path = entryPath(name, file).join("/");
    if (path === "control") text = Buffer.from(source.read(offset, Math.min(size, 1 << 20))).toString();
    if (SCRIPTS.has(path)) scripts.push(path);
  }
  const field = (name: string): string => {
    const value = new RegExp(`^${name}:[ \\t]*(\\S+)[ \\t]*$`, "im").exec(text ?? "")?.[1];
    if (value === undefined) throw layerError(file, undefined, `its control file has no ${name}`);
    return value;
  };
  return { name: field("Package"), version: field("Version"), architecture: field("Architecture"), scripts };
}

function scriptsNotRun({ scripts }: Control, name: string): Diagnostic[] {
  if (scripts.length === 0) return [];
  const message = `The maintainer scripts of ${name} (${[...scripts].sort().join(", ")}) are not run`;
  const hint = "What they would make (users, links, caches) has to be added in another way";
  return [{ code: "scripts-not-run", severity: "note", message, hint }];
}

function otherArchitecture({ architecture }: Control, name: string, arch: Arch): Diagnostic[] {
  if (architecture === "all" || architecture === ARCHITECTURES[arch]) return [];
  const message = `The ${name} is for ${architecture}, the image for ${ARCHITECTURES[arch]}`;
  return [{ code: "other-architecture", severity: "warning", message }];
}
