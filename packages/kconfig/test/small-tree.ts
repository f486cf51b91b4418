/** A tree of a few symbols of all types, in memory. */
import { loadKconfig } from "../src/index.ts";
import type { KconfigTree, TreeHost } from "../src/index.ts";

export const SMALL_KCONFIG = `mainmenu "Small"

config MODULES
	bool "Modules"
	modules

config NET
	bool "Networking"
	help
	  The network. */ is no end of a comment.

	  A second paragraph.

config TCP
	tristate "TCP"
	depends on NET
	select HASH

config HASH
	bool

config 64BIT
	bool "64 bits"

config BUFFERS
	int "Buffers"
	range 1 64
	default 8 if NET
	default 2

config BASE
	hex "Base address"
	default 0x1000

config NAME
	string "Name"
	default "$(shell,uname -s)"

config COMPILER
	string
	default "$(shell,$(CC) --version | head -n 1)"
`;

export function smallHost(changes: Partial<TreeHost> = {}): TreeHost {
  return {
    env: {},
    readFile: (path) => (path === "/tree/Kconfig" ? new TextEncoder().encode(SMALL_KCONFIG) : undefined),
    shell: () => "",
    ...changes,
  };
}

export async function smallTree(): Promise<KconfigTree> {
  return await loadKconfig({ srctree: "/tree", host: smallHost() });
}
