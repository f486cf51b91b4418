/** Hosts that load trees in a way of their own, from a cache; a host made of such a one by a spread has none. */
import { beginLoad } from "../engine/load.ts";
import type { TreeHost } from "../tree.ts";

type BeginLoad = typeof beginLoad;

const LOADERS = new WeakMap<TreeHost, BeginLoad>();

export function setLoaderOf(host: TreeHost, loader: BeginLoad): void {
  LOADERS.set(host, loader);
}

export function loaderOf(host: TreeHost): BeginLoad {
  return LOADERS.get(host) ?? beginLoad;
}
