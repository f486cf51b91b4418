/* What depends on the machine, for riscv64; see x86_64.h. */
#ifndef AGENT_ARCH_RISCV64_H
#define AGENT_ARCH_RISCV64_H

/* syscall(2): number in a7, arguments in a0 to a5, result in a0. */
static inline long raw_syscall(long number, long a, long b, long c, long d, long e, long f)
{
	register long a7 __asm__("a7") = number;
	register long a0 __asm__("a0") = a;
	register long a1 __asm__("a1") = b;
	register long a2 __asm__("a2") = c;
	register long a3 __asm__("a3") = d;
	register long a4 __asm__("a4") = e;
	register long a5 __asm__("a5") = f;
	__asm__ volatile("ecall"
			 : "+r"(a0)
			 : "r"(a7), "r"(a1), "r"(a2), "r"(a3), "r"(a4), "r"(a5)
			 : "memory");
	return a0;
}

#ifdef AGENT_DEFINE_ENTRY
/* The linker lets code reach data from the global pointer (riscv-elf-psabi, "Global Pointer Relaxation"). */
__asm__(".text\n"
	".globl _start\n"
	"_start:\n"
	"	.option push\n"
	"	.option norelax\n"
	"	la gp, __global_pointer$\n"
	"	.option pop\n"
	"	mv a0, sp\n"
	"	andi sp, sp, -16\n"
	"	call agent_start\n"
	"	ebreak\n");
#endif

#endif
