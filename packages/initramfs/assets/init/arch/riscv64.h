/* The system call layer of riscv64; see x86_64.h. */
#ifndef INIT_ARCH_RISCV64_H
#define INIT_ARCH_RISCV64_H

#if !defined(__riscv) || __riscv_xlen != 64
#error "arch/riscv64.h is for riscv64 compilers"
#endif

/* Linux syscall convention, syscall(2): number in a7, arguments in a0 to a5, result in a0. The vdso has the return
   path from a signal handler. */
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

#ifdef INIT_DEFINE_ENTRY
/* The linker lets code reach data from the global pointer (riscv-elf-psabi, "Global Pointer Relaxation"). */
__asm__(".text\n"
	".globl _start\n"
	"_start:\n"
	"	.option push\n"
	"	.option norelax\n"
	"	la gp, __global_pointer$\n"
	"	.option pop\n"
	"	call init_main\n"
	"	ebreak\n");
#endif

#endif
