import type { Arch } from "../arch.ts";
import type { InitramfsContext } from "../context.ts";
import type { Diagnostic } from "../diagnostic.ts";
import type { TreeNode } from "../tree.ts";
import { createBudget } from "./budget.ts";
import { readDebLayer } from "./deb.ts";
import { readDirectoryLayer } from "./directory.ts";
import type { LayerContext, LayerInfo, ReadLayer } from "./layer.ts";
import type { LayerLimits, LayerSpec, OciLayerSpec } from "./layer-spec.ts";
import { readInitramfsLayer } from "./initramfs-layer.ts";
import { readListLayer } from "./list.ts";
import { merge } from "./merge.ts";
import type { ImageConfig } from "./oci-config.ts";
import { openImage, readOciLayer } from "./oci.ts";
import { flatten, newDirectory } from "./root.ts";
import { readTarLayer } from "./tar-layer.ts";

/** What the layers of an image come to. */
export interface LayerStack {
  /** The root directory's own mode and owner, where a layer tells them. */
  readonly root?: Extract<TreeNode, { kind: "directory" }> | undefined;
  readonly nodes: readonly (readonly [path: string, node: TreeNode])[];
  readonly layers: readonly LayerInfo[];
  readonly diagnostics: readonly Diagnostic[];
}

interface StackOptions {
  readonly layers?: readonly LayerSpec[] | undefined;
  readonly layerLimits?: LayerLimits | undefined;
  readonly keepLayerTimes?: boolean | undefined;
  readonly arch: Arch;
}

/**
 * Reads the layers in their order and lays each over those before it. Nothing is written and nothing extracted; a
 * plain archive stays on the disk until the image is written, a compressed one is held in memory.
 *
 * @throws {InitramfsError} `INITRAMFS_LAYER` with the archive and the entry for what is damaged or cannot be in an
 * image, `INITRAMFS_LIMIT` for too much of it, `INITRAMFS_NOT_FOUND` and `INITRAMFS_READ` for the file itself
 *
 * @example
 * ```ts
 * import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
 * import { FileTree, readLayers } from "@justenough/initramfs";
 * const directory = mkdtempSync("/tmp/layers-");
 * writeFileSync(`${directory}/list`, "dir /etc 0755 0 0\nslink /bin usr/bin 0777 0 0\n");
 * const layers = [{ kind: "list", source: `${directory}/list` }] as const;
 * const tree = new FileTree(await readLayers({ layers, arch: "x86_64" }));
 * console.log(tree.get("/bin")); // { kind: 'link', to: 'usr/bin', why: 'list:2' }
 * rmSync(directory, { recursive: true });
 * ```
 */
export async function readLayers(options: StackOptions, context: InitramfsContext = {}): Promise<LayerStack> {
  const { layers = [] } = options;
  const inner = layerContext(options, context);
  const root = newDirectory();
  const infos: LayerInfo[] = [];
  const diagnostics: Diagnostic[] = [];
  for (const [index, spec] of layers.entries()) {
    const layer = await readLayer(spec, inner);
    merge(root, layer.root, "follow", (path, { node }) => diagnostics.push(hiddenDirectory(path, node)));
    infos.push(layer.info);
    diagnostics.push(...layer.diagnostics);
    const counts = { done: index + 1, total: layers.length, unit: "layers" } as const;
    context.onProgress?.({ phase: "collect", ...counts, message: layer.info.name });
  }
  return { root: root.node, nodes: flatten(root), layers: infos, diagnostics };
}

/**
 * What a container image would run, without reading its layers: to give it to the generated `/init`, or to
 * whatever else.
 *
 * @throws {InitramfsError} if there is no such image, or it is damaged
 *
 * @example
 * ```ts no-run
 * import { readImageConfig } from "@justenough/initramfs";
 * const { args, env, cwd } = await readImageConfig({ kind: "oci", source: "redis.tar" }, { arch: "x86_64" });
 * console.log(args, env["PATH"], cwd); // [ 'docker-entrypoint.sh', 'redis-server' ] /usr/local/bin:… /data
 * ```
 */
export async function readImageConfig(
  spec: OciLayerSpec,
  options: { readonly arch: Arch; readonly layerLimits?: LayerLimits | undefined } & InitramfsContext,
): Promise<ImageConfig> {
  return (await openImage(spec, layerContext(options, options))).config;
}

function hiddenDirectory(path: string, { kind, why }: TreeNode): Diagnostic {
  const message = `The ${kind} "${path}" (${why}) takes the place of a directory of the layers before, and of all in it`;
  return { code: "hidden-directory", severity: "warning", path, message };
}

function layerContext(options: StackOptions, { signal }: InitramfsContext): LayerContext {
  const { arch, layerLimits, keepLayerTimes = false } = options;
  return { arch, budget: createBudget(layerLimits), keepTimes: keepLayerTimes, signal };
}

async function readLayer(spec: LayerSpec, context: LayerContext): Promise<ReadLayer> {
  switch (spec.kind) {
    case "tar":
      return readTarLayer(spec.source, context);
    case "oci":
      return readOciLayer(spec, context);
    case "initramfs":
      return readInitramfsLayer(spec.source, context);
    case "deb":
      return readDebLayer(spec.source, context);
    case "list":
      return readListLayer(spec.source, context, spec.env);
    default:
      return readDirectoryLayer(spec.source, context);
  }
}
