# Prints the objects that a configured kernel build is going to compile, one a line, without compiling any: reads the
# Makefiles of all directories as scripts/Makefile.build does, in one process, and forgets each one's variables before
# the next. Called with srctree, objtree, SRCARCH and ARCH set.

.DEFAULT_GOAL := plan
plan:
	@:

include $(objtree)/include/config/auto.conf

# Functions of scripts/Kbuild.include and Makefile.compiler stay undefined: they ask the compiler for flags, which do
# not matter here, and an undefined function is empty.

# Since 6.10 src is a full path (commit "kbuild: use $(src) instead of $(srctree)/$(src) for source directory").
plan-src-prefix := $(if $(shell grep '^src := ..obj.$$' $(srctree)/scripts/Makefile.build),,$(srctree)/)

# The x86 vdso names the objects of all three ABIs as targets.
plan-off := $(if $(CONFIG_COMPAT_32),,vdso32/%) $(if $(CONFIG_X86_X32_ABI),,%-x32.o)

# Other forms of an object that is compiled beside them, made by objcopy.
plan-off += %.pi.o %.stub.o

plan-objects :=
plan-modules :=
plan-todo :=
plan-known :=
plan-dir :=
obj :=
src :=

# A list's file objects with the composite ones replaced by their parts (real-search in scripts/Makefile.lib).
plan-parts = $(strip $(foreach s,-objs -y $2,$($(1:.o=$s))))
plan-real = $(foreach o,$(filter %.o,$1),$(if $(call plan-parts,$o,$2 -),$(call plan-parts,$o,$2),$o))

plan-makefile = $(firstword $(wildcard $(srctree)/$1/Kbuild $(srctree)/$1/Makefile))

# What is compiled for each module beside its parts, from scripts/Makefile.modfinal.
plan-modules-of = $(patsubst %.o,%.mod.o,$(filter %.o,$(obj-m)))

# obj-y obj-m lib-y: what is built in, built as a module, put in a library. targets and extra-y: further files that
# have rules of their own, as in the vdso and the boot code.
define plan-collect
plan-dir := $(filter-out $(plan-off),$(sort $(call plan-real,$(obj-y)) $(call plan-real,$(obj-m),-m) \
  $(call plan-real,$(lib-y)) $(filter %.o,$(targets) $(extra-y) $(always-y))))
plan-modules += $(addprefix $(obj)/,$(plan-modules-of))
plan-objects += $(addprefix $(obj)/,$(filter-out $(obj)/%,$(plan-dir))) $(filter $(obj)/%,$(plan-dir) $(vmlinux-objs-y))
plan-todo := $(addprefix $(obj)/,$(patsubst %/,%,$(filter %/,$(obj-y) $(obj-m)) $(subdir-y) $(subdir-m)))
endef

plan-forget = $(foreach v,$(filter-out $(plan-known),$(.VARIABLES)),$(eval undefine $v))

define plan-enter
obj := $1
src := $(plan-src-prefix)$1
endef

plan-visit = $(if $(call plan-makefile,$1),$(eval $(call plan-enter,$1))$(eval include $(call plan-makefile,$1))$(eval $(value plan-collect))$(plan-forget)$(foreach d,$(plan-todo),$(call plan-visit,$d)))

# The architecture's Makefile names its own directories and BITS.
core-y :=
libs-y := lib/
drivers-y :=
include $(srctree)/arch/$(SRCARCH)/Makefile
plan-top := $(core-y) $(libs-y) $(libs-m) $(drivers-y) $(drivers-m)
ARCH_CORE := $(core-y)
ARCH_LIB := $(libs-y)
ARCH_DRIVERS := $(drivers-y)

# The top directory's Kbuild lists the others since 6.1.
obj-y :=
obj-m :=
obj := .
include $(srctree)/Kbuild
plan-top += $(filter %/,$(obj-y) $(obj-m))
ifeq ($(filter kernel/,$(plan-top)),)
plan-top += init/ usr/ arch/$(SRCARCH)/ kernel/ certs/ mm/ fs/ ipc/ security/ crypto/ block/ io_uring/ drivers/ sound/ net/ virt/
endif

# Reached by other rules than obj-y.
plan-objects += init/version-timestamp.o $(if $(CONFIG_MODULES),.vmlinux.export.o)
ifeq ($(SRCARCH),x86)
plan-top += arch/x86/boot/ arch/x86/boot/compressed/ arch/x86/realmode/rm/
endif
ifeq ($(SRCARCH),arm64)
plan-top += arch/arm64/kernel/vdso/
endif
plan-top := $(sort $(patsubst %/,%,$(plan-top)))

plan-known := $(filter-out obj-% lib-% targets extra-% always-% subdir-% hostprogs,$(.VARIABLES))
$(plan-forget)
$(foreach d,$(plan-top),$(call plan-visit,$d))
# Since 6.12 modules share one more.
ifneq ($(plan-modules),)
plan-objects += $(plan-modules) $(patsubst $(srctree)/scripts/%.c,.%.o,$(wildcard $(srctree)/scripts/module-common.c))
endif
$(foreach o,$(sort $(plan-objects)),$(info $o))
