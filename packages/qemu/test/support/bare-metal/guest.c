/*
 * A guest without an operating system for QEMU's "virt" machines of arm64 and riscv64. It is handed over as a kernel is,
 * with a device tree, does what do= of the command line says, and is a few hundred instructions long.
 */
typedef unsigned char u8;
typedef unsigned int u32;
typedef unsigned long u64;

#ifdef __aarch64__
#include "arm64.h"
#else
#include "riscv64.h"
#endif

static void put(const char *text) {
  while (*text) console_put(*text++);
}

/* The device tree is big-endian (Devicetree Specification, chapter 5). */
static u32 cell(const u8 *at) {
  return (u32)at[0] << 24 | (u32)at[1] << 16 | (u32)at[2] << 8 | at[3];
}

static u64 cells(const u8 *at) {
  return (u64)cell(at) << 32 | cell(at + 4);
}

static int equal(const char *a, const char *b) {
  while (*a && *a == *b) a++, b++;
  return *a == *b;
}

static int begins(const char *text, const char *with) {
  while (*with) if (*text++ != *with++) return 0;
  return 1;
}

struct tree {
  const char *arguments;
  const u8 *initrd, *initrd_end;
  u8 *config;         /* of the PCI bus: 4 KiB for each function */
  u64 io, io_bus;     /* where the bus's ports are in memory, and the first of them */
  u64 memory;
};

/* "ranges" of a PCI bus: three cells on the bus, two of the processor, two for the size. */
static void read_ranges(struct tree *tree, const u8 *at, const u8 *end) {
  for (; at < end; at += 28) {
    u32 space = cell(at) >> 24 & 3;
    if (space == 1) tree->io = cells(at + 12), tree->io_bus = cells(at + 4);
    if (space == 2) tree->memory = cells(at + 12);
  }
}

static u64 number(const u8 *at, u32 size) {
  return size == 8 ? cells(at) : cell(at);
}

static void read_tree(struct tree *tree, const u8 *blob) {
  const u8 *at = blob + cell(blob + 8);
  const char *names = (const char *)blob + cell(blob + 12);
  const char *node = "";
  for (;;) {
    u32 token = cell(at);
    at += 4;
    if (token == 1) {
      node = (const char *)at;
      while (*at) at++;
      at = (const u8 *)(((u64)at + 4) & ~3ul);
    } else if (token == 3) {
      u32 size = cell(at);
      const char *name = names + cell(at + 4);
      at += 8;
      if (equal(node, "chosen")) {
        if (equal(name, "bootargs")) tree->arguments = (const char *)at;
        if (equal(name, "linux,initrd-start")) tree->initrd = (const u8 *)number(at, size);
        if (equal(name, "linux,initrd-end")) tree->initrd_end = (const u8 *)number(at, size);
      } else if (begins(node, "pci")) {
        if (equal(name, "reg")) tree->config = (u8 *)cells(at);
        if (equal(name, "ranges")) read_ranges(tree, at, at + size);
      }
      at += (size + 3) & ~3u;
    } else if (token == 9) {
      return;
    }
  }
}

#define PORT_CARD 0x00021b36    /* QEMU's docs/specs/pci-ids: pci-serial */
#define PVPANIC_CARD 0x00111b36

/* The nth card of a kind on the first bus: its configuration space. */
static volatile u32 *find_card(const struct tree *tree, u32 id, u32 nth) {
  for (u32 device = 0; device < 32; device++) {
    volatile u32 *config = (volatile u32 *)(tree->config + (device << 15));
    if (config[0] == id && nth-- == 0) return config;
  }
  return 0;
}

/* A 16550 on a card, at eight ports of its own. */
static volatile u8 *open_port(const struct tree *tree, u32 nth) {
  volatile u32 *config = find_card(tree, PORT_CARD, nth);
  if (!config) return 0;
  u64 offset = 0x1000 + 8 * nth;
  config[4] = (u32)(tree->io_bus + offset);
  config[1] = 1;
  return (volatile u8 *)(tree->io + offset);
}

static void port_put(volatile u8 *port, char byte) {
  while (!(port[5] & 0x20)) continue;
  port[0] = byte;
}

/* Says back what comes, until a line ends. */
static void answer(volatile u8 *port, const char *name) {
  while (*name) port_put(port, *name++);
  for (char byte = 0; byte != '\n';) {
    while (!(port[5] & 1)) continue;
    byte = port[0];
    port_put(port, byte);
  }
  while (!(port[5] & 0x40)) continue;
}

static void panic(const struct tree *tree) {
  volatile u32 *config = find_card(tree, PVPANIC_CARD, 0);
  if (!config) return;
  config[4] = (u32)tree->memory;
  config[1] = 2;
  *(volatile u8 *)tree->memory = 1;
}

void guest(const u8 *blob) {
  static struct tree tree;
  read_tree(&tree, blob);
  put("arguments: ");
  put(tree.arguments);
  put("\ninitrd: ");
  for (const u8 *at = tree.initrd; at < tree.initrd_end; at++) console_put(*at ? *at : '.');
  put("\n");
  const char *task = tree.arguments;
  while (*task && !begins(task, "do=")) task++;
  if (begins(task, "do=serve")) {
    answer(open_port(&tree, 0), "first: ");
    answer(open_port(&tree, 1), "second: ");
  }
  if (begins(task, "do=flood"))
    for (u32 line = 0; line < 1000; line++) put("0123456789012345678901234567890123456789012345678901234567890123456789\n");
  if (begins(task, "do=panic")) panic(&tree);
  if (begins(task, "do=hang")) for (;;) continue;
  if (begins(task, "do=reboot")) restart();
  put("end\n");
  power_off();
}
