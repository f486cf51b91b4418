import { createHash } from "node:crypto";

import { quoteName } from "../internal/names.ts";
import { type ByteSource, chunks } from "./byte-source.ts";
import type { ImageStore } from "./image-store.ts";
import { type Json, parseJson } from "./json.ts";
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

interface Choice {
  readonly reference?: string | undefined;
  readonly platform: string;
}

/** Finds the image of a layout (image-spec, image-layout.md) or of a `docker save` archive. */
export function chooseImage(store: ImageStore, choice: Choice): Image {
  const index = store.file("index.json");
  if (index !== undefined) return fromLayout(store, parseJson(index, "index.json", store.name), choice);
  const list = store.file("manifest.json");
  if (list !== undefined) return fromDockerSave(store, parseJson(list, "manifest.json", store.name), choice);
  throw layerError(
    store.name,
    undefined,
    "it is no container image: there is neither index.json nor manifest.json",
  );
}

interface Candidate {
  readonly names: readonly string[];
  readonly platform: string | undefined;
  readonly descriptor: Json;
}

function fromLayout(store: ImageStore, index: Json, choice: Choice): Image {
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
  const manifest = parseJson(blob(store, first.descriptor), "the manifest", store.name);
  const config = parseJson(blob(store, manifest.at("config")), "the configuration", store.name);
  const layers = manifest
    .at("layers")
    .list()
    .map((descriptor) => () => blob(store, descriptor));
  return image(store, choice, choice.reference ?? first.names[0], config, layers);
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
          parseJson(blob(store, descriptor), "an index", store.name),
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

/** The file `manifest.json` of `docker save`, docker/image/spec/v1.2.md: names files of the archive, without digests. */
function fromDockerSave(store: ImageStore, list: Json, choice: Choice): Image {
  const all = list.list().map((entry) => ({
    entry,
    names: entry
      .at("RepoTags")
      .list()
      .map((tag) => tag.wantText()),
  }));
  const { reference } = choice;
  const named = all.filter(
    ({ names }) =>
      reference === undefined || names.includes(reference) || names.includes(`${reference}:latest`),
  );
  const [first] = named;
  if (first === undefined)
    throw noSuchName(
      store,
      choice,
      all.flatMap(({ names }) => names),
    );
  if (named.length > 1)
    throw ambiguous(
      store,
      named.flatMap(({ names }) => names),
    );
  const open = (path: Json): ByteSource => {
    const name = path.wantText();
    const found = store.file(name);
    if (found === undefined)
      throw layerError(store.name, undefined, `it names the file ${quoteName(name)}, which is not there`);
    return found;
  };
  const config = parseJson(open(first.entry.at("Config")), "the configuration", store.name);
  if (config.at("rootfs").at("diff_ids").list().length === 0) {
    throw layerError(store.name, undefined, "its configuration does not tell the digests of the layers");
  }
  const layers = first.entry
    .at("Layers")
    .list()
    .map((path) => () => open(path));
  return image(store, choice, reference ?? first.names[0], config, layers);
}

function image(
  store: ImageStore,
  { platform }: Choice,
  name: string | undefined,
  config: Json,
  layers: readonly (() => ByteSource)[],
): Image {
  const parsed = parseImageConfig(config);
  if (parsed.platform !== "" && !fits(parsed.platform, platform))
    throw noSuchPlatform(store, { platform }, [parsed.platform]);
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
function fits(platform: string, wanted: string): boolean {
  return platform === wanted || platform.startsWith(`${wanted}/`);
}

/** What a descriptor points to, its size and digest verified (descriptor.md). */
function blob(store: ImageStore, descriptor: Json): ByteSource {
  const digest = descriptor.at("digest").wantText();
  const [algorithm, hex] = splitDigest(digest, store.name);
  const found = store.file(`blobs/${algorithm}/${hex}`);
  if (found === undefined) throw layerError(store.name, undefined, `its blob ${digest} is missing`);
  const size = descriptor.at("size").number();
  if (size !== undefined && size !== found.size) {
    throw layerError(store.name, undefined, `its blob ${digest} has ${found.size} bytes instead of ${size}`);
  }
  verifyDigest(found, digest, store.name);
  return found;
}

export function verifyDigest(source: ByteSource, digest: string, archive: string): void {
  const [algorithm, hex] = splitDigest(digest, archive);
  const hash = createHash(algorithm);
  for (const chunk of chunks(source)) hash.update(chunk);
  const found = hash.digest("hex");
  if (found === hex) return;
  throw layerError(archive, undefined, `what should have the digest ${digest} has ${algorithm}:${found}`, {
    hint: "The image is damaged or was tampered with; fetch it again",
  });
}

/** Only the two algorithms that the specification registers; anything else could be a path. */
function splitDigest(digest: string, archive: string): [algorithm: "sha256" | "sha512", hex: string] {
  const match = /^(?:(sha256):([0-9a-f]{64})|(sha512):([0-9a-f]{128}))$/.exec(digest);
  if (match === null) throw layerError(archive, undefined, `it has the invalid digest ${quoteName(digest)}`);
  return match[1] === undefined ? ["sha512", match[4] as string] : ["sha256", match[2] as string];
}

function noSuchName(
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

function noSuchPlatform(
  store: ImageStore,
  { platform }: { readonly platform: string },
  found: readonly string[],
): Error {
  return layerError(store.name, undefined, `it holds no image for ${platform}`, {
    hint: `There are ${listed(found)}`,
  });
}

function ambiguous(store: ImageStore, names: readonly string[]): Error {
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
