/* What depends on the machine, for x86_64: a system call, the entry, the way back from a signal handler. */
#ifndef AGENT_ARCH_X86_64_H
#define AGENT_ARCH_X86_64_H

/* Documentation/arch/x86/entry_64.rst: number in rax, arguments in rdi rsi rdx r10 r8 r9; rcx and r11 are lost. */
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

#ifdef AGENT_DEFINE_ENTRY
__asm__(".text\n"
	".globl _start\n"
	"_start:\n"
	"	xor %ebp, %ebp\n"
	"	mov %rsp, %rdi\n"
	"	and $-16, %rsp\n"
	"	call agent_start\n"
	"	hlt\n"
	".globl arch_restorer\n"
	"arch_restorer:\n"
	"	mov $15, %eax\n" /* __NR_rt_sigreturn */
	"	syscall\n");
#endif

#endif
