/* Linux's Documentation/arch/riscv/boot.rst: the device tree is in a1. */
__asm__(
  ".global start\n"
  "start:\n"
  "  la sp, start\n"
  "  mv a0, a1\n"
  "  call guest\n");

/* QEMU's hw/riscv/virt.c: a 16550 at this place. */
static volatile u8 *const uart = (volatile u8 *)0x10000000;

static void console_put(u8 byte) {
  while (!(uart[5] & 0x20)) continue;
  uart[0] = byte;
}

/* RISC-V Supervisor Binary Interface, chapter "System Reset Extension". */
static void reset(u64 type) {
  while (!(uart[5] & 0x40)) continue;
  register u64 a0 __asm__("a0") = type;
  register u64 a1 __asm__("a1") = 0;
  register u64 a6 __asm__("a6") = 0;
  register u64 a7 __asm__("a7") = 0x53525354;
  __asm__ volatile("ecall" : "+r"(a0), "+r"(a1) : "r"(a6), "r"(a7) : "memory");
}

static void power_off(void) {
  reset(0);
}

static void restart(void) {
  reset(1);
}
