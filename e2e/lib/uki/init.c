/* Says how it was started and what came with it, and switches off. Static, for any machine. */
#include <stdio.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

static void show(const char *path) {
  FILE *file = fopen(path, "r");
  if (!file) return;
  /* FNV-1a over all of it, and its first line. */
  char line[4096] = "";
  unsigned hash = 2166136261u;
  long size = 0;
  for (int c; (c = getc(file)) != EOF; size++) {
    hash = (hash ^ (unsigned)c) * 16777619u;
    if (size < 200) line[size] = (char)c;
  }
  for (char *c = line; *c; c++)
    if (*c == '\n') *c = 0;
  printf("guest: %s: %ld bytes, %08x: %s\n", path, size, hash, line);
  fclose(file);
}

int main(void) {
  struct stat info;
  mkdir("/proc", 0755);
  mkdir("/sys", 0755);
  mount("proc", "/proc", "proc", 0, NULL);
  mount("sys", "/sys", "sysfs", 0, NULL);
  printf("\nguest: started by %s\n", stat("/sys/firmware/efi", &info) ? "something else" : "UEFI");
  show("/proc/cmdline");
  show("/first");
  show("/second");
  show("/machine");
  fflush(stdout);
  tcdrain(1);
  reboot(RB_POWER_OFF);
  return 1;
}
