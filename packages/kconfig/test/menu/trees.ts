/** Small trees with one of everything that a menu has to show. */
export const HOUSE = `mainmenu "House"

config MODULES
	bool "Modules"
	modules

menuconfig NET
	bool "Networking"
	help
	  The network.

if NET

config TCP
	tristate "TCP"
	select HASH
	help
	  Streams.

config QUEUE
	bool "Queues"
	depends on TCP
	default y

config OLD
	tristate "Old things"
	depends on TCP && m

endif

config HASH
	tristate "Hashes"

comment "Numbers"

config BUFFERS
	int "Buffers"
	range 1 LIMIT
	default 8

config LIMIT
	int
	default 64

config BASE
	hex "Base address"
	default 0x1000

config NAME
	string "Name"
	default "box"

choice
	prompt "Speed"
	default SLOW

config FAST
	bool "Fast"

config SLOW
	bool "Slow"

config WARP
	bool "Warp"
	depends on TCP

endchoice

menu "Cellar"
	depends on TCP

config WINE
	bool "Wine"
	depends on CORK

config CORK
	bool "Cork"

endmenu

menu "Attic"
	visible if FAST

config BOX
	bool "Box"

endmenu
`;
