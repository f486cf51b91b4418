import type { Arch } from "../arch.ts";
import type { Diagnostic } from "../diagnostic.ts";
import { quoteName } from "../internal/names.ts";
import { addEntries } from "./add-entry.ts";
import { decompress } from "./decompress.ts";
import { verifyDigest } from "./digest.ts";
import { entryPath } from "./entry-path.ts";
import type { Image } from "./image.ts";
import { openImageStore } from "./image-store.ts";
import type { LayerContext, ReadLayer } from "./layer.ts";
import { layerError } from "./layer-error.ts";
import type { OciLayerSpec } from "./layer-spec.ts";
import { merge } from "./merge.ts";
import type { ImageConfig } from "./oci-config.ts";
import { chooseImage } from "./oci-image.ts";
import { type Directory, newDirectory, walk } from "./root.ts";

/** GOARCH, which the OCI uses. */
const ARCHITECTURES: Readonly<Record<Arch, string>> = { x86_64: "amd64", arm64: "arm64", riscv64: "riscv64" };

/** A container image: its layers laid over each other as a container engine would. */
export async function readOciLayer(spec: OciLayerSpec, context: LayerContext): Promise<ReadLayer> {
  const image = await openImage(spec, context);
  const root = newDirectory();
  for (const [index, layer] of image.layers.entries()) {
    const name = `layer ${index + 1} of ${image.name}`;
    const stored = layer.open();
    const source = await decompress(stored, name, context);
    if (layer.diffId !== undefined) verifyDigest(source, layer.diffId, name);
    const upper = newDirectory();
    const target = { root: upper, archive: name, why: name, source, below: root };
    await addEntries(target, context, (entry) => addWhiteout(upper, entry.name, name));
    merge(root, upper, "replace");
  }
  const { name, config } = image;
  return {
    root,
    info: { kind: "oci", source: spec.source, name, config },
    diagnostics: otherUser(name, config),
  };
}

/** Nothing of the configuration is applied here; but who runs its command should know of this. */
function otherUser(name: string, { user }: ImageConfig): Diagnostic[] {
  if (/^(?:|0|root)(?::(?:0|root))?$/.test(user)) return [];
  const message = `The image ${name} is made to run as the user ${quoteName(user)}; /init runs everything as root`;
  return [{ code: "user-not-applied", severity: "note", message }];
}

export async function openImage(spec: OciLayerSpec, context: LayerContext): Promise<Image> {
  const store = await openImageStore(spec.source, context);
  const { reference, platform = `linux/${ARCHITECTURES[context.arch]}` } = spec;
  return chooseImage(store, { reference, platform });
}

const PREFIX = ".wh.";
/** aufs's own bookkeeping, which old images have; nothing of it is for others. */
const META = ".wh..wh.";
const OPAQUE = ".wh..wh..opq";

/** Notes what the layer takes away (image-spec, layer.md, "Whiteouts"), if the entry says so. */
function addWhiteout(root: Directory, name: string, archive: string): boolean {
  const parts = entryPath(name, archive);
  const at = parts.findIndex((part) => part.startsWith(PREFIX));
  if (at < 0) return false;
  const mark = parts[at] as string;
  const last = at === parts.length - 1;
  if (mark.startsWith(META) && !(mark === OPAQUE && last)) return true;
  const hidden = mark.slice(PREFIX.length);
  if (!last || hidden === "" || hidden === "." || hidden === "..") {
    throw layerError(archive, name, "is no valid whiteout");
  }
  const directory = walk(root, parts.slice(0, -1), archive)?.directory;
  if (directory === undefined) return true;
  if (mark === OPAQUE) directory.opaque = true;
  else directory.whiteouts.add(hidden);
  return true;
}
