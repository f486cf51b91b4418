/* The system call layer of x86_64: everything in /init that depends on the machine.
   Another machine needs this file's three pieces: raw_syscall(), the entry point, and the signal restorer. */
#ifndef INIT_ARCH_X86_64_H
#define INIT_ARCH_X86_64_H

#ifndef __x86_64__
#error "arch/x86_64.h is for x86_64 compilers"
#endif

/* Linux syscall convention, Documentation/arch/x86/entry_64.rst: number in rax, arguments in
   rdi rsi rdx r10 r8 r9, result in rax; rcx and r11 are lost. */
static inline long raw_syscall(long number, long a, long b, long c, long d, long e, long f)
{
	long result;
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = e;
	register long r9 __asm__("r9") = f;
	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
			 : "rcx", "r11", "memory");
	return result;
}

/* x86_64 is the machine whose kernel has no default return path from a signal handler. */
#define ARCH_NEEDS_RESTORER 1

#ifdef INIT_DEFINE_ENTRY
__asm__(".text\n"
	".globl _start\n"
	"_start:\n"
	"	xor %ebp, %ebp\n"
	"	and $-16, %rsp\n"
	"	call init_main\n"
	"	hlt\n"
	".globl arch_restorer\n"
	"arch_restorer:\n"
	"	mov $15, %eax\n" /* __NR_rt_sigreturn */
	"	syscall\n");
#endif

#endif
