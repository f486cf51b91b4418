import { quoteName } from "../internal/names.ts";
import type { ByteSource } from "./byte-source.ts";
import { ambiguous, type Choice, type Image, noSuchName, toImage } from "./image.ts";
import type { ImageStore } from "./image-store.ts";
import { type Json, parseJson } from "./json.ts";
import { layerError } from "./layer-error.ts";

/** The file `manifest.json` of `docker save`, docker/image/spec/v1.2.md: names files of the archive, without digests. */
export function fromDockerSave(store: ImageStore, list: Json, choice: Choice): Image {
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
  return toImage(store, choice, reference ?? first.names[0], config, layers);
}
