import { quoteName } from "../internal/names.ts";
import type { ByteSource } from "./byte-source.ts";
import type { ImageStore } from "./image-store.ts";
import type { Json } from "./json.ts";
import { layerError } from "./layer-error.ts";
import { type ImageConfig, parseImageConfig } from "./oci-config.ts";

/** An image chosen out of a store, its layers not yet read. */
export interface Image {
  /** For people: its tag, or the file's name. */
  readonly name: string;
  readonly config: ImageConfig;
  readonly layers: readonly ImageLayer[];
}

export interface ImageLayer {
  /** The layer as it is stored, its digest verified. */
  open(): ByteSource;
  /** Of the decompressed layer, where the configuration tells. */
  readonly diffId?: string | undefined;
}

/** What is wanted of a store with several images. */
export interface Choice {
  readonly reference?: string | undefined;
  readonly platform: string;
}

/** Puts an image together when its parts are found. */
export function toImage(
  store: ImageStore,
  { platform }: Choice,
  name: string | undefined,
  config: Json,
  layers: readonly (() => ByteSource)[],
): Image {
  const parsed = parseImageConfig(config);
  // Configurations often leave the variant out that the index tells.
  const machine = platform.split("/").slice(0, 2).join("/");
  if (parsed.platform !== "" && !fits(parsed.platform, machine)) {
    throw noSuchPlatform(store, { platform }, [parsed.platform]);
  }
  const diffIds = config
    .at("rootfs")
    .at("diff_ids")
    .list()
    .map((id) => id.wantText());
  if (diffIds.length > 0 && diffIds.length !== layers.length) {
    throw layerError(
      store.name,
      undefined,
      `it has ${layers.length} layers, its configuration tells of ${diffIds.length}`,
    );
  }
  return {
    name: name ?? store.name,
    config: parsed,
    layers: layers.map((open, index) => ({ open, diffId: diffIds[index] })),
  };
}

/** `linux/arm64` takes any variant. */
export function fits(platform: string, wanted: string): boolean {
  return platform === wanted || platform.startsWith(`${wanted}/`);
}

export function noSuchName(
  store: ImageStore,
  { reference }: { readonly reference?: string | undefined },
  names: readonly string[],
): Error {
  if (reference === undefined) return layerError(store.name, undefined, "it holds no image");
  return layerError(store.name, undefined, `it holds no image ${quoteName(reference)}`, {
    hint:
      names.length === 0 ? "Its images have no names: leave the reference out" : `There are ${listed(names)}`,
  });
}

export function noSuchPlatform(
  store: ImageStore,
  { platform }: { readonly platform: string },
  found: readonly string[],
): Error {
  return layerError(store.name, undefined, `it holds no image for ${platform}`, {
    hint: `There are ${listed(found)}`,
  });
}

export function ambiguous(store: ImageStore, names: readonly string[]): Error {
  return layerError(store.name, undefined, "it holds several images", {
    hint:
      names.length === 0
        ? "They have no names: keep the wanted one only"
        : `Give a reference: ${listed(names)}`,
  });
}

function listed(words: readonly string[]): string {
  return [...new Set(words)].sort().map(quoteName).join(", ");
}
