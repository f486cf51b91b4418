// Preloaded into conf: runs it many times in one process's children, as starting a program takes longer than conf does.
// Standard input has a request after the other, each a list of strings that end in NUL: directory, file of input, file of
// output, file of errors (the last two are appended to), number of variables, variables, number of arguments, arguments.
// Standard output gets a line for each: the exit status, or 128 and the number of the signal.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

typedef int (*main_function)(int, char **, char **);
static main_function real_main;
static char *at;

static char *next(void)
{
	char *text = at;

	at += strlen(text) + 1;
	return text;
}

static char **list(int *count)
{
	*count = atoi(next());
	char **items = calloc(*count + 1, sizeof(char *));

	for (int index = 0; index < *count; index++)
		items[index] = next();
	return items;
}

static void limit(int resource, rlim_t value)
{
	struct rlimit both = { value, value };

	setrlimit(resource, &both);
}

static void redirect(int descriptor, const char *path, int flags)
{
	int file = open(path, flags, 0644);

	if (file < 0)
		_exit(126);
	dup2(file, descriptor);
	close(file);
}

static int serve(int argc, char **argv, char **environment)
{
	size_t size = 0, room = 1 << 20;
	char *requests = malloc(room);
	ssize_t length;

	(void)argc;
	(void)environment;
	while ((length = read(0, requests + size, room - size)) > 0) {
		size += length;
		if (size == room)
			requests = realloc(requests, room *= 2);
	}
	at = requests;
	while (at < requests + size) {
		char *directory = next(), *in = next(), *out = next(), *err = next();
		int variables, arguments, status = 0;
		char **variable = list(&variables), **argument = list(&arguments);
		pid_t child = fork();

		if (child == 0) {
			if (chdir(directory) != 0)
				_exit(126);
			redirect(0, in, O_RDONLY);
			redirect(1, out, O_WRONLY | O_CREAT | O_APPEND);
			redirect(2, err, O_WRONLY | O_CREAT | O_APPEND);
			limit(RLIMIT_CORE, 0);
			// What goes on beyond is taken to go on for ever.
			limit(RLIMIT_CPU, 2);
			limit(RLIMIT_FSIZE, 200000);
			clearenv();
			for (int index = 0; index < variables; index++)
				putenv(variable[index]);
			char **all = calloc(arguments + 2, sizeof(char *));

			all[0] = argv[0];
			memcpy(all + 1, argument, arguments * sizeof(char *));
			exit(real_main(arguments + 1, all, environ));
		}
		waitpid(child, &status, 0);
		dprintf(1, "%d\n", WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
		free(variable);
		free(argument);
	}
	return 0;
}

int __libc_start_main(main_function main, int argc, char **argv, void (*init)(void), void (*fini)(void),
		      void (*rtld_fini)(void), void *stack_end)
{
	int (*start)(main_function, int, char **, void (*)(void), void (*)(void), void (*)(void), void *) =
		dlsym(RTLD_NEXT, "__libc_start_main");

	real_main = main;
	return start(serve, argc, argv, init, fini, rtld_fini, stack_end);
}
