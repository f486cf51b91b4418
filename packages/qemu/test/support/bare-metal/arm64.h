/* Linux's Documentation/arch/arm64/booting.rst: the first instruction is the entry, the device tree is in x0. */
__asm__(
  ".global start\n"
  "start:\n"
  "  adr x1, start\n"
  "  mov sp, x1\n"
  "  bl guest\n");

/* QEMU's hw/arm/virt.c: a PL011 at this place, which takes what it is given. */
static void console_put(u8 byte) {
  *(volatile u32 *)0x09000000 = byte;
}

/* Arm DEN 0022, Power State Coordination Interface: functions by HVC, which QEMU answers in the firmware's place. */
static void psci(u64 function) {
  register u64 x0 __asm__("x0") = function;
  __asm__ volatile("hvc #0" : "+r"(x0) : : "memory");
}

static void power_off(void) {
  psci(0x84000008);
}

static void restart(void) {
  psci(0x84000009);
}
