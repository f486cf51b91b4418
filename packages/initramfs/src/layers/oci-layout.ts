import { readBlob } from "./digest.ts";
import { ambiguous, type Choice, fits, type Image, noSuchName, noSuchPlatform, toImage } from "./image.ts";
import type { ImageStore } from "./image-store.ts";
import { type Json, parseJson } from "./json.ts";
import { layerError } from "./layer-error.ts";

interface Candidate {
  readonly names: readonly string[];
  readonly platform: string | undefined;
  readonly descriptor: Json;
}

/** Finds an image in a layout: image-spec, image-layout.md. */
export function fromLayout(store: ImageStore, index: Json, choice: Choice): Image {
  const all = candidates(store, index, [], 0);
  const named = all.filter(({ names }) => choice.reference === undefined || names.includes(choice.reference));
  if (named.length === 0)
    throw noSuchName(
      store,
      choice,
      all.flatMap(({ names }) => names),
    );
  const fitting = named.filter(({ platform }) => platform === undefined || fits(platform, choice.platform));
  const digests = new Set(fitting.map(({ descriptor }) => descriptor.at("digest").wantText()));
  const [first] = fitting;
  if (first === undefined)
    throw noSuchPlatform(
      store,
      choice,
      named.map(({ platform }) => platform ?? "?"),
    );
  if (digests.size > 1)
    throw ambiguous(
      store,
      fitting.flatMap(({ names }) => names),
    );
  const manifest = parseJson(readBlob(store, first.descriptor), "the manifest", store.name);
  const config = parseJson(readBlob(store, manifest.at("config")), "the configuration", store.name);
  const layers = manifest
    .at("layers")
    .list()
    .map((descriptor) => () => readBlob(store, descriptor));
  return toImage(store, choice, choice.reference ?? first.names[0], config, layers);
}

/** The manifests of an index; indexes may hold indexes (image-index.md). */
function candidates(store: ImageStore, index: Json, above: readonly string[], depth: number): Candidate[] {
  if (depth > 4) throw layerError(store.name, undefined, "its indexes are nested too deeply");
  return index
    .at("manifests")
    .list()
    .flatMap((descriptor): Candidate[] => {
      const annotations = descriptor.at("annotations");
      // Provenance that docker buildx adds beside the images.
      if (annotations.at("vnd.docker.reference.type").text() !== undefined) return [];
      const own = ["org.opencontainers.image.ref.name", "io.containerd.image.name"]
        .map((key) => annotations.at(key).text())
        .filter((name) => name !== undefined);
      const names = [...above, ...own];
      if (/\.(index\.v1|manifest\.list\.v2)\+json$/.test(descriptor.at("mediaType").text() ?? "")) {
        return candidates(
          store,
          parseJson(readBlob(store, descriptor), "an index", store.name),
          names,
          depth + 1,
        );
      }
      const platform = ["os", "architecture", "variant"].map((key) =>
        descriptor.at("platform").at(key).text(),
      );
      const known = platform[0] !== undefined && platform[1] !== undefined;
      return [{ names, platform: known ? platform.filter(Boolean).join("/") : undefined, descriptor }];
    });
}
