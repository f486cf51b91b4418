/* The smallest appliance that says something: compiled on the spot, static, so it needs no library. */
#include <stdio.h>
#include <sys/utsname.h>

int main(void)
{
	struct utsname system;

	if (uname(&system))
		return 1;
	printf("Hello from %s, running Linux %s on %s\n", system.nodename, system.release, system.machine);
	return 0;
}
