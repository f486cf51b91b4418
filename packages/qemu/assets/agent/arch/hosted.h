/* Over the C library instead of none, for the compiler's sanitizers: see the fuzz test. */
#ifndef AGENT_ARCH_HOSTED_H
#define AGENT_ARCH_HOSTED_H

extern long syscall(long number, ...);
extern int *__errno_location(void);

static inline long raw_syscall(long number, long a, long b, long c, long d, long e, long f)
{
	long result = syscall(number, a, b, c, d, e, f);
	return result == -1 ? -*__errno_location() : result;
}

#if defined(__x86_64__)
#define ARCH_NEEDS_RESTORER 1
#ifdef AGENT_DEFINE_ENTRY
__asm__(".text\n"
	".globl arch_restorer\n"
	"arch_restorer:\n"
	"	mov $15, %eax\n" /* __NR_rt_sigreturn */
	"	syscall\n");
#endif
#endif

#ifdef AGENT_DEFINE_ENTRY
void agent_start(long *stack);
int main(int argc, char **argv)
{
	static long stack[8];
	stack[0] = argc;
	for (int i = 0; i < argc && i < 6; i++)
		stack[1 + i] = (long)argv[i];
	agent_start(stack);
	return 1;
}
#endif

#endif
